"""Growth: a ledger with millions of keys beside an empty one: rate, start-up, and what pruning holds up."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from bench.long.delivery import Case, new_ledger
from bench.long.outcome import Numbers, Outcome, Target, numbers_of
from bench.long.prefill import prefill
from bench.long.pruning import pauses_ms
from bench.long.rounds import Ground, take_turns
from bench.long.startup import ready_after_s
from bench.workload import ARRAYS

_AGE_S = 25 * 3600
"""A day and the hour by which keys outlive it: a ledger in the steady state."""
_PRUNED = {"pruned as each hour brings it": 0.0, "pruned after three days off": 3 * 24 * 3600.0}
"""How much later the calendar is then: in the end everything has expired."""
_LEAST_RATE = 0.8
_MOST_START_S = 2.0
_MOST_PAUSE_MS = 100.0


def growth(
    keys: int, records: int, rounds: int, ticks: int, ground: Ground, *, time_ordered: bool
) -> Outcome:
    """`time_ordered`: ids tell when they were made. Blocks for minutes: to write 50 million keys takes three, and 2 GB
    of disk."""
    setting, tell = ground.setting, ground.tell
    workload = replace(ARRAYS, time_ordered=time_ordered)
    path = setting.folder / f"full-{time_ordered}.db"
    began_s = time.monotonic()
    prefill(path, keys, _AGE_S, int(time.time()), tell, time_ordered=time_ordered)
    tell(f"{keys:,} keys, {path.stat().st_size / 1e9:.2f} GB, in {time.monotonic() - began_s:.0f} s")
    full, empty = f"{keys:,} keys", "no keys"
    # A topic for each round: what one run of the full ledger confirmed, another one would suppress.
    topics = [ground.topics.filled(workload, records) for _ in range(rounds)]

    def cases(name: str, ledger: Callable[[], str]) -> Callable[[], Case]:
        left = iter(topics)
        return lambda: Case(name, workload, next(left), records, ledger())

    ledgers: dict[str, Callable[[], str]] = {
        empty: lambda: new_ledger(setting),
        full: lambda: f"sqlite:///{path}",
    }
    turns = take_turns({name: cases(name, ledger) for name, ledger in ledgers.items()}, rounds, ground)
    idle = ground.topics.filled(workload, 0)
    ready_s = {
        name: median(ready_after_s(Case(name, workload, idle, 0, ledger()), setting) for _ in range(rounds))
        for name, ledger in ledgers.items()
    }
    pruned = {name: pauses_ms(path, ticks, later_s) for name, later_s in _PRUNED.items()}
    numbers: dict[str, Numbers] = {
        name: {**numbers_of(turns.middle(name)), "ready_after_s": round(ready_s[name], 2)} for name in ledgers
    }
    numbers |= {
        name: {"median_pause_ms": round(median(found), 1), "longest_pause_ms": round(max(found), 1)}
        for name, found in pruned.items()
    }
    return Outcome(
        "growth, ids that tell when they were made" if time_ordered else "growth",
        numbers,
        [
            Target(f"records/s with {full} against none", turns.speed_ratio(full, empty), _LEAST_RATE),
            Target(f"start-up with {full}, in seconds", ready_s[full], _MOST_START_S, at_least=False),
            *(
                Target(f"longest pause, {name}, in ms", max(found), _MOST_PAUSE_MS, at_least=False)
                for name, found in pruned.items()
            ),
        ],
    )
