"""Event ids of the bench: each says which record it is, whose, the user's how many-th, and when it was made.

Digits of a UUID, so that they look to every client like the ids they have. `receiver/identity.go` reads them.
"""

import time
from collections.abc import Iterator

from consumer.sandbox.generator import Emission

_ID = slice(6, 42)
"""Where the id lies in a value: behind the registry's frame and its own length, as the first field."""
_LENGTH_AT = 5
_LENGTH = 36 << 1
_TIME = slice(31, 42)
_TIME_MASK = (1 << 44) - 1


class Identities:
    """Gives the ids of a topic's records in their order."""

    def __init__(self, started_ms: int | None = None) -> None:
        """`started_ms`: ids that tell when they were made (UUIDs of version 7), the first one at this time, and one a
        millisecond from there; they have no place for `stamped`. Without it of version 4."""
        self._started_ms = started_ms
        self._users: dict[bytes, int] = {}
        self._sequences: list[int] = []
        self._number = 0

    def next(self, key: bytes) -> bytes:
        """That of the next record, of the user with this key; its time is 0."""
        user = self._users.setdefault(key, len(self._users))
        if user == len(self._sequences):
            self._sequences.append(0)
        self._sequences[user] = sequence = self._sequences[user] + 1
        number, self._number = self._number, self._number + 1
        if self._started_ms is not None:
            told, made = f"{number:07x}{user:07x}{sequence:04x}", f"{self._started_ms + number:012x}"
            return f"{made[:8]}-{made[8:]}-7{told[:3]}-a{told[3:6]}-{told[6:]}".encode()
        who, nth = f"{user:07x}", f"{sequence:04x}"
        return f"{number:08x}-{who[:4]}-4{who[4:]}-a{nth[:3]}-{nth[3]}{0:011x}".encode()


def identified(emissions: Iterator[Emission]) -> Iterator[Emission]:
    """The same events with ids of the bench. Raises ValueError for a value that does not begin with an id."""
    identities = Identities()
    for one in emissions:
        value, key = one.value, one.key
        if key is None or value is None or value[_LENGTH_AT] != _LENGTH:
            raise ValueError(f"{one.kind} is no event with a key and an id of 36 characters")
        yield one._replace(value=value[: _ID.start] + identities.next(key) + value[_ID.stop :])


def stamped(value: bytes) -> bytes:
    """The value with the present time in its id, in microseconds."""
    now_us = time.time_ns() // 1000 & _TIME_MASK
    return value[: _TIME.start] + b"%011x" % now_us + value[_TIME.stop :]
