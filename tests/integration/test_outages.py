"""What is down for a while costs time, and nothing else."""

import pytest

from tests.brokers import Fault, Hang, Reply
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
