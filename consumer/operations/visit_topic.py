"""The output topic of the touchpoint stream, as visits."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from consumer.avro.decoder import Decoder
from consumer.avro.encoder import Encoder
from consumer.avro.undecodable import Undecodable
from consumer.core.visits import KnownVisits, Visit
from consumer.errors import FaultError
from consumer.kafka.transactional_log import Entry
from consumer.types import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = "so.distinct.events.TouchpointVisit"


class Log(Protocol):
    """What is used of a TransactionalLog; every call blocks."""

    def claim(self) -> None: ...
    def read(self) -> list[Record] | None: ...
    def append(self, entries: Sequence[Entry]) -> None: ...
    def close(self) -> None: ...


class VisitTopic:
    """One claim of the topic: open it, then write. After an error it is closed, and another one is made."""

    def __init__(self, log: Log, decoder: Decoder, encoder: Encoder) -> None:
        self._log = log
        self._decoder = decoder
        self._encoder = encoder

    async def open(self, on_read: Callable[[int], None] = lambda _: None) -> KnownVisits:
        """Become the only writer, and read back every visit that is there; `on_read` is told their number.

        Raises FaultError for a record that cannot be read: whether it is a visit would be a guess.
        """
        await asyncio.to_thread(self._log.claim)
        known = KnownVisits()
        while (records := await asyncio.to_thread(self._log.read)) is not None:
            while ids := self._decoder.missing(records):
                await self._decoder.load(ids)
            for record, value in zip(records, self._decoder.decode(records), strict=True):
                known.add([_visit(record, value)])
            on_read(len(known))
        return known

    async def write(self, visits: Sequence[Visit]) -> None:
        """All of them, or none."""
        entries = [Entry(visit.user_id.encode(), self._encoder.encode(_value(visit))) for visit in visits]
        await asyncio.to_thread(self._log.append, entries)

    async def close(self) -> None:
        """Idempotent."""
        await asyncio.to_thread(self._log.close)


def _value(visit: Visit) -> dict[str, Any]:
    return {
        "touchpoint_id": visit.touchpoint_id,
        "user_id": visit.user_id,
        "visited_at": visit.visited_at_ms,
        "occurrence": visit.occurrence,
        "touchpoint_name": visit.touchpoint_name,
        "touchpoint_value": visit.touchpoint_value,
        "experience_id": visit.experience_id,
    }


def _visit(record: Record, value: dict[str, Any] | Undecodable) -> Visit:
    if isinstance(value, Undecodable):
        raise _foreign(record, value.reason)
    try:
        return Visit(
            touchpoint_id=value["touchpoint_id"],
            user_id=value["user_id"],
            visited_at_ms=(value["visited_at"] - _EPOCH) // timedelta(milliseconds=1),
            occurrence=value["occurrence"],
        )
    except (KeyError, TypeError):
        raise _foreign(record, f"not a {_NAME}") from None


def _foreign(record: Record, why: str) -> FaultError:
    return FaultError(
        f"{record.origin} is no visit that can be read back ({why}): the topic must hold nothing but what "
        "`touchpoints stream` writes; give it a topic of its own"
    )
