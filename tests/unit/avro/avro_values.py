"""Schemas and values for the decoder's tests."""

import json
from io import BytesIO
from typing import Any
from uuid import UUID

import fastavro

from consumer.avro.framing import SchemaId, guid_id, schema_id
from consumer.avro.schemas import SchemaText
from consumer.avro.undecodable import UNKNOWN_ID, Undecodable
from consumer.types import Headers, Record

GUID = UUID("00112233-4455-6677-8899-aabbccddeeff")


def record_of(*types: Any, name: str = "R") -> dict[str, Any]:
    """A record schema with one field of each type: f0, f1 …"""
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{index}", "type": type_} for index, type_ in enumerate(types)],
    }


EVENT = {
    "type": "record",
    "name": "UserEvent",
    "namespace": "example.v1",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "email", "type": ["null", "string"]},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "extra", "type": {"type": "map", "values": "long"}},
        {
            "name": "payload",
            "type": [
                record_of("string", name="PageVisited"),
                record_of("double", "Kind", name="Purchase"),
            ],
        },
    ],
}


def written(schema: Any, datum: Any) -> bytes:
    """A value's payload, without an id in front."""
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), datum)
    return out.getvalue()


def varint(value: int) -> bytes:
    """Avro's encoding of an int or long."""
    rest = ((value << 1) ^ (value >> 63)) & (2**64 - 1)
    out = bytearray()
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def record(value: bytes, headers: Headers | None = None) -> Record:
    """A polled record with this value."""
    return Record("events", 0, 7, 1_700_000_000_000, b"key", value, headers)


def framed(payload: bytes, number: int = 1) -> bytes:
    """A payload with its schema's number in front."""
    return schema_id(number) + payload


class Shelf:
    """A source of schemas for tests: id 1, 2 … and GUID; counts what it was asked for."""

    def __init__(self, *schemas: Any) -> None:
        texts = [SchemaText(json.dumps(schema)) for schema in schemas]
        self.known: dict[bytes, SchemaText] = {
            schema_id(number): text for number, text in enumerate(texts, start=1)
        }
        if texts:
            self.known[guid_id(GUID)] = texts[0]
        self.asked: list[SchemaId] = []

    async def fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        self.asked.append(schema)
        return self.known.get(schema, Undecodable(UNKNOWN_ID))
