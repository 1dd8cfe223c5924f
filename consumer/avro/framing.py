"""Where a record says which schema wrote it: in front of the value, or in a header. Pure.

Sources: Confluent's documentation, "Wire format" (magic byte 0, then the id in four bytes, big-endian), and
the header `__value_schema_id` of its newer serializers (magic byte 1, then a UUID; the value is then all
payload).
"""

from typing import NewType
from uuid import UUID

from consumer.types import UNREADABLE, Headers

SchemaId = NewType("SchemaId", bytes)
"""A schema's id as it stands on the wire: 0 and four bytes, or 1 and the sixteen bytes of a UUID."""

HEADER = "__value_schema_id"
UNREADABLE_ID = b"unreadable"
PREFIX_BYTES = 5
_GUID_BYTES = 17


def schema_id(number: int) -> SchemaId:
    """The id with this number. Raises OverflowError outside of 0 … 2³²−1."""
    return SchemaId(b"\x00" + number.to_bytes(4, "big"))


def guid_id(guid: UUID) -> SchemaId:
    """The id with this UUID."""
    return SchemaId(b"\x01" + guid.bytes)


def as_number_or_guid(framed: SchemaId) -> int | UUID:
    """What the registry is asked for."""
    return int.from_bytes(framed[1:], "big") if framed[0] == 0 else UUID(bytes=bytes(framed[1:]))


def is_schema_id(raw: bytes) -> bool:
    """Whether these bytes have the form of an id."""
    return (len(raw) == PREFIX_BYTES and raw[0] == 0) or (len(raw) == _GUID_BYTES and raw[0] == 1)


def header_id(headers: Headers) -> bytes | None:
    """The schema id header's bytes, checked by nobody yet; None where there is none.

    Of several the last counts, as everywhere in Kafka. An empty header is still one: what stands in front of
    the value is then no id. Where the headers cannot be read, one may have been among them: that is no id either.
    """
    found = None
    for name, raw in headers:
        if name == HEADER:
            found = raw or b""
        elif name == UNREADABLE:
            return UNREADABLE_ID
    return found
