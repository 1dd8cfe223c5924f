"""What is told at the end: a table for people, JSON for everything else."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.latency import Paced
from bench.reader import described
from bench.rounds import Rounds, Run
from consumer import __version__


@dataclass(frozen=True, slots=True)
class Result:
    """One workload: the rounds, and what else was measured of the first side."""

    rounds: Rounds
    stages: Mapping[str, float] | None = None
    paced: Paced | None = None

    def as_json(self) -> dict[str, Any]:
        rounds = self.rounds
        first, *others = rounds.runs
        return {
            "records": rounds.records,
            "in_flight": rounds.workload.in_flight,
            "latency_ms": rounds.workload.latency_ms,
            "sides": {
                side: {
                    **asdict(rounds.medians(side)),
                    "spread_per_second": rounds.spread(side),
                    "most_duplicates": rounds.repeats(side),
                    "runs": [asdict(one) for one in runs],
                }
                for side, runs in rounds.runs.items()
            },
            "failed": dict(rounds.failed),
            "ratios": {
                f"{first}/{side}": {
                    "per_second": round(rounds.speed_ratio(first, side), 3),
                    "cpu_us": round(rounds.cpu_ratio(first, side), 3),
                }
                for side in others
            },
            "stages_cpu_us": None if self.stages is None else dict(self.stages),
            "paced": None if self.paced is None else self.paced.as_json(),
        }


def as_json(results: Sequence[Result], receiver: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """All that was measured, and on what; `about` is what this bench alone has to say."""
    return {
        "version": __version__,
        "machine": machine(),
        "receiver": receiver,
        **about,
        "workloads": {one.rounds.workload.name: one.as_json() for one in results},
    }


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was in the last quarter of an hour."""
    return {
        "cores": os.cpu_count(),
        "model": _model(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "python": platform.python_version(),
        "avro_reader": described(),
        "load_average": [round(one, 2) for one in os.getloadavg()],
    }


def print_tables(results: Sequence[Result], receiver: str, console: Console) -> None:
    """The comparison, where the time goes, how long a record takes, and on what it was measured."""
    for result in results:
        console.print(_comparison(result.rounds))
        for side, why in result.rounds.failed.items():
            console.print(f"  {side} not run: {why}", highlight=False, soft_wrap=True)
        if result.stages is not None:
            console.print(_stages(result, result.stages))
    paced = [result for result in results if result.paced is not None]
    if paced:
        console.print(_latencies(paced))
    on = machine()
    console.print(
        f"{on['cores']} cores, {on['model']}, {on['system']}, Python {on['python']}; load {on['load_average']}; "
        f"receiver: {receiver}; Avro reader: {on['avro_reader']}",
        highlight=False,
        soft_wrap=True,
    )


def _comparison(rounds: Rounds) -> Table:
    workload = rounds.workload
    far = f" at {workload.latency_ms:g} ms" if workload.latency_ms else ""
    table = Table(
        title=f"{workload.name}{far}: {rounds.records:,} records, up to {workload.items} a request, "
        f"{workload.in_flight} in flight",
        title_justify="left",
    )
    first, *_ = rounds.runs
    table.add_column("side", no_wrap=True)
    for column in (
        "records/s",
        "spread",
        f"{first}:it",
        "CPU µs",
        f"{first}:it",
        "MB",
        "a request",
        "bytes",
        "again",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("user's order", no_wrap=True)
    for side in rounds.runs:
        run, (least, most) = rounds.medians(side), rounds.spread(side)
        same = side == first
        table.add_row(
            side, f"{run.per_second:,.0f}", f"±{(most - least) / 2 / run.per_second:.0%}",
            "" if same else f"{rounds.speed_ratio(first, side):.2f}",
            f"{run.cpu_us:.1f}", "" if same else f"{rounds.cpu_ratio(first, side):.2f}",
            f"{run.peak_mb:.0f}", f"{run.items:.0f}", f"{run.bytes:.0f}",
            f"{rounds.repeats(side):,.0f}", _order(run),
        )  # fmt: skip
    return table


def _order(run: Run) -> str:
    if run.disordered < 0:
        return "not checked"
    return f"broken {run.disordered:,.0f} times" if run.disordered else "kept"


def _stages(result: Result, stages: Mapping[str, float]) -> Table:
    total = result.rounds.medians("ours").cpu_us
    table = Table(title=f"Where a record's CPU goes: {result.rounds.workload.name}", title_justify="left")
    table.add_column("stage, alone")
    table.add_column("µs a record", justify="right")
    table.add_column("of a run", justify="right")
    rest = total - sum(stages.values())
    for stage, us in (*stages.items(), ("together: loop, tasks, threads", rest), ("a run", total)):
        table.add_row(stage, f"{us:.1f}", f"{us / total:.0%}")
    return table


def _latencies(results: Sequence[Result]) -> Table:
    table = Table(
        title="From produced to acknowledged, at half of the peak rate, in ms", title_justify="left"
    )
    for column in ("", "records/s", "records", "p50", "p90", "p99", "most"):
        table.add_column(column, justify="left" if not column else "right")
    for result in results:
        paced = result.paced
        assert paced is not None
        one = paced.latency
        table.add_row(
            result.rounds.workload.name, f"{paced.per_second:,.0f}", f"{one.records:,}",
            f"{one.p50_ms:.1f}", f"{one.p90_ms:.1f}", f"{one.p99_ms:.1f}", f"{one.max_ms:.1f}",
        )  # fmt: skip
    return table


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
