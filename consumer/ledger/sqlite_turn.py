"""Whose turn it is to write: an advisory lock beside the ledger file that keeps several processes fair.

SQLite lets whoever comes first have its lock, and who waits looks again only now and then: a busy process
that writes one transaction after the other shuts the others out for seconds. Here who waits for SQLite's
lock holds the turn meanwhile, so that who has just written can't begin again before it. Only fairness
rests on this, nothing else: a turn that can't be had is done without.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

_LOOK_AGAIN_S = 0.0005

_TURN_S = 0.02
"""A turn is good for this long: SQLite forgets its pages whenever another process has written, so that
changing hands after each transaction would cost a third of the speed."""


class Turn:
    """The lock file `NAME-turn`. Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + "-turn")
        self._file: int | None = None
        self._held = False
        self._until_s = 0.0

    def take(self, timeout_s: float) -> None:
        """Wait for the turn, unless it is still ours, but no longer than this: its holder may be stopped."""
        if time.monotonic() < self._until_s:
            return
        if self._file is None:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file is None:
            return
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._held = True
                return
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    return
                time.sleep(_LOOK_AGAIN_S)
            except OSError:
                return

    def give(self) -> None:
        """We have SQLite's lock: the next one may wait for it."""
        now_s = time.monotonic()
        if now_s >= self._until_s:
            self._until_s = now_s + _TURN_S
        if self._file is not None and self._held:
            self._held = False
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock file; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
