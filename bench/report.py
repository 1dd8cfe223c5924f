"""What is told at the end: a table for people, JSON for everything else."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.rounds import Rounds, Run
from consumer import __version__

FLOOR = 0.5
"""Ours must reach this share of the bare loop's records a second."""
TARGET = 0.9


@dataclass(frozen=True, slots=True)
class Result:
    """One workload: the rounds, and the stages where they were measured."""

    rounds: Rounds
    stages: Mapping[str, float] | None

    @property
    def passed(self) -> bool:
        """Whether the floor is reached."""
        return self.rounds.speed_ratio >= FLOOR

    def as_json(self) -> dict[str, Any]:
        rounds = self.rounds
        return {
            "records": rounds.records,
            "rounds": len(rounds.runs["ours"]),
            "ours": asdict(rounds.medians("ours")),
            "bare": asdict(rounds.medians("bare")),
            "speed_ratio": round(rounds.speed_ratio, 3),
            "cpu_ratio": round(rounds.cpu_ratio, 3),
            "passed": self.passed,
            "runs": {side: [asdict(one) for one in runs] for side, runs in rounds.runs.items()},
            "stages_cpu_us": None if self.stages is None else dict(self.stages),
        }


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """All that was measured, and on what."""
    return {
        "version": __version__,
        "machine": machine(),
        "floor": FLOOR,
        "workloads": {one.rounds.workload.name: one.as_json() for one in results},
    }


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


def print_tables(results: Sequence[Result], console: Console) -> None:
    """The comparison, then where the time goes."""
    console.print(_comparison(results))
    for result in results:
        if result.stages is not None:
            console.print(_stages(result, result.stages))
    for result in results:
        name, ratio = result.rounds.workload.name, result.rounds.speed_ratio
        word = "reaches" if result.passed else "[red]misses[/red]"
        console.print(
            f"{name}: {ratio:.2f} of the bare loop's speed, {word} the floor of {FLOOR} (target {TARGET})",
            highlight=False,
        )


def _comparison(results: Sequence[Result]) -> Table:
    table = Table(title="Medians; a ratio above 1 is better than the bare loop", title_justify="left")
    for column in (
        "",
        "records",
        "side",
        "records/s",
        "ratio",
        "CPU µs a record",
        "ratio",
        "records a request",
    ):
        table.add_column(column, justify="left" if column in ("", "side") else "right")
    for result in results:
        rounds = result.rounds
        ours, bare = rounds.medians("ours"), rounds.medians("bare")
        table.add_row(
            rounds.workload.name, f"{rounds.records:,}",
            *_cells("ours", ours, f"{rounds.speed_ratio:.2f}", f"{rounds.cpu_ratio:.2f}"),
        )  # fmt: skip
        table.add_row("", "", *_cells("bare", bare, "", ""))
    return table


def _cells(side: str, run: Run, speed: str, cpu: str) -> tuple[str, ...]:
    return side, f"{run.per_second:,.0f}", speed, f"{run.cpu_us:.1f}", cpu, f"{run.items:.0f}"


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
