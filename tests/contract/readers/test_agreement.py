"""Whatever the schema and whatever the data, sound or not: those that read first, and fastavro, see the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.avro.compiled import fastavro_reader
from tests.contract.readers.conftest import FIRST, WHOLE, Make, hardened, outcome
from tests.contract.readers.shapes import Draw, encoded, schemas
from tests.unit.avro.avro_values import varint

# Drawing a schema takes longer than reading with it.
thorough = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def damaged(draw: Draw, payload: bytes) -> bytes:
    """With a byte changed, the end cut off, bytes put in, or something after it: once or twice."""
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(payload)))
        match draw(st.sampled_from(("change", "cut", "insert", "append"))):
            case "change":
                payload = payload[:at] + bytes([draw(st.integers(0, 255))]) + payload[at + 1 :]
            case "cut":
                payload = payload[:at]
            case "insert":
                payload = payload[:at] + draw(_PIECES) + payload[at:]
            case "append":
                payload += draw(_PIECES)
    return payload


_PIECES = st.binary(min_size=1, max_size=4) | st.sampled_from(
    [
        varint(-(2**63)),
        varint(2**62),
        varint(-1),
        b"\x80\x00",  # a zero that takes two bytes
        b"\x82\x80\x80\x00",
        b"\xff" * 9 + b"\x02",  # 65 bits
        b"\x80" * 12 + b"\x01",
        b"\xed\xa0\x80",  # a lone surrogate
        b"\xc0\x80",
    ]
)


first_alone = pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
by_name = pytest.mark.parametrize("name", FIRST)


@first_alone
@thorough
@given(st.data(), schemas())
def test_sound_data_is_read_without_fastavro(first: Make, data: Any, drawn: Any) -> None:
    schema, named = drawn
    reader = hardened(schema)
    alone, fastavro = first(reader), fastavro_reader(reader)
    for _ in range(4):
        payload = encoded(data.draw, schema, named)
        expected = outcome(fastavro, payload)
        assert not expected.startswith("Undecodable")
        assert outcome(alone, payload) == expected
        assert outcome(alone, b"\x00id" + payload, 3) == expected


@by_name
@thorough
@given(st.data(), schemas())
def test_damaged_data_gets_the_same_datum_or_the_same_verdict(name: str, data: Any, drawn: Any) -> None:
    schema, named = drawn
    reader = hardened(schema)
    alone, both, fastavro = FIRST[name](reader), WHOLE[name](reader), fastavro_reader(reader)
    payload = encoded(data.draw, schema, named)
    for _ in range(8):
        bytes_ = damaged(data.draw, payload)
        expected = outcome(fastavro, bytes_)
        assert outcome(both, bytes_) == expected
        try:
            datum, end = alone(bytes_, 0)
        except Exception:
            continue  # refuses: the word is fastavro's
        assert end > len(bytes_) or (repr(datum), end) == (
            repr(fastavro(bytes_, 0)[0]),
            fastavro(bytes_, 0)[1],
        )


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
@thorough
@given(schemas(), st.lists(st.binary(max_size=60), min_size=8, max_size=8))
def test_any_bytes_get_the_same_datum_or_the_same_verdict(
    make: Make, drawn: Any, payloads: list[bytes]
) -> None:
    reader = hardened(drawn[0])
    both, fastavro = make(reader), fastavro_reader(reader)
    for payload in payloads:
        assert outcome(both, payload) == outcome(fastavro, payload)
