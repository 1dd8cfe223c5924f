"""A ledger that cannot answer, and clocks that are wrong by an hour: delivery stops, or goes on as if nothing were."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress, accepted
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

HOUR_S = 3600


@contextmanager
def locked(ledger: Path, _: ConsumerProcess) -> Iterator[None]:
    """Another process writes, for longer than anybody waits."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(ledger: Path, consumer: ConsumerProcess) -> Iterator[None]:
    """No file of the process may grow."""
    before = resource.prlimit(consumer.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(consumer.pid, resource.RLIMIT_FSIZE, (16_384, before[1]))
    yield
    resource.prlimit(consumer.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fault", [locked, pytest.param(full, marks=pytest.mark.slow)])
def test_row_29_while_the_ledger_cannot_answer_nothing_is_sent_or_committed(
    stage: Stage, outcome: Recorder, fault: Callable[[Path, ConsumerProcess], Iterator[None]]
) -> None:
    consumer = stage.consumer(CONSUMER_COMMIT_INTERVAL="200ms")
    stage.produce_customs("before")
    stage.wait_until(lambda: stage.committed == {0: 1}, 60.0)

    with fault(stage.folder / "ledger.db", consumer):  # type: ignore[attr-defined]
        stage.produce_customs("meanwhile")
        consumer.wait_for_status(lambda status: status["ledger"]["trouble"] is not None, 30.0)
        assert stage.accepted_ids() == ["before"]
        assert stage.committed == {0: 1}
    over = Progress(stage)
    progress_s = over.wait()

    with stage.watch() as watch:
        stage.wait_for_the_end(watch, 30.0)
    assert consumer.stop() == 0, consumer.tail()
    duplicates = len(stage.accepted_ids()) - len(set(stage.accepted_ids()))
    outcome.note(lost=2 - len(set(stage.accepted_ids())), duplicates=duplicates, progress_s=progress_s)
    assert stage.accepted_ids() == ["before", "meanwhile"]
    assert progress_s < 20.0


def test_row_29_a_damaged_ledger_is_refused_at_the_start_with_what_to_do(
    stage: Stage, outcome: Recorder
) -> None:
    stage.produce_customs("before")
    assert stage.to_the_end().wait() == 0
    ledger = stage.folder / "ledger.db"
    ledger.write_bytes(b"\0" * 4096 + ledger.read_bytes()[4096:])
    stage.produce_customs("after")

    refused = stage.consumer()

    assert refused.wait() != 0
    assert "ledger" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert stage.accepted_ids() == ["before"]
    assert stage.committed == {0: 1}
    ledger.unlink()
    again = stage.to_the_end("--accept-ledger")
    assert again.wait() == 0, again.tail()
    assert stage.accepted_ids() == ["before", "after"]
    outcome.note(lost=0, duplicates=0, progress_s=None)


@pytest.mark.slow
def test_row_31_clocks_that_are_wrong_by_an_hour_each_way_let_nothing_through_twice(
    make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(4)
    stage.create_letters()
    slow = ApiFaults(latency_ms=10.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    off = [stage.folder / name for name in ("ahead", "behind")]
    for file in off:
        file.write_text("0")
    stage.generate(4_000)

    with stage.watch() as watch:
        consumers = [
            stage.consumer(module="tests.faults.jumping_clock", CLOCK_OFF_BY=str(file)) for file in off
        ]
        stage.wait_until(lambda: accepted(stage) > 500, 60.0)
        jumped = Progress(stage)
        for file, seconds in zip(off, (HOUR_S, -HOUR_S), strict=True):
            _write_at_once(file, str(seconds))
        progress_s = jumped.wait()
        stage.wait_for_the_end(watch, 60.0)
        for consumer in consumers:
            assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=5.0)


def _write_at_once(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)
