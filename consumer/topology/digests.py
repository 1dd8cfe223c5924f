"""The ledger's names of events and windows: digests, since the ledger must hold no personal data.

Their input is a format: another one would make every event a new one. Each part but the last is preceded by
its length in four bytes, big-endian, so that no two lists of parts run together into the same bytes.
"""

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
