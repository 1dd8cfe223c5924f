"""Members of a group that come, go, die, and take each other's name."""

import random
from functools import partial

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress, accepted
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess, wait_until
from tests.integration.sharing import partitions_of
from tests.integration.stage import Stage

ROUNDS = 14
ON_THE_WIRE = 4 * 10 + 16
"""What one process can have on the wire with the topology of the storm."""


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_row_05_members_that_join_leave_and_are_killed_in_a_storm_lose_nothing_and_take_no_commit_back(
    make_stage: MakeStage, outcome: Recorder, protocol: str
) -> None:
    stage = make_stage(8)
    stage.create_letters()
    slow = ApiFaults(latency_ms=20.0, jitter_ms=30.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 10}}, analytics={"concurrency": 16}
    )
    dice = random.Random(5)
    members: list[ConsumerProcess] = []

    def join() -> None:
        flags = ("--group-protocol", protocol)
        new = stage.consumer(*flags, topology=topology, CONSUMER_COMMIT_INTERVAL="200ms")
        members.append(new)
        stage.wait_until(lambda: "joined the group" in new.stderr, 60.0)  # and no more than that

    stage.generate(2_000)
    join()
    with stage.watch() as watch:
        for round_ in range(ROUNDS):
            stage.generate(250, seed=10 + round_)
            # No round waits for the group to come to rest: some hundred deliveries are the storm's rhythm.
            enough = accepted(stage) + 100
            if len(members) < 2 or (len(members) < 4 and dice.random() < 0.6):
                join()
            else:
                leaving = members.pop(dice.randrange(len(members)))
                if dice.random() < 0.5:
                    stage.kill(leaving)
                else:
                    assert leaving.stop() == 0, leaving.tail()
            stage.wait_until(partial(_has, stage, enough), 90.0)
        calm = Progress(stage)
        progress_s = calm.probe(120.0, partition=dice.randrange(8))
        stage.wait_for_the_end(watch, 120.0)
        for member in members:
            assert member.stop() == 0, member.tail()

    report = stage.check(watch)
    assert len(stage.kills_ms) >= 2
    outcome.judge(report, progress_s=progress_s, within_s=60.0, allowed=len(stage.kills_ms) * ON_THE_WIRE)


def _has(stage: Stage, enough: int) -> bool:
    return accepted(stage) >= enough


def test_row_14_of_two_consumers_with_one_instance_id_exactly_one_ends_and_says_why(
    make_stage: MakeStage, outcome: Recorder
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    stage.generate(500)

    with stage.watch() as watch:
        first = stage.consumer("--instance-id", "the-same")
        first.wait_for_status(lambda status: len(status["partitions"]) == 2, 60.0)
        second = stage.consumer("--instance-id", "the-same")
        both = (first, second)
        wait_until(lambda: not all(one.running for one in both), 60.0, stage.tails)
        progress = Progress(stage)
        (ended,) = [one for one in both if not one.running]
        (left,) = [one for one in both if one.running]
        assert ended.wait() == 1, ended.tail()
        assert "instance" in ended.stderr.splitlines()[-1], ended.tail()
        stage.wait_until(lambda: len(partitions_of(left)) == 2, 60.0)
        progress_s = progress.probe(60.0)
        stage.wait_for_the_end(watch, 60.0)
        assert left.stop() == 0, left.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=30.0)
