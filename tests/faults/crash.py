"""The end of this process by SIGKILL, at one point, with what it had under way told first."""

import asyncio
import json
import os
import signal
import threading
import time

from tests.faults.crash_point import Point

_PATIENCE_S = 20.0
_LINGER_S = 0.3


class Crash:
    """Counts passings of one point and kills this process at the n-th.

    Before that, where the point allows it, nothing new goes out and what is out comes home: so that whatever is
    sent twice afterwards is the doing of this very point.
    """

    def __init__(self, point: Point, passing: int) -> None:
        self._point = point
        self._left = passing
        self._lock = threading.Lock()
        self._closing = False
        self.unconfirmed = 0
        """Items that are on the wire, or acknowledged and not confirmed yet."""
        self.letters = 0
        """Letters about deliveries that are with the producer, or written and not in the ledger yet."""

    async def here(
        self, point: Point, *, items: int = 0, letters: int = 0, quiet: bool = True, linger: bool = False
    ) -> None:
        """The event loop passes `point` with so much of its own under way.

        With `linger`, the end comes a moment later: what must wait for this step, and does not, happens meanwhile.
        """
        if self._is_it(point):
            if quiet:
                await asyncio.to_thread(self._quiet, items, letters)
            if linger:
                await asyncio.sleep(_LINGER_S)
            self._die(items)

    def here_in_a_thread(self, point: Point, *, quiet: bool = True, linger: bool = False) -> None:
        """As `here`, in a thread that the event loop does not wait for, or with `quiet` False in any."""
        if self._is_it(point):
            if quiet:
                self._quiet(0, 0)
            if linger:
                time.sleep(_LINGER_S)
            self._die(0)

    async def may_go_out(self) -> None:
        """Wait, for ever once the end has begun."""
        if self._closing:
            await asyncio.Event().wait()

    def _is_it(self, point: Point) -> bool:
        if point is not self._point:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0

    def _quiet(self, items: int, letters: int) -> None:
        self._closing = True
        until_s = time.monotonic() + _PATIENCE_S
        while (self.unconfirmed > items or self.letters > letters) and time.monotonic() < until_s:
            time.sleep(0.001)

    def _die(self, items: int) -> None:
        told = {
            "point": self._point,
            "at_ms": time.time_ns() // 1_000_000,
            "unconfirmed": self.unconfirmed,
            "items": items,
            "letters": self.letters,
        }
        os.write(1, json.dumps(told).encode() + b"\n")
        os.kill(os.getpid(), signal.SIGKILL)
