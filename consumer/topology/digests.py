"""The ledger's names of events and windows: digests, since the ledger must hold no personal data.

Their input is a format: another one would make every event a new one. Each part but the last is preceded by
its length in four bytes, big-endian, so that no two lists of parts run together into the same bytes.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

_SIZE_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TEXTUAL = frozenset({int, bool, float, UUID, Decimal, date, time_of_day})

_UUID7 = re.compile(
    rb"([0-9a-fA-F]{8})-([0-9a-fA-F]{4})-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
_UUID_BYTES = 36
_VERSION_AT, _VERSION_7 = 14, ord("7")
_TIME_BYTES = 6
_MOST_RISING = (1 << 8 * _TIME_BYTES) - 1

PERIOD_MS = 1 << 14
"""Keys whose ids were made in the same one lie together."""

Digest = Callable[[bytes], bytes]
"""From the part that differs from record to record, to 16 bytes."""


def digest_of(purpose: str, parts: Iterable[str]) -> Digest:
    """A digest with its first parts computed once. `purpose` keeps equal parts of different uses apart."""
    copy = blake2b(beginning(parts), digest_size=_SIZE_BYTES, person=purpose.encode()).copy

    def digest(last: bytes) -> bytes:
        state = copy()
        state.update(last)
        return state.digest()

    return digest


def key_digest_of(parts: Iterable[str]) -> Digest:
    """A digest for keys. That of an id that tells when it was made (a UUID of version 7, RFC 9562) begins with that
    time, so that what comes together lies together in the ledger: at random each key changes a page of its own there.
    """
    digest = digest_of("key", parts)

    def key(last: bytes) -> bytes:
        found = digest(last)
        if len(last) == _UUID_BYTES and last[_VERSION_AT] == _VERSION_7 and (told := _UUID7.fullmatch(last)):
            return beginning_with(int(told[1] + told[2], 16), found)
        return found

    return key


def beginning_with(rising: int, digest: bytes) -> bytes:
    """A digest of what has a number that rises with time, in milliseconds or otherwise: it begins with that."""
    return placed(rising & _MOST_RISING) + digest[_TIME_BYTES:]


def placed(rising: int) -> bytes:
    """A number of 48 bits as six bytes, its bits 14 to 25 first. Of milliseconds these are 16 s each and all different
    within 19 hours, so that whoever walks through keys by their first 12 bits finds as many of them everywhere."""
    first, middle, last = rising >> 14 & 0xFFF, rising >> 26, rising & 0x3FFF
    return (first << 36 | middle << 14 | last).to_bytes(_TIME_BYTES, "big")


def beginning(parts: Iterable[str]) -> bytes:
    """What a digest begins with."""
    return b"".join(framed(part.encode()) for part in parts)


def framed(part: bytes) -> bytes:
    """A part with its length before it."""
    return len(part).to_bytes(4, "big") + part


def text_bytes(text: str) -> bytes:
    """UTF-8, also of text that is not valid Unicode."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def bytes_of(value: Any) -> bytes | None:
    """A scalar as bytes that two equal ones share; None for what is no scalar."""
    kind = value.__class__
    if kind is str:
        return text_bytes(value)
    if kind is bytes:
        return value  # type: ignore[no-any-return]
    if kind is datetime:
        return str(at_ms(value)).encode()
    return str(value).encode() if kind in _TEXTUAL else None


def at_ms(value: Any) -> int | None:
    """Milliseconds since 1970 of a timestamp (without a zone: UTC), of milliseconds, or of ISO 8601 text."""
    if value.__class__ is datetime:
        time: datetime = value
    elif value.__class__ is str:
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return None
    else:
        return value if value.__class__ is int else None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MILLISECOND
