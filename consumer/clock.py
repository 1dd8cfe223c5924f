"""Time, handed in: nothing that decides reads a clock by itself."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that never jumps, for durations and leases; one of the calendar, for what people read."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start, the same for every process of this boot; never goes back."""
        ...

    def wall_s(self) -> float:
        """Seconds since 1970 UTC; may jump."""
        ...


class SystemClock:
    """The machine's clocks."""

    monotonic_s = staticmethod(time.monotonic)
    wall_s = staticmethod(time.time)


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, monotonic_s: float = 1_000.0, wall_s: float = 1_800_000_000.0) -> None:
        self._monotonic_s = monotonic_s
        self._wall_s = wall_s

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def wall_s(self) -> float:
        return self._wall_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_s += seconds
        self._wall_s += seconds

    def set_wall(self, wall_s: float) -> None:
        """Move the calendar alone, as an operator or NTP does."""
        self._wall_s = wall_s
