"""Dead letters: the original record, untouched, with headers that say what was refused, where and why.

The order is the protocol's: the ledger is asked, the letter is acknowledged, the reservation is released, and only
then is the delivery settled. A topic that cannot be written is tried again for ever: the record stays unsettled, the
bound on what is unsettled stops the polling, and nothing is skipped.
"""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b

from consumer.core.retries import Backoff, Random
from consumer.kafka.letters import Letter, LetterWriter, TooLarge, Unwritten, Written
from consumer.ledger.ledger import Held, KeyState
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Delivery, Phase, Work
from consumer.types import Headers, Record

PREFIX = "distinct-consumer."


class Graveyard:
    """Buries deliveries and undecodable records."""

    def __init__(
        self,
        writer: LetterWriter,
        topics: Mapping[str, str],
        topology_version: str,
        patient: PatientLedger,
        settlement: Settlement,
        backoff: Backoff,
        random: Random,
    ) -> None:
        """`topics` gives the dead-letter topic of each source topic."""
        self._writer = writer
        self._topics = topics
        self._version = topology_version
        self._patient = patient
        self._settlement = settlement
        self._backoff = backoff
        self._random = random
        self.unwritable: str | None = None
        """Why the last letter could not be written, until one can."""
        self.reasons: dict[tuple[str, str], int] = {}
        """How many letters were written, by destination and reason."""
        self.open: set[Work] = set()

    async def bury(self, sink: Sink, one: Delivery, grave: Grave, *, in_lane: bool = True) -> None:
        """Dead-letter a delivery to its end; `in_lane` is False for one that never came to a lane.

        Returns when it is settled, or given up because its assignment ended while the topic could not be written.
        """
        ((state, origin),) = await self._patient.states([one.intent])
        if state is KeyState.CONFIRMED:
            # Acknowledged meanwhile, by us or by another record with this key: no letter.
            ending = Ending.DELIVERED if origin == one.intent.origin else Ending.SUPPRESSED
            sink.release([one])
        elif await self._write(one.work, grave):
            await self._patient.bury([Held(one.intent, one.token)])
            one.token = 0
            ending = Ending.DEAD_LETTERED
        else:
            sink.release([one])
            ending = Ending.ABANDONED
        if in_lane:
            sink.finish([one], ending)
        else:
            self._settlement.end(sink.books, [one], ending)

    async def bury_record(self, work: Work, reason: str) -> None:
        """Dead-letter a record that no route could see."""
        if not await self._write(work, Grave(reason)):
            work.abandoned = True
        self._settlement.finish(work)
        self._settlement.progress.set()

    async def _write(self, work: Work, grave: Grave) -> bool:
        self.open.add(work)
        try:
            return await self._write_until_acknowledged(work, grave)
        finally:
            self.open.discard(work)

    async def _write_until_acknowledged(self, work: Work, grave: Grave) -> bool:
        topic = self._topics[work.record.topic]
        letter = letter_of(topic, work.record, grave, self._version)
        attempt = 0
        while work.assignment.phase is not Phase.ENDED:
            (outcome,) = await self._writer.write([letter])
            match outcome:
                case Written():
                    self.unwritable = None
                    self.reasons[grave.destination, grave.reason] = (
                        self.reasons.get((grave.destination, grave.reason), 0) + 1
                    )
                    return True
                case TooLarge() if letter.value is not None:
                    letter = stub_of(topic, work.record, grave, self._version)
                case TooLarge() | Unwritten():
                    attempt += 1
                    self.unwritable = f"{topic}: {outcome}"
                    await asyncio.sleep(max(0.1, self._backoff.delay_s(attempt, self._random)))
        return False


def letter_of(topic: str, record: Record, grave: Grave, version: str) -> Letter:
    """The record as it was, with our headers after its own."""
    return Letter(topic, record.key, record.value, [*(record.headers or []), *_headers(record, grave, version)])


def stub_of(topic: str, record: Record, grave: Grave, version: str) -> Letter:
    """In place of a letter that the topic refuses as too large: where the record lies, and its digest."""
    digest = blake2b(record.value or b"", digest_size=16).hexdigest()
    headers = [*_headers(record, grave, version), (f"{PREFIX}stub-digest", digest.encode())]
    key = record.key if len(record.key or b"") <= 1024 else None
    return Letter(topic, key, None, headers)


def _headers(record: Record, grave: Grave, version: str) -> Headers:
    fields = {
        "destination": grave.destination,
        "route": grave.route,
        "reason": grave.reason,
        "status": "" if grave.status is None else str(grave.status),
        "attempts": str(grave.attempts),
        "origin-topic": record.topic,
        "origin-partition": str(record.partition),
        "origin-offset": str(record.offset),
        "topology-version": version,
    }
    return [(PREFIX + name, value.encode()) for name, value in fields.items() if value]
