"""What is cut off, or written as no writer does: those that read first say what fastavro says."""

from typing import Any

import pytest

from consumer.avro.compiled import fastavro_reader
from consumer.sandbox.generator import Plan, Stream, user_event_schema
from tests.contract.readers.conftest import WHOLE, Make, hardened, outcome
from tests.unit.avro.avro_values import record_of, varint

_STREAM = Stream(Plan(count=60, seed=3, schema_id=1, start_ms=1_770_000_000_000), user_event_schema())
EVENTS = [one.value[5:] for one in _STREAM if one.value is not None][:40]

whole = pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)


def overlong(number: int, size: int) -> bytes:
    """A varint of so many bytes, more than it needs."""
    raw = varint(number)
    return bytes(byte | 0x80 for byte in raw) + b"\x80" * (size - len(raw) - 1) + b"\0"


@whole
def test_an_event_that_is_cut_off_anywhere_gets_fastavros_verdict(whole: Make) -> None:
    schema = hardened(user_event_schema())
    read, fastavro = whole(schema), fastavro_reader(schema)
    for event in EVENTS:
        for size in range(len(event) + 1):
            assert outcome(read, event[:size]) == outcome(fastavro, event[:size])


@whole
@pytest.mark.parametrize("size", [2, 3, 9, 10, 11, 12])
@pytest.mark.parametrize(
    ("schema", "number", "rest"),
    [
        (["null", "string"], 1, varint(1) + b"a"),
        (["null", *[record_of("int", name=f"N{index}") for index in range(40)]], 30, varint(5)),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, 1, b""),
        ({"type": "array", "items": "int"}, 2, varint(1) + varint(2) + varint(0)),
        ({"type": "map", "values": "int"}, 1, varint(1) + b"k" + varint(2) + varint(0)),
        ("bytes", 1, b"a"),
        ({"type": "long", "logicalType": "timestamp-millis"}, 60, b""),
    ],
)
def test_a_number_in_more_bytes_than_it_needs_is_read_or_refused_as_fastavro_does(
    whole: Make, schema: Any, number: int, rest: bytes, size: int
) -> None:
    reader = hardened(record_of(schema))
    data = overlong(number, size) + rest
    assert outcome(whole(reader), data) == outcome(fastavro_reader(reader), data)


@whole
@pytest.mark.parametrize("number", [-1, -2, -(2**31), -(2**63), 2**31, 2**32, 2**63 - 1])
@pytest.mark.parametrize(
    "schema",
    [
        ["null", "string"],
        ["null", *[record_of("int", name=f"N{index}") for index in range(40)]],
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        {"type": "array", "items": "int"},
        {"type": "map", "values": "int"},
        "bytes",
        "string",
    ],
)
def test_an_index_a_count_or_a_size_out_of_all_range_gets_fastavros_verdict(
    whole: Make, schema: Any, number: int
) -> None:
    reader = hardened(record_of(schema))
    data = varint(number) + varint(1) * 40
    seen = outcome(whole(reader), data)
    assert seen.startswith("Undecodable")
    assert seen == outcome(fastavro_reader(reader), data)
