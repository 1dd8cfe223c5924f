"""The books: what came in, and what became of it. A difference is an alarm."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class DestinationBooks:
    """One destination's deliveries. `in_flight` is counted where they stand, not computed from the others."""

    matched: int = 0
    delivered: int = 0
    suppressed: int = 0
    windowed: int = 0
    dropped: int = 0
    dead_lettered: int = 0
    in_flight: int = 0
    abandoned: int = 0
    in_doubt: int = 0
    retries: int = 0

    @property
    def difference(self) -> int:
        """matched minus all that became of it: zero, or a delivery was lost or counted twice."""
        ended = self.delivered + self.suppressed + self.windowed + self.dropped + self.dead_lettered
        return self.matched - ended - self.in_flight - self.abandoned


@dataclass(slots=True)
class Books:
    """One process's books. Records at the top, deliveries in each destination."""

    consumed: int = 0
    settled: int = 0
    in_flight: int = 0
    abandoned: int = 0
    undecodable: int = 0
    unrouted: int = 0
    tombstones: int = 0
    destinations: dict[str, DestinationBooks] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        """consumed minus what became of it."""
        return self.consumed - self.settled - self.in_flight - self.abandoned

    @property
    def balanced(self) -> bool:
        """Whether the records' and every destination's books are even."""
        return self.difference == 0 and all(one.difference == 0 for one in self.destinations.values())

    def as_json(self, seconds: float) -> dict[str, Any]:
        """The books in the words that every command shares."""
        out = asdict(self)
        destinations = out.pop("destinations")
        rate = round(self.consumed / seconds, 1) if seconds > 0 else 0.0
        return {
            **out,
            "seconds": round(seconds, 3),
            "records_per_second": rate,
            "balanced": self.balanced,
            "destinations": destinations,
        }
