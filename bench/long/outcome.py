"""What a row came to: its numbers, and which of its targets they reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.long.delivery import Delivery
from bench.report import machine
from consumer import __version__

MB = 1_000_000
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """One bound, and what was measured against it."""

    what: str
    value: float
    bound: float
    at_least: bool = True
    """False: it is the most that may be."""

    @property
    def reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        word = "reached" if self.reached else "MISSED"
        return f"{word}: {self.what}: {self.value:,.4g} ({'≥' if self.at_least else '≤'} {self.bound:,g})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row."""

    row: str
    cases: Mapping[str, Numbers]
    """By case, numbers by name; a name ends with its unit."""
    targets: Sequence[Target]


def numbers_of(one: Delivery) -> Numbers:
    """As they stand in a table."""
    return {
        "records_per_second": round(one.per_second),
        "cpu_us_a_record": round(one.cpu_us, 1),
        "peak_mb_a_process": round(one.peak_bytes / MB),
        "longest_gap_ms": round(one.longest_gap_ms),
        "withheld": one.withheld,
    }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All that was measured, and on what."""
    return {
        "version": __version__,
        "machine": machine(),
        "rows": {
            one.row: {
                "cases": {case: dict(numbers) for case, numbers in one.cases.items()},
                "targets": [
                    {
                        "what": target.what,
                        "value": round(target.value, 4),
                        "bound": target.bound,
                        "at_least": target.at_least,
                        "reached": target.reached,
                    }
                    for target in one.targets
                ],
            }
            for one in outcomes
        },
    }


def print_tables(outcomes: Sequence[Outcome], console: Console) -> None:
    """A table for each row, and its targets beneath."""
    for one in outcomes:
        columns = list(dict.fromkeys(name for numbers in one.cases.values() for name in numbers))
        table = Table(title=one.row, title_justify="left")
        table.add_column("")
        for name in columns:
            table.add_column(name.replace("_", " "), justify="right")
        for case, numbers in one.cases.items():
            table.add_row(case, *(f"{numbers[name]:,g}" if name in numbers else "" for name in columns))
        console.print(table)
        for target in one.targets:
            console.print(f"  {target}", highlight=False, markup=False)
