"""Brokers that die, restart, or cannot be reached: one of three, or all."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.brokers import KafkaCluster, LocalKafka
from tests.faults import ways
from tests.faults.network import BlackHole
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress, accepted
from tests.faults.proxy import FaultProxy
from tests.integration.conftest import MakeStage
from tests.integration.sharing import partitions_of, share
from tests.integration.stage import Stage

PARTITIONS = 6
SLOW = ApiFaults(latency_ms=20.0, jitter_ms=20.0)


def stream(make_stage: MakeStage, records: int = 2_000) -> tuple[Stage, Path]:
    """A stage with a backlog that lasts, and its topology."""
    stage = make_stage(PARTITIONS)
    stage.create_letters()
    stage.receiver.remote.follow(FaultPlan(user_analytics=SLOW, client_api=SLOW))
    stage.generate(records)
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 10}}, analytics={"concurrency": 8}
    )
    return stage, topology


def wait_for_the_middle(stage: Stage) -> None:
    """Until enough is delivered and enough is left that a fault meets both."""
    stage.wait_until(lambda: accepted(stage) > 300, 90.0)
    assert accepted(stage) < 2_000, "the fault comes too late to show anything"


@pytest.fixture
def to_brokers(cluster: KafkaCluster) -> Iterator[dict[int, FaultProxy]]:
    """The ways to the three brokers, by their numbers."""
    with ExitStack() as stack:
        yield {
            seat.node_id: stack.enter_context(FaultProxy(seat.behind_proxy, port=seat.proxy_port))
            for seat in cluster.seats
        }


@pytest.mark.slow
def test_row_07_the_leaders_broker_is_killed(
    make_cluster_stage: MakeStage, cluster: KafkaCluster, outcome: Recorder
) -> None:
    stage, topology = stream(make_cluster_stage)

    with stage.watch() as watch:
        consumer = stage.consumer(topology=topology)
        wait_for_the_middle(stage)
        cluster.brokers[cluster.leader_of(stage.topic, 0)].kill()
        progress_s = Progress(stage).probe(90.0, partition=0)
        stage.generate(500, seed=2)
        stage.wait_for_the_end(watch, 120.0)
        assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=45.0)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_row_08_the_coordinators_broker_is_killed_while_it_takes_commits(
    make_cluster_stage: MakeStage, cluster: KafkaCluster, outcome: Recorder, protocol: str
) -> None:
    stage, topology = stream(make_cluster_stage)

    with stage.watch() as watch:
        flags = ("--group-protocol", protocol)
        consumer = stage.consumer(*flags, topology=topology, CONSUMER_COMMIT_INTERVAL="50ms")
        wait_for_the_middle(stage)
        stage.wait_until(lambda: len(watch.commits) > PARTITIONS, 60.0)
        cluster.brokers[cluster.coordinator_of(stage.group)].kill()
        killed = Progress(stage)
        killed.probe(90.0)
        stage.wait_for_the_end(watch, 120.0)
        progress_s = killed.seconds  # until all is committed, at another coordinator
        assert consumer.running, consumer.tail()
        assert consumer.stop() == 0, consumer.tail()

    # A session that ends without a coordinator may cost the assignment, with what was on the wire.
    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=90.0)


@pytest.mark.parametrize("down_s", [0, pytest.param(60, marks=pytest.mark.slow)])
def test_row_09_all_brokers_are_down_and_the_process_stays_and_goes_on(
    make_stage: MakeStage, broker_process: LocalKafka, outcome: Recorder, down_s: int
) -> None:
    stage, topology = stream(make_stage)

    with stage.watch() as watch:
        consumer = stage.consumer(topology=topology)
        wait_for_the_middle(stage)
        broker_process.kill() if down_s else broker_process.stop()
        time.sleep(down_s)
        broker_process.start()
        progress_s = Progress(stage).probe(90.0)
        stage.generate(500, seed=2)
        stage.wait_for_the_end(watch, 120.0)
        assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=60.0)


@pytest.mark.slow
def test_row_10_the_brokers_restart_one_after_the_other(
    make_cluster_stage: MakeStage, cluster: KafkaCluster, outcome: Recorder
) -> None:
    stage, topology = stream(make_cluster_stage)
    slowest_s = 0.0

    with stage.watch() as watch:
        consumer = stage.consumer(topology=topology)
        wait_for_the_middle(stage)
        for number, broker in cluster.brokers.items():
            broker.stop()
            slowest_s = max(slowest_s, Progress(stage).probe(90.0))
            broker.start()
            cluster.wait_until_in_sync()
            stage.generate(200, seed=10 + number)
        stage.wait_for_the_end(watch, 120.0)
        assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=slowest_s, within_s=45.0)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_row_11_a_consumer_that_is_cut_off_from_the_coordinator_only_gives_way_and_comes_back(
    make_cluster_stage: MakeStage,
    cluster: KafkaCluster,
    to_brokers: dict[int, FaultProxy],
    outcome: Recorder,
    protocol: str,
) -> None:
    stage, topology = stream(make_cluster_stage, 2_500)
    flags = ("--group-protocol", protocol)

    with stage.watch() as watch:
        cut_off = stage.consumer(*flags, topology=topology, **ways.to_brokers(*to_brokers.values()))
        other = stage.consumer(*flags, topology=topology)
        share(stage, cut_off, other)
        lost = min(partitions_of(cut_off))
        to_brokers[cluster.coordinator_of(stage.group)].inflict(BlackHole())
        stage.kills_ms.append(time.time_ns() // 1_000_000)
        cut = Progress(stage)
        stage.wait_until(lambda: lost in partitions_of(other), 90.0)
        stage.kills_ms.append(time.time_ns() // 1_000_000)
        progress_s = cut.probe(90.0, partition=lost)
        for proxy in to_brokers.values():
            proxy.clear()
        share(stage, cut_off, other, timeout_s=90.0)
        stage.generate(500, seed=2)
        stage.wait_for_the_end(watch, 120.0)
        for consumer in (cut_off, other):
            assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=60.0, allowed=2 * (4 * 10 + 8))
