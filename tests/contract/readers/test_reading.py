"""Each type as it comes out, and each damage as it is refused, whoever reads."""

import struct
import time
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.avro.compiled import generate_reader
from consumer.avro.undecodable import Undecodable
from tests.contract.readers.conftest import FIRST, Make, hardened, outcome
from tests.unit.avro.avro_values import record_of, varint, written


def logical(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "logicalType": name}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
FIXED = {"type": "fixed", "name": "F", "size": 3}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}
FIXED_DECIMAL = {
    "type": "fixed",
    "name": "D",
    "size": 8,
    "logicalType": "decimal",
    "precision": 6,
    "scale": 2,
}
INNER = record_of("string", name="Inner")
NAMES = [record_of("long", name=f"N{index}") for index in range(200)]
UUID_TEXT = "00112233-4455-6677-8899-aabbccddeeff"
AWARE = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
OLD = datetime(1901, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
LATE = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

VALUES = [
    ("null", None),
    ("boolean", True),
    ("boolean", False),
    *[("int", number) for number in (0, -1, 63, -64, 64, 2**31 - 1, -(2**31))],
    *[("long", number) for number in (8191, 8192, 2**62, 2**63 - 1, -(2**63))],
    ("float", 0.5),
    ("double", -1e300),
    ("double", float("inf")),
    ("bytes", b""),
    ("bytes", b"\x00\xff" * 100),
    *[("string", text) for text in ("", "ä€😀", "x" * 63, "x" * 64, "x" * 8191, "x" * 8192, "\x00")],
    (FIXED, b"abc"),
    (ENUM, "B"),
    (DECIMAL, Decimal("-1234.56")),
    (FIXED_DECIMAL, Decimal("0.01")),
    (logical("int", "date"), date(2026, 1, 2)),
    (logical("int", "date"), date(1, 1, 1)),
    (logical("int", "time-millis"), time_of_day(23, 59, 59, 999000)),
    (logical("long", "time-micros"), time_of_day(23, 59, 59, 999999)),
    *[(logical("long", "timestamp-millis"), instant) for instant in (AWARE, OLD)],
    *[(logical("long", "timestamp-micros"), instant) for instant in (AWARE, OLD, LATE)],
    (logical("long", "local-timestamp-millis"), AWARE.replace(tzinfo=None)),
    (logical("long", "local-timestamp-micros"), OLD.replace(tzinfo=None)),
    (logical("string", "uuid"), UUID(UUID_TEXT)),
    (logical("long", "unheard-of"), 5),
    ({"type": "array", "items": "long"}, []),
    ({"type": "array", "items": "long"}, list(range(300))),
    ({"type": "array", "items": INNER}, [{"f0": "a"}, {"f0": "b"}]),
    ({"type": "array", "items": {"type": "array", "items": FIXED}}, [[b"abc"], []]),
    ({"type": "map", "values": "null"}, {"ä": None, "": None}),
    ({"type": "map", "values": ["null", "string", "long", "double"]}, {"a": 1, "b": None, "c": 1.5, "d": "x"}),
    (INNER, {"f0": "a"}),
    (record_of(name="Empty"), {}),
    (["null", "string"], None),
    (["null", "string"], "a"),
    (["string"], "a"),
    (["null", INNER], ("Inner", {"f0": "a"})),
    (["null", ENUM, FIXED], b"abc"),
    (["null", {"type": "array", "items": ["null", INNER]}], [None, ("Inner", {"f0": "a"})]),
    *[(NAMES, (f"N{index}", {"f0": index})) for index in (0, 15, 16, 63, 64, 199)],
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), VALUES)
def test_each_type_comes_out_as_it_was_written(make: Make, schema: Any, value: Any) -> None:
    # Between two others, so that a reader that takes too much or too little is seen.
    schema = record_of("int", schema, "string")
    payload = written(schema, {"f0": 7, "f1": value, "f2": "end"})
    reader = make(hardened(schema))
    assert reader(b"-----" + payload, 5) == ({"f0": 7, "f1": value, "f2": "end"}, 5 + len(payload))


def test_a_record_in_a_union_is_named_in_full_also_where_it_is_used_again(make: Make) -> None:
    inner = {**INNER, "namespace": "a.b"}
    reader = make(hardened(record_of(inner, ["null", "a.b.Inner"], {"type": "map", "values": ["a.b.Inner"]})))
    payload = (
        varint(1)
        + b"x"
        + varint(1)
        + varint(1)
        + b"y"
        + varint(1)
        + varint(1)
        + b"k"
        + varint(0)
        + varint(1)
        + b"z"
    )
    expected = {"f0": {"f0": "x"}, "f1": ("a.b.Inner", {"f0": "y"}), "f2": {"k": ("a.b.Inner", {"f0": "z"})}}
    assert reader(payload + varint(0), 0)[0] == expected


def test_blocks_may_say_how_many_bytes_they_have_and_may_be_several(make: Make) -> None:
    schema = record_of({"type": "array", "items": "int"}, {"type": "map", "values": "int"})
    array = varint(-2) + varint(2) + varint(1) + varint(2) + varint(1) + varint(3) + varint(0)
    entries = (
        varint(-1)
        + varint(3)
        + varint(1)
        + b"a"
        + varint(4)
        + varint(1)
        + varint(1)
        + b"a"
        + varint(5)
        + varint(0)
    )
    assert make(hardened(schema))(array + entries, 0)[0] == {"f0": [1, 2, 3], "f1": {"a": 5}}


