"""What a stored record says, read without any of the consumer's code."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader

from tests.brokers import StoredRecord

_FRAME = struct.Struct(">bI")


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded `UserEvent`."""

    id: str
    occurred_ms: int
    user: Mapping[str, str | None]
    user_agent: str
    type: str
    """The short name of the payload's record."""
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A value that is there, but is no event."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """No value."""


class EventReader:
    """Decodes by the schemas that the test registered; every other schema id is unknown."""

    def __init__(self, schemas: Mapping[int, Any]) -> None:
        """`schemas`: the registry's id, and the schema as JSON."""
        self._schemas = {number: parse_schema(schema) for number, schema in schemas.items()}

    def read(self, record: StoredRecord) -> Event | Undecodable | Tombstone:
        """Never raises for what is in a record."""
        value = record.value
        if value is None:
            return Tombstone()
        if len(value) < _FRAME.size:
            return Undecodable()
        magic, number = _FRAME.unpack_from(value)
        if magic != 0 or number not in self._schemas:
            return Undecodable()
        stream = BytesIO(value[_FRAME.size :])
        try:
            datum: Any = schemaless_reader(stream, self._schemas[number], None, return_record_name=True)
        except (EOFError, IndexError, ValueError, OverflowError, struct.error):
            return Undecodable()
        return Undecodable() if stream.read(1) else _event(datum)


def _event(datum: Any) -> Event:
    name, payload = datum["payload"]
    # A record that is the only one of its union comes without its name.
    context = datum["context"]
    context = context[1] if isinstance(context, tuple) else context
    return Event(
        datum["id"],
        round(datum["occurred_at"].timestamp() * 1000),
        datum["user"],
        (context or {}).get("user_agent") or "",
        name.rpartition(".")[2],
        payload,
    )
