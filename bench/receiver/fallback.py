"""The simulator in the receiver's place: stricter and slower, it shares the machine with what is measured."""

import time
from typing import Self

from bench.receiver.face import Tally
from bench.workload import CLIENT_KEY, DISTINCT_KEY
from consumer.errors import FaultError
from consumer.sandbox.simulator import Outage, SimulatorConfig, SimulatorProcess

_STEADY_FROM, _STEADY_TO = 0.2, 0.8
"""As the fast receiver has it."""


class SlowReceiver:
    """Times are as exact as the calls of `counts` are dense; neither order nor latency is known."""

    description = "the simulator: some 100 µs of CPU a request beside what is measured, and no check of order"

    def __init__(self) -> None:
        self._process = SimulatorProcess(
            SimulatorConfig(distinct_api_key=DISTINCT_KEY, client_api_key=CLIENT_KEY, keep_items=False)
        )
        self._samples: list[tuple[float, int]] = []
        self._expected = 0
        self.base_url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self.base_url = self._process.base_url
        return self

    def __exit__(self, *error: object) -> None:
        self._process.stop()

    def expect(self, records: int, *, keep: bool = False) -> None:
        """As `Receiver` has it; every method is."""
        self._process.remote.reset()
        self._samples, self._expected = [], records

    def bodies(self) -> list[bytes]:
        raise FaultError("only the fast receiver keeps bodies: install Go")

    def behave(self, *, latency_ms: float = 0.0, capacity: int = 0, queue: int = 0, status: int = 0) -> None:
        if latency_ms or capacity or queue:
            raise FaultError("a slow or full receiver needs the fast one: install Go")
        if status:
            down = Outage(status=status)
            self._process.remote.declare({"client_api": down, "user_analytics": down})
        else:
            self._process.remote.declare({})

    def counts(self) -> Tally:
        report = self._process.remote.report()
        books = (report.client_api, report.user_analytics)
        tally = Tally(
            requests=sum(one.requests for one in books),
            accepted=sum(one.accepted for one in books),
            duplicates=sum(one.duplicates for one in books),
            refused=sum(one.refused + sum(one.harmed.values()) for one in books),
        )
        self._samples.append((time.monotonic(), tally.arrived))
        return tally

    def report(self, first: int = 0, last: int = 0) -> Tally:
        tally = self.counts()
        total = tally.arrived
        begun, ended = (self._sample_of(share * self._expected) for share in (_STEADY_FROM, _STEADY_TO))
        return Tally(
            requests=tally.requests,
            accepted=tally.accepted,
            duplicates=tally.duplicates,
            refused=tally.refused,
            missing=self._expected - total,
            seconds=ended[0] - begun[0],
            timed=ended[1] - begun[1],
        )

    def _sample_of(self, arrived: float) -> tuple[float, int]:
        """The first with so many; without one, when nothing has begun."""
        return next((sample for sample in self._samples if sample[1] >= arrived), (0.0, 0))
