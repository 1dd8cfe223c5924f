"""Scale: some workers beside one, many partitions beside four, many active users beside a thousand."""

from collections.abc import Callable, Mapping

from bench.long.delivery import Case, new_ledger
from bench.long.outcome import Outcome, Target, numbers_of
from bench.long.rounds import Ground, take_turns
from bench.workload import ARRAYS

FEW_PARTITIONS, FEW_USERS = 4, 1_000
_CORES_FOR_TWO = 1.6
"""What two workers are to bring. On a machine without cores to give, one CPU second has to bring as much."""
_NO_LOSS = 0.95
"""Rates of one thing measured twice differ by so much here."""


def scale(records: int, partitions: int, users: int, workers: int, rounds: int, ground: Ground) -> Outcome:
    """Blocks. Every case has a new ledger in SQLite and the workload of arrays."""

    def case(name: str, topic: str, flags: tuple[str, ...] = ()) -> Callable[[], Case]:
        return lambda: Case(name, ARRAYS, topic, records, new_ledger(ground.setting), flags=flags)

    fill = ground.topics.filled
    few = fill(ARRAYS, records, partitions=FEW_PARTITIONS)
    one, some = "one process", f"{workers} workers"
    thousand, four = f"{partitions} partitions", f"{FEW_PARTITIONS} partitions"
    crowd, handful = f"{users:,} users", f"{FEW_USERS:,} users"
    cases: Mapping[str, Callable[[], Case]] = {
        one: case(one, few),
        some: case(some, few, ("--workers", str(workers))),
        four: case(four, few),
        thousand: case(thousand, fill(ARRAYS, records, partitions=partitions)),
        handful: case(handful, fill(ARRAYS, records, users=FEW_USERS)),
        crowd: case(crowd, fill(ARRAYS, records, users=users)),
    }
    turns = take_turns(cases, rounds, ground)
    return Outcome(
        "scale",
        {name: numbers_of(turns.middle(name)) for name in cases},
        [
            Target(
                f"records/s of {some} with so many cores, by CPU a record, against {one}",
                workers / turns.cpu_ratio(some, one),
                _CORES_FOR_TWO * workers / 2,
            ),
            Target(f"records/s with {thousand} against {four}", turns.speed_ratio(thousand, four), _NO_LOSS),
            Target(f"records/s with {crowd} against {handful}", turns.speed_ratio(crowd, handful), _NO_LOSS),
        ],
    )
