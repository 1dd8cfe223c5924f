"""Records that say themselves what is to become of them, and the registry that knows their schema."""

import asyncio
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from consumer.avro.framing import SchemaId
from consumer.avro.schemas import SchemaText
from consumer.avro.undecodable import UNKNOWN_ID, Undecodable
from consumer.errors import RegistryUnavailable
from consumer.types import TopicPartition

TOPIC = "user-events"
P0, P1 = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
OTHER_TOPIC = "other-events"
OTHER = TopicPartition(OTHER_TOPIC, 0)
MINUTE_MS = 60_000

_SCHEMA: Any = {
    "type": "record",
    "name": "Said",
    "fields": [{"name": "routes", "type": "string"}, {"name": "user", "type": "string"}],
}
_PARSED = parse_schema(_SCHEMA)


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def framed(value: bytes, schema_id: int = 1) -> bytes:
    return b"\0" + struct.pack(">I", schema_id) + value


def saying(user: str, routes: Sequence[Mapping[str, Any]]) -> bytes:
    """A record's value: what the stage's router is to make of it."""
    out = BytesIO()
    schemaless_writer(out, _PARSED, {"routes": json.dumps(list(routes)), "user": user})
    return out.getvalue()


GARBAGE = framed(b"\xff\xff\xff")
"""Of a known schema, and cut off."""


class Registry:
    """A schema source: id 1 is known, `extra` too, and all others are not; may be down."""

    def __init__(self) -> None:
        self.down = False
        self.known = {1}
        self.asked = 0

    async def fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        self.asked += 1
        await asyncio.sleep(0.001)
        if self.down:
            raise RegistryUnavailable("503")
        if struct.unpack(">I", schema[1:])[0] in self.known:
            return SchemaText(json.dumps(_SCHEMA))
        return Undecodable(UNKNOWN_ID)
