"""What a process held in memory over time, and whether that was flat."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.report import machine
from consumer import __version__

MIB = 1024 * 1024
FLAT = 1.15
"""Resident memory at the end of the outage may be so many times what it was at its beginning."""
_LINES = 12
"""Of each phase, in the table; JSON has them all."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the process."""

    at_s: float
    phase: str
    resident_bytes: int
    pending_records: int
    pending_bytes: int
    settled: int


@dataclass(frozen=True, slots=True)
class Memory:
    """All samples beside one backlog."""

    records: int
    samples: Sequence[Sample]

    def of(self, phase: str) -> list[Sample]:
        """Those of one phase."""
        return [one for one in self.samples if one.phase == phase]

    @property
    def flatness(self) -> float:
        """Memory in the last fifth of the outage over that in its first, by their medians: 1 is flat."""
        held = [one.resident_bytes for one in self.of("endpoint down")]
        fifth = max(1, len(held) // 5)
        return median(held[-fifth:]) / median(held[:fifth])

    @property
    def peak_bytes(self) -> int:
        """At any time."""
        return max(one.resident_bytes for one in self.samples)

    @property
    def passed(self) -> bool:
        """Whether it was flat."""
        return self.flatness <= FLAT


def as_json(memory: Memory) -> dict[str, Any]:
    """All that was measured, and on what."""
    return {
        "version": __version__,
        "machine": machine(),
        "records": memory.records,
        "flatness": round(memory.flatness, 3),
        "flat_up_to": FLAT,
        "peak_bytes": memory.peak_bytes,
        "passed": memory.passed,
        "samples": [asdict(one) for one in memory.samples],
    }


def print_table(memory: Memory, console: Console) -> None:
    """Some samples of each phase, and the verdict."""
    table = Table(title=f"Memory beside a backlog of {memory.records:,} records", title_justify="left")
    for column in ("s", "phase", "resident MiB", "pending records", "pending MiB", "settled"):
        table.add_column(column, justify="left" if column == "phase" else "right")
    for phase in dict.fromkeys(one.phase for one in memory.samples):
        samples = memory.of(phase)
        for one in samples[:: max(1, len(samples) // _LINES)]:
            table.add_row(
                f"{one.at_s:.0f}", phase, f"{one.resident_bytes / MIB:.0f}", f"{one.pending_records:,}",
                f"{one.pending_bytes / MIB:.1f}", f"{one.settled:,}",
            )  # fmt: skip
    console.print(table)
    word = "flat" if memory.passed else "[red]not flat[/red]"
    console.print(
        f"{word}: {memory.flatness:.2f} times as much at the end of the outage as at its beginning "
        f"(bound {FLAT}); peak {memory.peak_bytes / MIB:.0f} MiB",
        highlight=False,
    )