def test_any_byte_but_zero_is_true(make: Make) -> None:
    assert make(hardened(record_of("boolean")))(b"\x07", 0)[0] == {"f0": True}


def test_numbers_may_be_longer_than_they_need_be(make: Make) -> None:
    schema = record_of("int", "string", ENUM)
    assert make(hardened(schema))(b"\x82\x80\x00" + b"\x82\x00a" + b"\x82\x00", 0)[0] == {
        "f0": 1,
        "f1": "a",
        "f2": "B",
    }


def nested(schema: Any, levels: int) -> tuple[Any, Any, bytes]:
    """A schema so many arrays deep, the list that holds one 5 at the bottom, and its data."""
    value, payload = 5, varint(5)
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
        value, payload = [value], varint(1) + payload + varint(0)  # type: ignore[assignment]
    return schema, value, payload


def test_what_is_nested_deep_is_read(make: Make) -> None:
    schema, value, payload = nested("int", 60)
    assert make(hardened(record_of(schema)))(payload, 0) == ({"f0": value}, len(payload))


def test_unions_of_records_in_each_other_are_read(make: Make) -> None:
    schema: Any = "int"
    value: Any = 5
    for level in range(30):
        others = [record_of("int", name=f"O{level}x{index}") for index in range(14)]
        schema, value = [*others, record_of(schema, name=f"L{level}")], (f"L{level}", {"f0": value})
    payload = varint(14) * 30 + varint(5)
    assert make(hardened(record_of(schema)))(payload, 0) == ({"f0": value}, len(payload))


def test_a_few_names_that_unfold_to_a_billion_are_read_and_written_out_once(make: Make) -> None:
    chain: list[Any] = [record_of("string", name="R0")]
    chain += [
        record_of(["null", f"R{level}"], ["null", f"R{level}"], name=f"R{level + 1}") for level in range(30)
    ]
    schema = record_of(*chain)
    started_s = time.process_time()
    reader = make(hardened(schema))
    assert time.process_time() - started_s < 1
    payload = varint(0) + varint(0) * 60
    assert reader(payload, 0)[1] == len(payload)


DAMAGE = [
    ("string", varint(3) + b"ab", "truncated"),
    ("string", varint(2**62) + b"ab", "truncated"),
    ("string", varint(-3) + b"abc", "truncated"),
    ("string", varint(2) + "€".encode()[:2], "invalid utf-8"),
    ("string", varint(3) + "€".encode()[:2], "truncated"),
    ("string", varint(3) + b"\xed\xa0\x80", "invalid utf-8"),
    ("string", varint(1) + b"ab", "trailing bytes"),
    ("bytes", varint(2) + b"a", "truncated"),
    ("long", b"\x80", "truncated"),
    ("long", b"", "truncated"),
    ("boolean", b"", "truncated"),
    ("double", b"1234567", "truncated"),
    ("float", b"123", "truncated"),
    (FIXED, b"ab", "truncated"),
    (ENUM, varint(2), "invalid union or enum index"),
    (ENUM, varint(-1), "invalid union or enum index"),
    (["null", "string"], varint(2), "invalid union or enum index"),
    (["null", "string"], varint(-1), "invalid union or enum index"),
    ([], varint(0), "invalid union or enum index"),
    (NAMES, varint(200) + varint(1), "invalid union or enum index"),
    (NAMES, varint(-200) + varint(1), "invalid union or enum index"),
    (logical("string", "uuid"), varint(2) + b"zz", "value out of range"),
    (logical("long", "timestamp-millis"), varint(2**60), "value out of range"),
    (logical("long", "timestamp-micros"), varint(-(2**62)), "value out of range"),
    (logical("int", "date"), varint(-(2**40)), "value out of range"),
    (logical("int", "time-millis"), varint(86_400_000), "value out of range"),
    (DECIMAL, varint(3) + b"\x7f\xff\xff", "value out of range"),
    (FIXED_DECIMAL, b"\x7f" * 8, "value out of range"),
    ({"type": "array", "items": "string"}, varint(2**62) + varint(0) * 5, "truncated"),
    ({"type": "array", "items": FIXED}, varint(2**62) + b"abc" * 5, "truncated"),
    ({"type": "array", "items": record_of(FIXED, "null", name="S")}, varint(-(2**62)) + varint(1), "truncated"),
    ({"type": "array", "items": "float"}, varint(2**63 - 1) + struct.pack("<f", 1), "truncated"),
    ({"type": "map", "values": "null"}, varint(2**62) + varint(0) * 5, "truncated"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "payload", "reason"), DAMAGE)
def test_what_is_not_whole_and_sound_is_refused(make: Make, schema: Any, payload: bytes, reason: str) -> None:
    seen = outcome(make(hardened(record_of(schema))), payload)
    # One alone has no reasons: where it refuses, fastavro is asked. The generated function does not look for the end.
    assert "Undecodable" in seen or make is generate_reader
    if make not in FIRST.values():
        assert seen == f"Undecodable(reason={reason!r})"


@pytest.mark.parametrize(
    "varint_", [b"\xff" * 9 + b"\x02", b"\xff" * 12 + b"\x01", b"\x80" * 900_000 + b"\x01"]
)
def test_a_number_of_more_than_64_bits_is_refused_and_not_taken_for_another(
    make: Make, varint_: bytes
) -> None:
    reader = make(hardened({"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}))
    assert outcome(reader, varint_) == repr(Undecodable("value out of range"))
