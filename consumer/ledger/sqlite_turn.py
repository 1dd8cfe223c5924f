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

_MOST_WAIT_S = 0.25
"""Many times what a turn lasts: who has it for longer is stopped, or its disk is."""

_WITHOUT_S = 5.0
"""How long nobody is waited for then: a turn that is held for good would cost each transaction the whole wait."""

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
        self._without_until_s = 0.0

    def take(self) -> None:
        """Wait for the turn, unless it is still ours, but not for long: its holder may be stopped."""
        now_s = time.monotonic()
        if now_s < self._until_s:
            return
        if self._file is None:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file is None:
            return
        deadline_s = now_s if now_s < self._without_until_s else now_s + _MOST_WAIT_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._held = True
                self._without_until_s = 0.0
                return
            except BlockingIOError:
                now_s = time.monotonic()
                if now_s >= deadline_s:
                    self._without_until_s = max(self._without_until_s, now_s + _WITHOUT_S)
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
