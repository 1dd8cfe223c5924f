"""A process is killed between any two steps of a delivery; another takes over, and the books are checked from outside.

What the receivers may get twice is said point by point, by what had been sent and was not confirmed; where nothing
had, that is nothing.
"""

import json
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.checker.disturbance import LATE_AFTER_MS
from tests.checker.fate import CLIENT, USER_ANALYTICS
from tests.faults.crash_point import Point
from tests.faults.outcomes import Recorder
from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

RECORDS = 600
PARTITIONS = 2
ARRAY = 10
ON_THE_WIRE = ARRAY + 1
"""Items, of one request to each receiver."""
WITHIN_S = 30.0
"""The next acceptance after the kill: the session of the killed one, and the start of another process."""

LEDGERS: dict[str, Callable[[Stage], str]] = {
    "sqlite": lambda stage: f"sqlite:///{stage.folder / 'ledger.db'}",
}


class Again(Enum):
    """What of a batch is sent again after the kill."""

    NOTHING = "nothing"
    PERHAPS = "perhaps"
    """It was on the wire: all that the receiver took."""
    ALL = "all"
    """It was acknowledged, and the ledger does not know."""


@dataclass(frozen=True, slots=True)
class Case:
    """Kill at the `passing`-th time; `letters` may be written twice."""

    point: Point
    passing: int
    again: Again = Again.NOTHING
    letters: int = 0
    stopping: bool = False
    """The point is on the way of a SIGTERM."""
    fast: bool = False
    only: str | None = None
    """The ledger that has such a point."""


CASES = [
    Case(Point.ASSIGN, 1),
    Case(Point.START, 1),
    Case(Point.READ, 20),
    Case(Point.RESERVE, 20, fast=True),
    Case(Point.WIRE, 20, Again.PERHAPS),
    Case(Point.ACKNOWLEDGE, 20, Again.ALL, fast=True),
    Case(Point.CONFIRM_WRITTEN, 20, Again.ALL, only="sqlite"),
    Case(Point.CONFIRM, 20, Again.PERHAPS),
    Case(Point.SETTLE, 3),
    Case(Point.ADVANCE_WRITTEN, 3, Again.PERHAPS, only="sqlite"),
    Case(Point.ADVANCE, 3, fast=True),
    Case(Point.COMMIT, 2, Again.PERHAPS),
    Case(Point.COMMITTED, 2),
    Case(Point.RELEASE, 1),
    Case(Point.REFUSE, 3),
    Case(Point.LETTER, 3, Again.PERHAPS, letters=1),
    Case(Point.WRITTEN, 3, letters=1),
    Case(Point.BURY, 3),
    Case(Point.DRAIN, 2, stopping=True),
    Case(Point.LEAVE, 2, stopping=True),
]


def _cases() -> list[object]:
    return [
        pytest.param(
            case, ledger, id=f"{case.point}-{ledger}", marks=() if case.fast else (pytest.mark.slow,)
        )
        for ledger in LEDGERS
        for case in CASES
        if case.only in (None, ledger)
    ]


@pytest.mark.parametrize(("case", "ledger"), _cases())
def test_row_01_a_kill_between_two_steps_repeats_at_most_what_was_on_the_wire(
    case: Case, ledger: str, make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(PARTITIONS)
    stage.create_letters()
    # The receivers answer later than the killer's patience with a request that is on its way.
    latency = ApiFaults(latency_ms=40.0 if case.point is Point.WIRE else 1.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=latency, client_api=latency))
    # One request at a time to each receiver: so that it is known whose doing a duplicate is.
    topology = stage.topology(
        client={"concurrency": 1, "batch": {"max_items": ARRAY}}, analytics={"concurrency": 1}
    )
    url = LEDGERS[ledger](stage)
    assert stage.generate(RECORDS, seed=5).total == RECORDS

    with stage.watch() as watch:
        victim = stage.consumer(
            topology=topology,
            module="tests.faults.crashing",
            CRASH_AT=f"{case.point},{case.passing}",
            KAFKA_PROPERTIES=str(_soon_missed(stage)),
            LEDGER_URL=url,
            CONSUMER_COMMIT_INTERVAL="60s" if case.stopping else "200ms",
        )
        if case.stopping:
            stage.wait_until(lambda: len(stage.accepted()) > 50, 60.0)
            victim.terminate()
        assert victim.wait(60.0) == -signal.SIGKILL, victim.tail()
        told = json.loads(victim.stdout)
        stage.kills_ms.append(told["at_ms"])
        stage.receiver.remote.follow(FaultPlan())
        successor = stage.consumer(topology=topology, LEDGER_URL=url, CONSUMER_COMMIT_INTERVAL="200ms")
        stage.wait_for_the_end(watch, 60.0)
        assert successor.stop() == 0, successor.tail()

    report = stage.check(watch)
    progress_s = (_next_acceptance_ms(stage, told["at_ms"]) - told["at_ms"]) / 1000
    outcome.judge(report, progress_s=progress_s, within_s=WITHIN_S, allowed=told["unconfirmed"])
    assert told["unconfirmed"] <= ON_THE_WIRE, f"more than one request a receiver was under way: {told}"
    repeated = sum(report.duplicates.values())
    match case.again:
        case Again.NOTHING:
            assert told["unconfirmed"] == repeated == 0, f"{told}\n{report}"
        case Again.ALL:
            assert repeated >= max(1, told["items"]), f"{told}\n{report}"
    assert _repeated_letters(stage) <= case.letters


def _soon_missed(stage: Stage) -> Path:
    """Of who is to die: so that the others need not wait long for what it had."""
    properties = stage.folder / "victim.properties"
    properties.write_text("session.timeout.ms=2000\nheartbeat.interval.ms=500\n")
    return properties


def _next_acceptance_ms(stage: Stage, after_ms: int) -> int:
    every = [item.at_ms for name in (USER_ANALYTICS, CLIENT) for item in stage.accepted(name)]
    return min(at_ms for at_ms in every if at_ms > after_ms + LATE_AFTER_MS)


def _repeated_letters(stage: Stage) -> int:
    """Of deliveries that a receiver refused: the ledger remembers those, and only those."""
    letters = Counter(
        tuple(
            letter.header(f"distinct-consumer.{name}")
            for name in ("origin-partition", "origin-offset", "route")
        )
        for letter in stage.read_letters()
        if letter.header("distinct-consumer.status") is not None
    )
    return sum(letters.values()) - len(letters)
