"""What the bench asks of a receiver, whichever it is."""

from typing import Protocol, Self

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """From when a record was put on the topic to when it was acknowledged, by the receiver's clock."""

    records: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class Tally(msgspec.Struct, frozen=True):
    """What arrived since `expect`."""

    requests: int = 0
    """Acknowledged."""
    accepted: int = 0
    """Events in them, also those that came again."""
    bytes: int = 0
    """Of the requests' bodies; 0 where the receiver does not count them."""
    duplicates: int = 0
    missing: int = 0
    """Of the expected records; only in a report."""
    absent: list[int] = []
    """The numbers of the first of the missing."""
    disordered: int | None = None
    """Events that first arrived behind a later one of their user; None where the receiver cannot tell."""
    strange: int = 0
    """Events that are none of the expected."""
    refused: int = 0
    """Requests that were answered with an error for what they were."""
    overloaded: int = 0
    """Requests that were refused for want of capacity, or because the receiver was told to be down."""
    seconds: float = 0.0
    """From when a fifth of the expected had arrived to when four fifths had; only in a report."""
    timed: int = 0
    """Events that arrived in these seconds."""
    latency: Latency | None = None

    @property
    def arrived(self) -> int:
        """Different events."""
        return self.accepted - self.duplicates - self.strange


class Receiver(Protocol):
    """A server on loopback, from `with` to its end. Every call blocks for one request."""

    description: str
    base_url: str
    """The root of both APIs."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def expect(self, records: int, *, keep: bool = False) -> None:
        """Forget what arrived; from now on the records are those with numbers below this. `keep`: the bodies too."""

    def bodies(self) -> list[bytes]:
        """Those of all requests since then, if they were to be kept. Raises FaultError if it cannot."""

    def behave(self, *, latency_ms: float = 0.0, capacity: int = 0, queue: int = 0, status: int = 0) -> None:
        """From now on: how long a request takes; how many are served at a time (0: any), how many may wait for
        that, and the rest get 429; or an error status for everything. Raises FaultError if it cannot."""

    def counts(self) -> Tally:
        """The counts alone, as they stand."""

    def report(self, first: int = 0, last: int = 0) -> Tally:
        """Also what is missing and how long it took, and the latency of the records numbered first to last - 1."""
