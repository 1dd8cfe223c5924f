"""What some consecutive answers say of the limit that was in force."""

from math import sqrt

FULL = 0.9
"""Only where so much of the limit is in use does it decide anything, and only then is it judged."""


class Stretch:
    """The answers since a limit took effect, to requests that were sent under it."""

    __slots__ = ("answers", "full", "latency_s", "since_s", "squares")

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.answers = 0
        self.full = 0
        """How many of them came while the limit was in use."""
        self.latency_s = 0.0
        """All their latencies together."""
        self.squares = 0.0

    @property
    def was_full(self) -> bool:
        """Whether the limit was what decided."""
        return self.full >= self.answers * FULL

    def seen(self, limit: int) -> "Seen":
        """What they show; needs one answer at least."""
        mean_s = max(1e-6, self.latency_s / self.answers)
        variance = max(0.0, self.squares / self.answers - mean_s * mean_s)
        return Seen(limit / mean_s, sqrt(variance / self.answers) / mean_s, mean_s)


class Seen:
    """Throughput a second, which by Little's law is what was in flight over the latency; its standard error, as a part
    of it; and the mean latency."""

    __slots__ = ("doubt", "latency_s", "per_s")

    def __init__(self, per_s: float, doubt: float, latency_s: float) -> None:
        self.per_s = per_s
        self.doubt = doubt
        self.latency_s = latency_s
