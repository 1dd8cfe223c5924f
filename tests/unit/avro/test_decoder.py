"""What becomes of a value, and of everything that only looks like one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.avro.decoder import Decoder
from consumer.avro.framing import HEADER, as_number_or_guid, guid_id, schema_id
from consumer.avro.policy import AvroPolicy
from consumer.avro.undecodable import Undecodable
from consumer.clock import ManualClock
from consumer.types import Headers
from tests.unit.avro.avro_values import EVENT, GUID, Shelf, framed, record, record_of, varint, written

DATUM = {
    "id": "e1",
    "at": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    "kind": "B",
    "email": "a@example.org",
    "price": Decimal("12.34"),
    "tags": ["x", "y"],
    "extra": {"n": 1},
    "payload": ("example.v1.Purchase", {"f0": 1.5, "f1": "A"}),
}


async def decoded(schema: Any, value: bytes, headers: Headers | None = None, **policy: Any) -> Any:
    decoder = Decoder(Shelf(schema), ManualClock(), AvroPolicy(**policy))
    records = [record(value, headers)]
    await decoder.load(decoder.missing(records))
    [datum] = decoder.decode(records)
    return datum


async def test_a_value_comes_out_as_it_was_written():
    assert await decoded(EVENT, framed(written(EVENT, DATUM))) == DATUM


async def test_a_chunk_keeps_its_order_and_one_bad_value_spoils_no_other():
    decoder = Decoder(Shelf(EVENT, record_of("int")), ManualClock())
    good, other = framed(written(EVENT, DATUM)), framed(varint(5), number=2)
    records = [record(good), record(b"\x07nonsense"), record(other), record(good[:-1]), record(good)]
    await decoder.load(decoder.missing(records))
    assert decoder.decode(records) == [
        DATUM,
        Undecodable("wrong magic byte"),
        {"f0": 5},
        Undecodable("truncated"),
        DATUM,
    ]


async def test_the_id_may_stand_in_a_header_and_then_the_value_is_all_payload():
    payload = written(EVENT, DATUM)
    headers: Headers = [("traceparent", b"00-1-2-01"), (HEADER, b"\x01" + GUID.bytes)]
    assert await decoded(EVENT, payload, headers) == DATUM


async def test_other_headers_leave_the_id_in_front_of_the_value():
    assert await decoded(EVENT, framed(written(EVENT, DATUM)), [("a", None), ("b", b"x")]) == DATUM


@pytest.mark.parametrize("raw", [b"", None, b"\x01short", b"\x02" + GUID.bytes, b"\x00\x00\x00\x00\x01\x01"])
async def test_a_malformed_id_header_is_not_ignored(raw):
    # The value would decode with the id in front of it; the producer said that it isn't there.
    verdict = await decoded(EVENT, framed(written(EVENT, DATUM)), [(HEADER, raw)])
    assert verdict == Undecodable("wrong schema id header")


STRING = record_of("string")
NULLABLE = record_of(["null", "string"])
ENUM = record_of({"type": "enum", "name": "E", "symbols": ["A", "B"]})
UUID_FIELD = record_of({"type": "string", "logicalType": "uuid"})
TIMESTAMP = record_of({"type": "long", "logicalType": "timestamp-millis"})
DATE = record_of({"type": "int", "logicalType": "date"})
DECIMAL = record_of({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2})
FIXED_DECIMAL = record_of(
    {"type": "fixed", "name": "F", "size": 8, "logicalType": "decimal", "precision": 4, "scale": 2}
)


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (STRING, b"", "truncated"),
        (STRING, b"\x00\x00\x00", "truncated"),
        (STRING, b"\x00\x00\x00\x00\x01", "truncated"),
        (STRING, b"{}", "wrong magic byte"),
        (STRING, b"\x01" + GUID.bytes + varint(0), "wrong magic byte"),
        (STRING, framed(varint(0), number=999), "unknown schema id"),
        (STRING, framed(varint(3) + b"ab"), "truncated"),
        (STRING, framed(varint(2**62) + b"ab"), "truncated"),
        (STRING, framed(varint(-3) + b"abc"), "truncated"),
        (STRING, framed(b"\x80"), "truncated"),
        (STRING, framed(varint(2) + b"ab" + b"\x00"), "trailing bytes"),
        (STRING, framed(varint(2) + b"\xff\xfe"), "invalid utf-8"),
        (STRING, framed(varint(3) + b"\xed\xa0\x80"), "invalid utf-8"),
        (NULLABLE, framed(varint(2) + varint(0)), "invalid union or enum index"),
        (NULLABLE, framed(varint(-1) + varint(0)), "invalid union or enum index"),
        (NULLABLE, framed(varint(-2)), "invalid union or enum index"),
        (NULLABLE, framed(varint(-(2**63))), "invalid union or enum index"),
        (ENUM, framed(varint(2)), "invalid union or enum index"),
        (ENUM, framed(varint(-1)), "invalid union or enum index"),
        (UUID_FIELD, framed(varint(2) + b"zz"), "value out of range"),
        (TIMESTAMP, framed(varint(2**60)), "value out of range"),
        (DATE, framed(varint(-(2**40))), "value out of range"),
        (DECIMAL, framed(varint(2) + (10_000).to_bytes(2, "big")), "value out of range"),
        (DECIMAL, framed(varint(400_000) + b"\x01" * 400_000), "value out of range"),
        (FIXED_DECIMAL, framed((10_000).to_bytes(8, "big")), "value out of range"),
        (record_of({"type": "array", "items": "int"}), framed(varint(2**62)), "truncated"),
        (record_of({"type": "map", "values": "null"}), framed(varint(2**62)), "truncated"),
    ],
)
async def test_what_is_not_a_whole_sound_value_is_undecodable_and_says_why(schema, value, reason):
    assert await decoded(schema, value) == Undecodable(reason)


async def test_a_decimal_keeps_every_digit_that_its_schema_has():
    assert await decoded(DECIMAL, framed(varint(2) + (9_999).to_bytes(2, "big"))) == {"f0": Decimal("99.99")}
    assert await decoded(FIXED_DECIMAL, framed((-9_999).to_bytes(8, "big", signed=True))) == {
        "f0": Decimal("-99.99")
    }
    digits = 40  # more than the default context of `decimal` keeps
    wide = record_of({"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": 1})
    unscaled = int("1234567890" * 4)
    raw = unscaled.to_bytes(18, "big")
    assert await decoded(wide, framed(varint(18) + raw)) == {"f0": Decimal(f"{unscaled // 10}.0")}


async def test_a_value_above_the_cap_is_undecodable_and_one_at_the_cap_is_not():
    value = framed(varint(100) + b"x" * 100)
    assert await decoded(STRING, value, max_value_bytes=len(value)) == {"f0": "x" * 100}
    assert await decoded(STRING, value, max_value_bytes=len(value) - 1) == Undecodable("too large")


async def test_only_records_are_decoded():
    assert await decoded("string", framed(varint(1) + b"a")) == Undecodable("not a record")
    assert await decoded(["null", EVENT], framed(varint(0))) == Undecodable("not a record")


async def test_a_refused_schema_makes_all_of_its_values_undecodable_and_is_asked_for_once():
    shelf = Shelf(record_of({"type": "array", "items": "null"}))
    decoder = Decoder(shelf, ManualClock())
    records = [record(framed(varint(2**40))), record(framed(b""))]
    await decoder.load(decoder.missing(records))
    assert decoder.decode(records) == [Undecodable("refused schema: array items without bytes")] * 2
    assert decoder.missing(records) == set()
    assert shelf.asked == [schema_id(1)]


async def test_missing_names_each_new_id_once_and_nothing_that_is_no_id():
    decoder = Decoder(Shelf(EVENT), ManualClock())
    records = [
        record(framed(b"a", 1)),
        record(framed(b"b", 1)),
        record(framed(b"c", 70_000)),
        record(b"x", [(HEADER, b"\x01" + GUID.bytes)]),
        record(b""),
        record(b"\x05\x00\x00\x00\x01"),
        record(b"x", [(HEADER, b"\x09")]),
    ]
    wanted = decoder.missing(records)
    assert {as_number_or_guid(raw) for raw in wanted} == {1, 70_000, GUID}
    await decoder.load(wanted)
    assert decoder.missing(records) == set()


async def test_an_unknown_id_is_asked_for_again_when_its_time_is_over_and_then_found():
    clock = ManualClock()
    shelf = Shelf()
    decoder = Decoder(shelf, clock, AvroPolicy(unknown_ttl_s=60))
    records = [record(framed(varint(1) + b"a"))]
    await decoder.load(decoder.missing(records))
    assert decoder.decode(records) == [Undecodable("unknown schema id")]
    clock.advance(59)
    assert decoder.missing(records) == set()
    shelf.known.update(Shelf(STRING).known)
    clock.advance(1)
    assert decoder.missing(records) == {schema_id(1)}
    await decoder.load([schema_id(1)])
    assert decoder.decode(records) == [{"f0": "a"}]


async def test_random_ids_do_not_fill_the_memory_and_the_latest_stay_known():
    decoder = Decoder(Shelf(STRING), ManualClock(), AvroPolicy(max_schemas=10))
    for first in range(100, 200, 5):
        records = [record(framed(b"", number)) for number in range(first, first + 5)]
        await decoder.load(decoder.missing(records))
        assert decoder.decode(records) == [Undecodable("unknown schema id")] * 5
    old_ones = [record(framed(b"", number)) for number in range(100, 200)]
    assert len(decoder.missing(old_ones)) == 90


async def test_decoding_what_was_never_loaded_is_an_error_and_not_a_verdict():
    decoder = Decoder(Shelf(EVENT), ManualClock())
    with pytest.raises(LookupError):
        decoder.decode([record(framed(b""))])


_READY: list[Decoder] = []


async def loaded_decoder() -> Decoder:
    if not _READY:
        decoder = Decoder(Shelf(EVENT), ManualClock())
        await decoder.load([schema_id(1), guid_id(GUID)])
        _READY.append(decoder)
    return _READY[0]


@given(st.binary(max_size=200))
async def test_random_bytes_never_raise(payload):
    decoder = await loaded_decoder()
    headers: Headers = [(HEADER, b"\x01" + GUID.bytes)]
    for datum in decoder.decode([record(framed(payload)), record(payload, headers)]):
        assert isinstance(datum, dict | Undecodable)


@given(st.integers(min_value=0), st.integers(0, 255))
async def test_one_damaged_byte_never_raises_and_never_costs_the_next_value(position, byte):
    decoder = await loaded_decoder()
    good = framed(written(EVENT, DATUM))
    place = 5 + position % (len(good) - 5)
    damaged = good[:place] + bytes([byte]) + good[place + 1 :]
    first, second = decoder.decode([record(damaged), record(good)])
    assert isinstance(first, dict | Undecodable)
    assert second == DATUM
