"""Runs the sides in turns, so that a machine that slows down slows both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median

from bench.arrivals import Arrivals
from bench.child import run
from bench.setting import Setting
from bench.sides import Side
from bench.workload import Workload


@dataclass(frozen=True, slots=True)
class Run:
    """One side, once."""

    per_second: float
    """Records that arrived at the receiver, from the first to the last."""
    cpu_us: float
    """User and system time of all threads for a record that arrived, without what start and stop cost."""
    items: float
    """Records a request."""
    windowed: float
    """Withheld for their window: ours alone has windows."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """All runs of one workload.

    The ratios are medians of each round's own ratio, so that only neighbours in time are compared.
    """

    workload: Workload
    records: int
    runs: Mapping[str, Sequence[Run]]

    def medians(self, side: str) -> Run:
        """The median of each number of one side."""
        runs, names = self.runs[side], [field.name for field in fields(Run)]
        return Run(**{name: float(median(getattr(one, name) for one in runs)) for name in names})

    @property
    def speed_ratio(self) -> float:
        """Ours to bare, in records a second: above 1 is better than bare."""
        return self._ratio(lambda ours, bare: ours.per_second / bare.per_second)

    @property
    def cpu_ratio(self) -> float:
        """Bare to ours, in CPU a record: above 1 is better than bare."""
        return self._ratio(lambda ours, bare: bare.cpu_us / ours.cpu_us)

    def _ratio(self, of: Callable[[Run, Run], float]) -> float:
        return median(of(ours, bare) for ours, bare in zip(self.runs["ours"], self.runs["bare"], strict=True))


def run_rounds(
    workload: Workload,
    topic: str,
    records: int,
    sides: Sequence[Side],
    rounds: int,
    setting: Setting,
    tell: Callable[[str], None],
) -> Rounds:
    """Each round runs every side once, the first one changing. Raises FaultError if a side is incomplete."""
    idle = setting.broker.topic("idle")
    setting.broker.create(f"{idle}.dead-letters")
    idle_cpu_s: dict[str, float] = {}
    for side in sides:
        for _ in range(2):  # the first may have to compile modules, which no later run does
            idle_cpu_s[side.name] = run(side.command(workload, idle, 0, setting), lambda: None).cpu_s
        tell(f"{workload.name}: {side.name} starts and stops with {idle_cpu_s[side.name]:.2f} s of CPU")
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            one = _run_once(side, workload, topic, records, setting, idle_cpu_s[side.name])
            runs[side.name].append(one)
            tell(
                f"{workload.name}, round {number + 1} of {rounds}: {side.name} "
                f"{one.per_second:,.0f} records/s, {one.cpu_us:.1f} µs of CPU a record"
            )
    return Rounds(workload, records, runs)


def _run_once(
    side: Side, workload: Workload, topic: str, records: int, setting: Setting, idle_cpu_s: float
) -> Run:
    remote = setting.receiver.remote
    remote.reset()
    arrivals = Arrivals(remote, workload)
    cost = run(side.command(workload, topic, records, setting), arrivals.look)
    book = arrivals.book()
    windowed = side.check(cost.output, book, records, workload)
    span = arrivals.span()
    return Run(
        per_second=span.records / span.seconds,
        cpu_us=(cost.cpu_s - idle_cpu_s) / book.accepted * 1e6,
        items=book.accepted / book.requests,
        windowed=windowed,
    )
