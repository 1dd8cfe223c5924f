"""What the guarantees cost: the same pipeline with each of them taken away, and with all of them."""

import re
from collections.abc import Callable
from pathlib import Path

from bench.long.delivery import Case, new_ledger
from bench.long.outcome import Outcome, Target, numbers_of
from bench.long.rounds import Ground, take_turns
from bench.workload import Workload, write_topology

_LEAST = 0.75
"""All of them on, against none: they may cost a quarter."""
_MEMORY = "memory:"
_ONCE = re.compile(r"^ +once: .*\n", re.MULTILINE)
_TO = re.compile(r"^( +)(to: .*)\n", re.MULTILINE)


def guarantees(workload: Workload, records: int, rounds: int, ground: Ground) -> Outcome:
    """Blocks. One topic for all cases; a ledger of its own for each run."""
    setting = ground.setting
    topic = ground.topics.filled(workload, records)
    own = write_topology(workload, topic, setting.folder)
    free = without(own, windows=True, order=True)

    def case(name: str, topology: Path, *, durable: bool, ordered: bool = True) -> Callable[[], Case]:
        return lambda: Case(
            f"{workload.name}, {name}",
            workload,
            topic,
            records,
            new_ledger(setting) if durable else _MEMORY,
            topology,
            ordered=ordered,
        )

    cases = {
        "all on": case("all on", own, durable=True),
        "ledger in memory": case("ledger in memory", own, durable=False),
        "no windows": case("no windows", without(own, windows=True, order=False), durable=True),
        "no order": case("no order", without(own, windows=False, order=True), durable=True, ordered=False),
        "none": case("none", free, durable=False, ordered=False),
    }
    turns = take_turns(cases, rounds, ground)
    what = f"{workload.name}: records/s with all guarantees against none"
    return Outcome(
        f"guarantees, {workload.name}",
        {name: numbers_of(turns.middle(name)) for name in cases},
        [Target(what, turns.speed_ratio("all on", "none"), _LEAST)],
    )


def without(topology: Path, *, windows: bool, order: bool) -> Path:
    """The same topology with these taken away; gives its folder."""
    target = topology.with_name(f"{topology.name}-{'w' * windows}{'o' * order}")
    target.mkdir(exist_ok=True)
    for file in topology.glob("*.yaml"):
        text = file.read_text()
        if windows:
            text = _ONCE.sub("", text)
        if order:
            text = _TO.sub(r"\1\2\n\1ordering: none\n", text)
        (target / file.name).write_text(text)
    return target
