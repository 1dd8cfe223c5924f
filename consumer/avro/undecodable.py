"""Why a value can't be decoded, in short stable texts: they are metric labels and dead-letter headers."""

import struct

import msgspec

WRONG_MAGIC = "wrong magic byte"
WRONG_HEADER = "wrong schema id header"
UNREADABLE_HEADERS = "header name is not utf-8"
UNKNOWN_ID = "unknown schema id"
TRUNCATED = "truncated"
TRAILING = "trailing bytes"
TOO_LARGE = "too large"
TOO_HEAVY = "takes too much memory"
INVALID_UTF8 = "invalid utf-8"
INVALID_INDEX = "invalid union or enum index"
OUT_OF_RANGE = "value out of range"
INVALID_DATA = "invalid data"
NOT_A_RECORD = "not a record"
REFUSED_SCHEMA = "refused schema: "
CRASHED = "crashed the process"
HELD_UP = "held up the process"


class Undecodable(msgspec.Struct, frozen=True):
    """A value that can't be decoded. `reason` is one of a few stable texts, without any data."""

    reason: str


def undecodable(error: Exception) -> Undecodable:
    """What an exception of fastavro's means. Its text is not used: it can quote the data."""
    for kinds, verdict in _VERDICTS:
        if isinstance(error, kinds):
            return verdict
    return Undecodable(INVALID_DATA)


# The first that fits: UnicodeDecodeError is a ValueError, and IndexError (a varint that breaks off) is a
# LookupError, as is the KeyError of an index that the hardened schema doesn't have.
_VERDICTS: tuple[tuple[tuple[type[Exception], ...], Undecodable], ...] = (
    ((EOFError, IndexError, struct.error), Undecodable(TRUNCATED)),
    ((UnicodeDecodeError,), Undecodable(INVALID_UTF8)),
    ((KeyError,), Undecodable(INVALID_INDEX)),
    ((ValueError, ArithmeticError), Undecodable(OUT_OF_RANGE)),
    ((MemoryError,), Undecodable(TOO_LARGE)),
)
