"""Deleting what has expired, a little at a time."""

import sqlite3
from secrets import randbelow

from consumer.ledger.owner import FORGET_MS
from consumer.ledger.policy import BUCKET_S, LedgerPolicy, horizon_s

_SLICES = 4096
_MOST_AT_ONCE = 8
"""A few more than come due from one tick to the next. Whoever calls meanwhile waits for all of them: with 50 million
keys that is some 6 ms each, where everything has expired."""


_MOST_KEYS = 25_000
"""In one step: twice what each slice has of 50 million. Ids that tell when they were made may all tell one time."""


class Sweep:
    """Walks through keys and scopes in slices of their first 12 bits, all of them in the time of one bucket; where a
    slice has too many keys, in several steps, and later than that.

    There is no index on age: it would cost every reserve and confirm more than this walk costs. Whoever
    reads passes over expired rows by itself, so that it does not matter when they are deleted. Expiry
    goes by when a row was written, on the calendar: the time of an event says nothing about when it comes
    again.
    """

    def __init__(self, policy: LedgerPolicy) -> None:
        self._policy = policy
        # Anywhere: a process that is restarted often must not begin with the same slices each time.
        self._slice = randbelow(_SLICES)
        self._from = b""
        """Where in the slice, if not at its beginning."""
        self._done_ms: float | None = None

    def owed(self, now_ms: int) -> int:
        """How many slices are due by now; each is one short transaction."""
        if self._done_ms is None:
            self._done_ms = now_ms
        slice_ms = BUCKET_S * 1000 / _SLICES
        owed = min(int((now_ms - self._done_ms) / slice_ms), _MOST_AT_ONCE)
        self._done_ms += owed * slice_ms
        return owed

    def step(self, connection: sqlite3.Connection, now_s: int) -> None:
        """Delete what has expired in the next slice, or in as much of it as may be walked through at once."""
        first, last = _bounds(self._slice)
        first = max(first, self._from)
        beyond = connection.execute(
            "SELECT slot FROM settled WHERE slot >= ? AND slot < ? ORDER BY slot LIMIT 1 OFFSET ?",
            (first, last, _MOST_KEYS),
        ).fetchone()
        if beyond is None:
            self._slice, self._from = (self._slice + 1) % _SLICES, b""
        else:
            self._from = last = beyond[0]
        connection.execute(
            "DELETE FROM settled WHERE slot >= ? AND slot < ? AND written_s < ?",
            (first, last, horizon_s(now_s, self._policy.key_keep_s)),
        )
        connection.execute(
            "DELETE FROM windows WHERE scope >= ? AND scope < ? AND expires_s <= ?", (first, last, now_s)
        )
        connection.execute(
            "DELETE FROM letters WHERE slot >= ? AND slot < ? AND written_s < ?",
            (first, last, horizon_s(now_s, self._policy.key_keep_s)),
        )

    def forget_owners(self, connection: sqlite3.Connection, boot: str, now_ms: int) -> None:
        """Delete owners that lapsed long ago, and what they had reserved; and what is as old by its age."""
        long_ago_ms = now_ms - FORGET_MS
        connection.execute("DELETE FROM owners WHERE boot <> ? OR until_ms < ?", (boot, long_ago_ms))
        connection.execute(
            "DELETE FROM reservations WHERE expires_ms < ? OR owner NOT IN (SELECT id FROM owners)",
            (long_ago_ms,),
        )


def _bounds(number: int) -> tuple[bytes, bytes]:
    first = (number << 4).to_bytes(2, "big")
    last = b"\xff" * 64 if number == _SLICES - 1 else ((number + 1) << 4).to_bytes(2, "big")
    return first, last
