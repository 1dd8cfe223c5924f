"""Avro's binary encoding where it is not worth writing out: what generated readers call.

Whatever is not as it should be raises, of any type: the verdict on such a value is fastavro's (compiled.py).
"""

from datetime import UTC, datetime, timedelta
from struct import Struct

SMALL_LONGS = tuple((n >> 1) ^ -(n & 1) for n in range(128))
"""By a varint's only byte: the number."""

SMALL_SIZES = tuple(n >> 1 if n < 128 and n % 2 == 0 else -1 for n in range(256))
"""By a varint's first byte: the size, or -1 where more bytes follow and where it would be negative.

One look-up stands for three questions of every string.
"""

read_double = Struct("<d").unpack_from
read_float = Struct("<f").unpack_from

_MOST_VARINT_BYTES = 10


def long_from(b: bytes, i: int) -> tuple[int, int]:
    """The varint at `i` and where it ends. Raises ValueError where it goes on beyond 64 bits, or the data does not."""
    n, scale = 0, 1
    for byte in b[i : i + _MOST_VARINT_BYTES]:
        i += 1
        if byte < 128:
            n += byte * scale  # sums and products of integers are what Python is fastest at
            if n < 1 << 64:
                return (n >> 1) ^ -(n & 1), i
            break
        n += (byte - 128) * scale
        scale *= 128
    raise ValueError("no sound varint")


def size_from(b: bytes, i: int) -> tuple[int, int]:
    """As `long_from`, for a size of more than one byte. Raises ValueError for a negative one."""
    low, high = b[i], b[i + 1]
    if high < 128 and low > 127 and not low & 1:
        return (low - 128 + high * 128) >> 1, i + 2  # below 8 KiB: nearly every long string
    size, i = long_from(b, i)
    if size < 0:
        raise ValueError("the size is negative")
    return size, i


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEAR_S = 1 << 32
"""Until 2106. A float of so many seconds is less than half a microsecond off, and rounding mends that."""


def instant_from_millis(millis: int) -> datetime:
    """A timestamp-millis. Raises OverflowError beyond the year 9999."""
    if 0 <= millis < _NEAR_S * 1000:
        return datetime.fromtimestamp(millis / 1000, UTC)  # in half the time of the sum
    return _EPOCH + timedelta(milliseconds=millis)


def instant_from_micros(micros: int) -> datetime:
    """A timestamp-micros. Raises OverflowError beyond the year 9999."""
    if 0 <= micros < _NEAR_S * 1_000_000:
        return datetime.fromtimestamp(micros / 1_000_000, UTC)
    return _EPOCH + timedelta(microseconds=micros)
