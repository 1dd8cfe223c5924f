"""A time at which something was done to the consumers that explains duplicates."""

from dataclasses import dataclass

CONFIRMED_AFTER_MS = 5_000
"""How long an acceptance may take to its durable confirmation: an answer to read, a transaction to write."""
LATE_AFTER_MS = 1_000
"""How long after it a request that had left may still take effect."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Events first accepted, or accepted again, within these times may come twice."""

    name: str
    from_ms: int
    until_ms: int
    processes: int | None = 1
    """How many of them had what was on the wire disturbed; None where something else bounds it."""
    destination: str | None = None
    """Where it was confined to one."""

    def explains(self, destination: str, first_ms: int) -> bool:
        """Whether an event that was first accepted then may be accepted again."""
        return self.destination in (None, destination) and (
            self.from_ms - CONFIRMED_AFTER_MS <= first_ms <= self.until_ms + LATE_AFTER_MS
        )


def kill(at_ms: int) -> Disturbance:
    """A consumer was killed."""
    return Disturbance("a kill", at_ms, at_ms)
