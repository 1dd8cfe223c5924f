"""What a record may cost, as it was last written down, and what is beyond it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.guard.calls import Cost, measure

FILE = Path(__file__).parent / "budget.json"
WORKLOADS = ("arrays", "singles")
MARGIN = 0.05
"""A stage, and the memory a record holds, may be so much above what is written down."""
_SLACK = 0.2
"""And so many calls a record, as 5 % of a stage with hardly any are less than what one more call a chunk makes."""
_GAIN = 0.10
"""A workload that is so much below has to be written down: else a later change could lose that unseen."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
WRITE = "python -m tests.guard --write"


class Allowance(msgspec.Struct, frozen=True):
    """Of one workload, by record."""

    calls: dict[str, float]
    blocks: float


class Budget(msgspec.Struct, frozen=True):
    """Of all workloads, and the Python whose counts they are: another one inlines what this one calls."""

    python: str
    allowances: dict[str, Allowance]


def read() -> Budget:
    """What is written down."""
    return msgspec.json.decode(FILE.read_bytes(), type=Budget)


def write() -> None:
    """Measure, and write that down. Blocks for some seconds."""
    costs = {name: measure(name) for name in WORKLOADS}
    allowances = {
        name: Allowance(
            {stage: round(calls, 2) for stage, calls in cost.calls.items()}, round(cost.blocks, 2)
        )
        for name, cost in costs.items()
    }
    text = msgspec.json.format(msgspec.json.encode(Budget(PYTHON, allowances)), indent=2)
    FILE.write_bytes(text + b"\n")


def findings(workload: str, cost: Cost, budget: Budget) -> Iterator[str]:
    """A line for each stage that costs more than it may, or for all of it where it has become much cheaper."""
    allowed = budget.allowances[workload]
    for stage, calls in cost.calls.items():
        most = allowed.calls.get(stage, 0.0)
        if calls > most * (1 + MARGIN) + _SLACK:
            dearest = "; ".join(f"{number:.1f} {what}" for what, number in cost.dearest[stage][:3])
            yield (
                f"{workload}: {stage} makes {calls:.1f} calls a record, {calls - most:+.1f} on the {most:.1f} that are "
                f"written down (most are: {dearest}). Look with: python -m tests.guard {workload}"
            )
    if cost.blocks > allowed.blocks * (1 + MARGIN):
        yield (
            f"{workload}: a record that waits holds {cost.blocks:.1f} blocks of memory, "
            f"{cost.blocks - allowed.blocks:+.1f} on the {allowed.blocks:.1f} that are written down"
        )
    now, before = sum(cost.calls.values()), sum(allowed.calls.values())
    if now < before * (1 - _GAIN):
        yield f"{workload}: {now:.0f} calls a record instead of {before:.0f}: keep that, by {WRITE}"
