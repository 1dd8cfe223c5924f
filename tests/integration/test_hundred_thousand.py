"""The proof: 100,000 events through consumers that are killed, join and leave, judged from outside.

Nothing here asks a consumer what it did. The checker decodes the topic itself and says what the fate of each
record must be; then it looks at the ledger of the receivers, at the dead letters and at every commit.
"""

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

ALIAS_AGAIN = "dropped: alias to a user that exists already"
RECORDS = 100_000
PARTITIONS = 8


@pytest.mark.timeout(2400)  # a minute or two, and twenty times that on a machine that others starve
def test_nothing_is_lost_doubled_disordered_or_committed_too_early(make_stage: MakeStage) -> None:
    stage = make_stage(PARTITIONS)
    stage.create_letters()
    # As over a network: so that there is something on the wire at each kill.
    latency = ApiFaults(latency_ms=2.0, jitter_ms=6.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=latency, client_api=latency))
    assert stage.generate(RECORDS, seed=3).total == RECORDS

    with stage.watch() as watch:
        victim, steady = _start(stage), _start(stage)
        _wait_for(stage, 10_000)
        victim = _kill_and_restart(stage, victim)
        _wait_for(stage, 35_000)
        guest = _start(stage)
        _wait_until_it_has_work(stage, guest)
        _wait_for(stage, 55_000)
        victim = _kill_and_restart(stage, victim)
        _wait_for(stage, 75_000)
        assert guest.stop() == 0, guest.tail()
        _wait_for(stage, 95_000)
        victim = _kill_and_restart(stage, victim)
        stage.wait_for_the_end(watch, 600.0)
        for consumer in (victim, steady):
            assert consumer.stop() == 0, consumer.tail()

    report = stage.check(watch)
    print(report)  # the figures, with -s
    assert not report.findings, str(report)
    assert report.records == RECORDS
    # That there was something to judge.
    assert sum(report.accepted.values()) > 1.2 * RECORDS
    assert min(*report.windowed.values(), *report.refused.values()) > 100
    assert report.ordered > 50_000
    assert report.commits > 100
    received = stage.receiver.remote.report()
    assert received.user_analytics.harmed == {}
    # An alias that a kill repeats is one to a user who exists by then: it had its effect the first time.
    again = received.client_api.harmed.pop(ALIAS_AGAIN, 0)
    assert again <= report.duplicates["client"]
    assert received.client_api.harmed == {}
    assert received.unknown_paths == 0


def _start(stage: Stage) -> ConsumerProcess:
    return stage.consumer(CONSUMER_COMMIT_INTERVAL="200ms")


def _kill_and_restart(stage: Stage, victim: ConsumerProcess) -> ConsumerProcess:
    _wait_until_it_has_work(stage, victim)
    stage.kill(victim)
    return _start(stage)


def _wait_for(stage: Stage, accepted: int) -> None:
    """Until the receivers have so many items. Committed offsets are no clock: they wait for the slowest."""

    def count() -> int:
        return sum(book["accepted"] for book in stage.receiver.remote.books().values())

    stage.wait_until(lambda: count() > accepted, 600.0, lambda: f"{count()} accepted")


def _wait_until_it_has_work(stage: Stage, consumer: ConsumerProcess) -> None:
    def works() -> bool:
        status = consumer.status()
        return status is not None and any(partition["unsettled"] for partition in status["partitions"])

    stage.wait_until(works, 300.0)
