"""How fast records arrive, seen from the receiver: neither side's own word counts."""

import time
from dataclasses import dataclass

from bench.workload import Workload
from consumer.errors import FaultError
from consumer.sandbox.simulator import BookReport, SimulatorRemote


@dataclass(frozen=True, slots=True)
class Span:
    """From the first sample with arrivals to the first with all of them."""

    records: int
    seconds: float


class Arrivals:
    """Samples the receiver's count while a side runs."""

    def __init__(self, remote: SimulatorRemote, workload: Workload) -> None:
        self._remote = remote
        self._workload = workload
        self._samples: list[tuple[float, int]] = []

    def look(self) -> None:
        """Take a sample: one request."""
        accepted = self.book().accepted
        self._samples.append((time.monotonic(), accepted))

    def book(self) -> BookReport:
        """The receiver's counts now."""
        report = self._remote.report()
        return report.client_api if self._workload.api == "client_api" else report.user_analytics

    def span(self) -> Span:
        """Without the joining of the group. Raises FaultError where it is too short to measure."""
        last = self._samples[-1][1]
        arrived = [(at_s, count) for at_s, count in self._samples if count]
        if not arrived:
            raise FaultError("nothing arrived at the receiver")
        (from_s, first), (to_s, _) = arrived[0], next(sample for sample in arrived if sample[1] == last)
        if to_s - from_s < 0.2:
            raise FaultError("all records arrived at once: measure with more of them (--arrays, --singles)")
        return Span(last - first, to_s - from_s)
