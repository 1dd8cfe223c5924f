"""Many ends of waits on one timer: a timer for each would cost more than all the rest of the wait."""

import asyncio
from collections.abc import Callable, Hashable
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Deadlines(Generic[T]):
    """Calls `on_due` with each that is not cleared or set again before its time."""

    def __init__(self, on_due: Callable[[T], None]) -> None:
        self._on_due = on_due
        self._at_s: dict[T, float] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at_s = inf

    def set(self, one: T, at_s: float) -> None:
        """By the loop's time. Takes the place of what was set before."""
        self._at_s[one] = at_s
        if at_s < self._looks_at_s:
            self._look_at(at_s)

    def clear(self, one: T) -> None:
        """It is not due any more."""
        self._at_s.pop(one, None)

    def close(self) -> None:
        """Nothing is due any more."""
        self._at_s.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _look_at(self, at_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at_s = at_s
        self._timer = self._loop.call_at(at_s, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at_s = None, inf
        now_s = self._loop.time()
        for one in [one for one, at_s in self._at_s.items() if at_s <= now_s]:
            if self._at_s.pop(one, None) is not None:
                self._on_due(one)
        if self._at_s:
            self._look_at(min(self._at_s.values()))
