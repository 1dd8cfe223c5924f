"""Records that mean harm, each with what must become of it; built beside good ones for one topic."""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.integration.stage import Stage

Headers = list[tuple[str, str | bytes | None]]


class Hostile(NamedTuple):
    """One record, and the reason that its dead letter must give."""

    name: str
    value: bytes | None
    reason: str
    key: bytes | None = b"user-1"
    headers: Headers = []  # noqa: RUF012  # nobody changes it


def varint(n: int) -> bytes:
    """Avro's zigzag variable-length integer."""
    n = (n << 1) ^ (n >> 63)
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def framed(schema_id: int, payload: bytes) -> bytes:
    return struct.pack(">bI", 0, schema_id) + payload


def record_of(*types: Any, name: str = "Evil") -> dict[str, Any]:
    fields = [{"name": f"f{n}", "type": one} for n, one in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def nested(levels: int, leaf: Any) -> Any:
    for level in range(levels):
        leaf = record_of(leaf, name=f"L{level}")
    return leaf


class Workshop:
    """Makes them for one stage: their schemas are in its registry."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._good = stage.events.custom("hostile")

    def bytes_of_known_schema(self) -> Iterator[Hostile]:
        """Fault 20: what is not one whole value of a schema that is known."""
        good = self._good
        yield Hostile("no magic byte", b"\x07" + good[1:], "wrong magic byte")
        yield Hostile("empty", b"", "truncated")
        yield Hostile("shorter than an id", b"\x00\x00\x01", "truncated")
        yield Hostile("an id that nobody knows", framed(987_654, good[5:]), "unknown schema id")
        yield Hostile("cut off", good[:-1], "truncated")
        yield Hostile("something behind it", good + b"\x00", "trailing bytes")
        yield Hostile(
            "a header that is no id", good, "wrong schema id header", headers=[("__value_schema_id", b"?")]
        )

    def bytes_that_exhaust(self) -> Iterator[Hostile]:
        """Fault 21: few bytes that would take the stack, the memory or the time of the process."""
        link = {
            "type": "record",
            "name": "Link",
            "fields": [{"name": "next", "type": ["null", "Link"]}],
        }
        yield self._of("recursion", link, b"\x02" * 5_000 + b"\x00", "refused schema: recursive")
        nulls = record_of({"type": "array", "items": "null"})
        billions = varint(2**40) + b"\x00"
        yield self._of("billions of nulls", nulls, billions, "refused schema: array items without bytes")
        digits = 1_000_000_000
        huge = record_of({"type": "bytes", "logicalType": "decimal", "precision": digits})
        long_ = varint(500_000) + b"\x7f" * 500_000
        yield self._of("a decimal of a billion digits", huge, long_, "refused schema: decimal too large")
        small = record_of({"type": "bytes", "logicalType": "decimal", "precision": 9})
        yield self._of("a decimal longer than its precision", small, long_, "value out of range")
        swarm = record_of({"type": "array", "items": nested(60, "int")}, name="Swarm")
        million = varint(900_000) + b"\x00" * 900_001
        yield self._of("a byte that becomes sixty objects", swarm, million, "takes too much memory")

    def values_out_of_bounds(self) -> Iterator[Hostile]:
        """Indexes, lengths and texts that point elsewhere."""
        union = record_of(["null", "string"])
        text = record_of("string")
        number = record_of("long")
        yield self._of("a negative index", union, varint(-1), "invalid union or enum index")
        yield self._of("a varint without end", number, b"\xff" * 40, "truncated")
        yield self._of("a varint of ninety bits", number, b"\xff" * 12 + b"\x01", "value out of range")
        yield self._of("a string of exabytes", text, varint(2**60) + b"x", "truncated")
        yield self._of("a string of less than nothing", text, varint(-5) + b"x" * 9, "truncated")
        yield self._of("no utf-8", text, varint(3) + b"\xff\xfe\xed", "invalid utf-8")
        yield Hostile("ten megabytes", self._good + b"\x00" * 10_000_000, "too large")

    def schemas(self) -> Iterator[Hostile]:
        """The registry's own word, and none to trust."""
        yield self._of(
            "nested beyond the stack",
            record_of(nested(150, "int")),
            b"\x00",
            "refused schema: nested too deep",
        )
        names: Any = record_of("null", "null", name="R0")
        for level in range(10):
            names = record_of(names, *[f"R{level}"] * 3, name=f"R{level + 1}")
        yield self._of("names that unfold", names, b"", "refused schema: too many empty fields")
        flat = record_of(*["null"] * 200)
        yield self._of("nothing but empty fields", flat, b"", "refused schema: too many empty fields")
        large = record_of("int", name="Large") | {"doc": "x" * 1_100_000}
        yield self._of("a megabyte of schema", large, b"\x00", "refused schema: too large")
        parsed = record_of("int") | {"__fastavro_parsed": True}
        yield self._of("a schema that claims to be checked", parsed, b"\x00", "refused schema: invalid")

    def every(self) -> list[Hostile]:
        return [
            *self.bytes_of_known_schema(),
            *self.bytes_that_exhaust(),
            *self.values_out_of_bounds(),
            *self.schemas(),
        ]

    def _of(self, name: str, schema: Any, payload: bytes, reason: str) -> Hostile:
        subject = f"{self._stage.topic}-{name.replace(' ', '-')}"
        return Hostile(name, framed(self._stage.registry.register(subject, schema), payload), reason)
