"""How long the ledger is away while it deletes what has expired: a call that comes just then waits for so long."""

import time
from contextlib import closing
from pathlib import Path

from consumer.clock import Clock
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_store import SqliteStore

_POLICY = LedgerPolicy(reservation_age_s=60.0)
_EVERY_S = _POLICY.lease_s / 3
"""As often as the ledger's thread ticks."""


class _Jumping(Clock):
    """From one tick of the ledger to the next at once, on a calendar that is ahead."""

    def __init__(self, later_s: float) -> None:
        self._now_s = time.monotonic()
        self._ahead_s = time.time() + later_s - self._now_s

    def jump(self) -> None:
        self._now_s += _EVERY_S

    def monotonic_s(self) -> float:
        return self._now_s

    def wall_s(self) -> float:
        return self._now_s + self._ahead_s


def pauses_ms(path: Path, ticks: int, later_s: float = 0.0) -> list[float]:
    """What each of so many ticks took, in milliseconds: a beat and all the slices that are due since the one before.

    720 of them go through the whole tree. Blocks.
    """
    clock = _Jumping(later_s)
    store = SqliteStore(SqliteFile(path, _POLICY), "pruning", _POLICY, clock)
    found = []
    with closing(store):
        store.open()
        store.tick()
        for _ in range(ticks):
            clock.jump()
            began_s = time.perf_counter()
            store.tick()
            found.append((time.perf_counter() - began_s) * 1000)
    return found
