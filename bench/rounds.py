"""Runs the sides in turns, so that a machine that slows down slows all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from bench.child import run
from bench.receiver import Receiver
from bench.setting import Setting
from bench.sides import Side
from bench.workload import Workload
from consumer.errors import FaultError

_IDLE_S = 4.0
"""How long one that does not end by itself idles, to learn what its start and stop cost."""
_SHORTEST_S = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """One side, once."""

    per_second: float
    """Records that arrived at the receiver while the middle three fifths did, by the receiver's clock."""
    cpu_us: float
    """User and system time of all threads for a record that arrived, without what start and stop cost."""
    items: float
    """Records a request."""
    bytes: float
    """Of a record in a request's body: whoever sends less does less."""
    windowed: float
    """Withheld for their window: ours alone has windows."""
    disordered: float
    """Records that arrived behind a later one of their user; -1 where the receiver cannot tell."""
    duplicates: float
    """Arrivals of records that had arrived before."""
    peak_mb: float
    """The most memory that it held, in 10^6 bytes."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """All runs of one workload.

    A ratio is the median of each round's own, so that only neighbours in time are compared.
    """

    workload: Workload
    records: int
    runs: Mapping[str, Sequence[Run]]
    failed: Mapping[str, str]
    """Sides without runs, and why."""

    def medians(self, side: str) -> Run:
        """The median of each number of one side."""
        runs, names = self.runs[side], [field.name for field in fields(Run)]
        return Run(**{name: float(median(getattr(one, name) for one in runs)) for name in names})

    def speed_ratio(self, side: str, to: str) -> float:
        """The side's records a second by those of `to`: above 1 is better than it."""
        return self._ratio(side, to, lambda one, other: one.per_second / other.per_second)

    def cpu_ratio(self, side: str, to: str) -> float:
        """The side's CPU a record by that of `to`: below 1 is better than it."""
        return self._ratio(side, to, lambda one, other: one.cpu_us / other.cpu_us)

    def repeats(self, side: str) -> float:
        """The most records that came again in one run: a median would keep quiet about a single bad round."""
        return max(one.duplicates for one in self.runs[side])

    def spread(self, side: str) -> tuple[float, float]:
        """The least and the most records a second."""
        speeds = [one.per_second for one in self.runs[side]]
        return min(speeds), max(speeds)

    def _ratio(self, side: str, to: str, of: Callable[[Run, Run], float]) -> float:
        return median(of(one, other) for one, other in zip(self.runs[side], self.runs[to], strict=True))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, and how often."""

    workload: Workload
    records: int
    sides: Sequence[Side]
    rounds: int
    topic: Callable[[int], str]
    """Gives the topic with so many records."""
    required: frozenset[str]
    """Sides whose failure ends the bench; another one's is told in its place in the table."""


def run_rounds(plan: Plan, setting: Setting, tell: Callable[[str], None]) -> Rounds:
    """Each round runs every side once, in changing order. Raises FaultError if a required side is incomplete."""
    workload = plan.workload
    setting.receiver.behave(latency_ms=workload.latency_ms)
    turns = Turns(plan, setting, tell)
    for number in range(plan.rounds):
        turns.take(number)
    setting.receiver.behave()
    return Rounds(workload, plan.records, turns.runs, turns.failed)


class Turns:
    """The sides in turns, and what came of them."""

    def __init__(self, plan: Plan, setting: Setting, tell: Callable[[str], None]) -> None:
        self._plan, self._setting, self._tell = plan, setting, tell
        self._sizes = {one.name: one.records(plan.workload, plan.records) for one in plan.sides}
        self._sides = [side for side in plan.sides if self._sizes[side.name]]
        self._idle_cpu_s: dict[str, float] = {}
        self.runs: dict[str, list[Run]] = {side.name: [] for side in self._sides}
        self.failed: dict[str, str] = {}

    def take(self, number: int) -> None:
        """One round."""
        offset = number % max(1, len(self._sides))
        for side in [*self._sides[offset:], *self._sides[:offset]]:
            if side.name in self.failed:
                continue
            try:
                one = self._run_once(side)
            except FaultError as error:
                if side.name in self._plan.required:
                    raise
                self.failed[side.name] = str(error)
                self.runs.pop(side.name)
                self._tell(f"{self._plan.workload.name}: {side.name} does not count: {error}")
                continue
            self.runs[side.name].append(one)
            self._tell(
                f"{self._plan.workload.name}, round {number + 1} of {self._plan.rounds}: {side.name} "
                f"{one.per_second:,.0f} records/s, {one.cpu_us:.1f} µs of CPU a record"
            )

    def _idle(self, side: Side) -> float:
        """What starting and stopping costs, in seconds of CPU."""
        if side.name not in self._idle_cpu_s:
            workload, setting = self._plan.workload, self._setting
            idle = self._plan.topic(0)
            setting.receiver.expect(0)
            for _ in range(2):  # the first may have to compile modules, which no later run does
                command = side.command(workload, idle, 0, setting)
                until_s = time.monotonic() + _IDLE_S
                cost = run(command, lambda end_s=until_s: time.monotonic() > end_s)  # type: ignore[misc]
                self._idle_cpu_s[side.name] = cost.cpu_s
            spent_s = self._idle_cpu_s[side.name]
            self._tell(f"{workload.name}: {side.name} starts and stops with {spent_s:.2f} s of CPU")
        return self._idle_cpu_s[side.name]

    def _run_once(self, side: Side) -> Run:
        workload, setting, records = self._plan.workload, self._setting, self._sizes[side.name]
        idle_cpu_s = self._idle(side)
        topic = self._plan.topic(records)
        setting.receiver.expect(records)
        cost = run(side.command(workload, topic, records, setting), Complete(setting.receiver, records))
        tally = setting.receiver.report()
        windowed = side.check(cost.output, tally, records, workload)
        if tally.seconds < _SHORTEST_S:
            raise FaultError(f"{side.name}: all records arrived at once: measure with more of them")
        return Run(
            per_second=tally.timed / tally.seconds,
            cpu_us=(cost.cpu_s - idle_cpu_s) / tally.accepted * 1e6,
            items=tally.accepted / tally.requests,
            bytes=tally.bytes / tally.accepted,
            windowed=windowed,
            disordered=-1 if tally.disordered is None else tally.disordered,
            duplicates=tally.duplicates,
            peak_mb=cost.peak_bytes / 1e6,
        )


class Complete:
    """Whether all records arrived."""

    def __init__(self, receiver: Receiver, records: int) -> None:
        self._receiver, self._records = receiver, records

    def __call__(self) -> bool:
        return self._receiver.counts().arrived >= self._records
