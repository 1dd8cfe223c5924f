"""Numbers and instants as Avro writes them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.avro.wire import (
    SMALL_LONGS,
    SMALL_SIZES,
    instant_from_micros,
    instant_from_millis,
    long_from,
    size_from,
)
from tests.unit.avro.avro_values import varint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(-(2**63), 2**63 - 1))
@example(2**63 - 1)
@example(-(2**63))
def test_a_long_is_read_as_it_was_written(number: int) -> None:
    raw = varint(number)
    assert long_from(b"--" + raw + b"\x80", 2) == (number, 2 + len(raw))


def test_a_single_byte_is_looked_up() -> None:
    assert all(varint(number) == bytes([byte]) for byte, number in enumerate(SMALL_LONGS))
    sizes = {byte: size for byte, size in enumerate(SMALL_SIZES) if size >= 0}
    assert sizes == {2 * size: size for size in range(64)}


@given(st.integers(0, 2**63 - 1))
@example(64)
@example(8191)
@example(8192)
def test_a_size_is_read_as_it_was_written(size: int) -> None:
    raw = varint(size) + b"\x00"
    assert size_from(raw, 0) == (size, len(raw) - 1)


@pytest.mark.parametrize("raw", [varint(-1), varint(-65), varint(-(2**63))])
def test_a_negative_size_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="size"):
        size_from(raw + b"\x00" * 5, 0)


@pytest.mark.parametrize(
    "raw", [b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01", b"\xff" * 1_000_000, b"\x80", b""]
)
def test_a_number_beyond_64_bits_or_the_end_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="varint"):
        long_from(raw, 0)


INSTANTS = st.datetimes(timezones=st.just(UTC))
LAST_NEAR = EPOCH + timedelta(seconds=2**32)  # where another way of reckoning begins


@given(INSTANTS)
@example(LAST_NEAR)
@example(LAST_NEAR - timedelta(milliseconds=1))
def test_an_instant_is_exact_to_the_millisecond(instant: datetime) -> None:
    millis = (instant - EPOCH) // timedelta(milliseconds=1)
    assert instant_from_millis(millis) == EPOCH + timedelta(milliseconds=millis)


@given(INSTANTS)
@example(LAST_NEAR)
@example(LAST_NEAR - timedelta(microseconds=1))
def test_an_instant_is_exact_to_the_microsecond(instant: datetime) -> None:
    assert instant_from_micros((instant - EPOCH) // timedelta(microseconds=1)) == instant
