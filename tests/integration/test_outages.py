"""What is down for a while costs time, and nothing else."""

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.brokers import Fault, Hang, LocalKafka, Reply
from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

IDS = [f"event-{number}" for number in range(5)]


@pytest.mark.parametrize("fault", [Reply(404, b"<html>"), Hang()], ids=["a proxy's 404", "hangs"])
def test_a_registry_that_is_down_pauses_and_nothing_is_dead_lettered(stage: Stage, fault: Fault) -> None:
    stage.registry.break_with(fault)
    stage.produce_customs(*IDS)

    consumer = stage.consumer()
    consumer.wait_for_status(lambda status: status["decoding"]["state"] == "halted", 60.0)
    assert stage.accepted_ids() == []
    assert stage.committed == {0: 0}
    stage.registry.heal()
    with stage.watch() as watch:
        stage.wait_for_the_end(watch, 60.0)

    assert consumer.stop() == 0, consumer.tail()
    assert stage.accepted_ids() == IDS
    assert stage.read_letters() == []


def test_a_restart_of_the_broker_is_survived_by_the_same_process(
    make_stage: MakeStage, broker_process: LocalKafka
) -> None:
    stage = make_stage(4)
    stage.create_letters()
    slow = ApiFaults(latency_ms=20.0, jitter_ms=20.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 10}}, analytics={"concurrency": 8}
    )
    stage.generate(2_000)

    with stage.watch() as watch:
        consumer = stage.consumer(topology=topology)
        stage.wait_until(lambda: len(stage.accepted()) > 300, 60.0)
        assert len(stage.accepted()) < 1_500, "the restart comes too late to show anything"
        broker_process.restart()
        stage.generate(1_000, seed=2)
        stage.wait_for_the_end(watch, 90.0)
        assert consumer.stop() == 0, consumer.tail()

    report = stage.check(watch)
    assert not report.findings, str(report)
    assert sum(report.duplicates.values()) == 0, str(report)
