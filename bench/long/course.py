"""What a receiver's capacity goes through: legs, each at one capacity or on its way to another."""

from collections.abc import Sequence
from dataclasses import dataclass

SERVICE_S = 0.04
"""What the receiver takes for a request: so long that this machine is never what limits the rate."""
_SPARE, _MORE = 1.1, 2_000
"""More records than can be served: the end of a topic, where partitions run dry one by one, is outside."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Some seconds of it."""

    name: str
    seconds: float
    begin: int
    """Requests served at a time, first."""
    end: int
    """And last: evenly from one to the other."""

    def capacity(self, since_s: float) -> int:
        """So long after its begin."""
        part = min(1.0, max(0.0, since_s / self.seconds))
        return round(self.begin + (self.end - self.begin) * part)


@dataclass(frozen=True, slots=True)
class Course:
    """Leg after leg, in one run of the consumer."""

    name: str
    refuses: bool
    """What is above the capacity gets 429; else it waits for its turn."""
    legs: Sequence[Leg]

    @property
    def records(self) -> int:
        """As many as are certain to last until its end."""
        served = sum(leg.seconds * (leg.begin + leg.end) / 2 / SERVICE_S for leg in self.legs)
        return int(served * _SPARE) + _MORE


def level(name: str, seconds: float, capacity: int) -> Leg:
    """A leg at one capacity."""
    return Leg(name, seconds, capacity, capacity)
