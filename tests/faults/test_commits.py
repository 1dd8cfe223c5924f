"""Commits that the broker refuses: behind a proxy that changes a real broker's answers."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.brokers import LocalKafka
from tests.faults import ways
from tests.faults.network import Reset
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.faults.proxy import FaultProxy
from tests.faults.refusals import Refusals
from tests.integration.conftest import MakeStage
from tests.integration.processes import wait_until
from tests.integration.sharing import partitions_of

RETRIED = (
    KafkaError.UNKNOWN,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.OFFSET_METADATA_TOO_LARGE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.INVALID_COMMIT_OFFSET_SIZE,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
)
JOINED_AGAIN = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION)
STALE_EPOCH = (KafkaError.STALE_MEMBER_EPOCH, KafkaError.UNKNOWN_MEMBER_ID)
ENDS = (
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
)
REFUSALS = 2
"""How many commits in a row fail for each error."""


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def to_broker(broker_process: LocalKafka, refusals: Refusals) -> Iterator[FaultProxy]:
    """The way to the broker, and to what it advertises there."""
    seat = broker_process.seat
    with FaultProxy(seat.behind_proxy, port=seat.proxy_port, tap=refusals.tap) as proxy:
        yield proxy


def through(proxy: FaultProxy) -> dict[str, str]:
    """Settings for many commits, all of them through the proxy."""
    return {"CONSUMER_COMMIT_INTERVAL": "200ms", **ways.to_brokers(proxy)}


@pytest.mark.parametrize(
    ("protocol", "codes"),
    [
        pytest.param("classic", RETRIED, id="retried"),
        pytest.param("classic", JOINED_AGAIN, id="joined again", marks=pytest.mark.slow),
        pytest.param("consumer", (*RETRIED[-4:], *STALE_EPOCH), id="KIP-848", marks=pytest.mark.slow),
    ],
)
def test_row_12_a_commit_that_is_refused_is_asked_for_again_whatever_the_error(
    make_stage: MakeStage,
    to_broker: FaultProxy,
    refusals: Refusals,
    outcome: Recorder,
    protocol: str,
    codes: tuple[int, ...],
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    stage.generate(300)
    slowest_s = 0.0

    with stage.watch() as watch:
        flags = ("--group-protocol", protocol)
        consumer = stage.consumer(*flags, topology=stage.topology(), **through(to_broker))
        stage.wait_for_the_end(watch, 60.0)
        for code in codes:
            before = watch.standing
            refusals.refused = 0
            refusals.refuse(code, times=REFUSALS)
            progress = Progress(stage)
            progress.probe(60.0, partition=0)
            stage.wait_until(
                lambda: refusals.refused == REFUSALS,
                60.0,
                lambda: f"{KafkaError(code).name()}: {refusals.refused}",
            )
            stage.wait_for_the_end(watch, 60.0)
            slowest_s = max(slowest_s, progress.seconds)
            assert watch.standing[0] == before[0] + 1
        assert consumer.running, consumer.tail()
        assert consumer.stop() == 0, consumer.tail()

    outcome.judge(stage.check(watch), progress_s=slowest_s, within_s=30.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "first"),
    [(KafkaError.GROUP_AUTHORIZATION_FAILED, True), *((code, False) for code in ENDS)],
    ids=lambda value: KafkaError(value).name() if value not in (True, False) else ("later", "first")[value],
)
def test_row_12_a_commit_that_will_never_be_taken_ends_the_process_which_says_why(
    make_stage: MakeStage,
    to_broker: FaultProxy,
    refusals: Refusals,
    outcome: Recorder,
    code: int,
    first: bool,
) -> None:
    stage = make_stage(1)
    stage.create_letters()
    topology = stage.topology()
    if first:
        refusals.refuse(code, times=1_000_000)

    with stage.watch() as watch:
        flags = ("--instance-id", "a") if code == KafkaError.FENCED_INSTANCE_ID else ()
        refused = stage.consumer(*flags, topology=topology, **through(to_broker))
        if not first:
            stage.wait_until(lambda: watch.standing == {0: 0}, 60.0)
            refusals.refuse(code, times=1_000_000)
        stage.produce_customs("one", "two")
        assert refused.wait(60.0) == 1, refused.tail()
        assert KafkaError(code).str().split(":")[-1].strip() in refused.stderr.splitlines()[-1]
        assert len(stage.accepted()) == (0 if first else 2), "without a first commit nothing may be delivered"
        assert not any(watch.standing.values())
        refusals.stop()
        mended = stage.consumer(topology=topology)
        stage.wait_for_the_end(watch, 60.0)
        assert mended.stop() == 0, mended.tail()

    outcome.judge(stage.check(watch), progress_s=None, within_s=0.0)


@pytest.mark.slow
def test_row_13_a_commit_that_fails_for_one_partition_stands_for_the_other_and_is_asked_for_again(
    make_stage: MakeStage, to_broker: FaultProxy, refusals: Refusals, outcome: Recorder
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    topology = stage.topology()

    with stage.watch() as watch:
        first = stage.consumer(topology=topology, **through(to_broker))
        wait_until(lambda: len(partitions_of(first)) == 2, 60.0, stage.tails)
        refusals.refuse(KafkaError.UNKNOWN_TOPIC_OR_PART, times=1_000_000, partitions=[1])
        for partition in (0, 1):
            stage.produce_customs(f"before-{partition}", partition=partition)
        stage.wait_until(lambda: watch.standing.get(0) == 1 and refusals.refused > 2, 60.0)
        assert len(stage.accepted()) == 2
        # The last commit of a drain is one that waits, and is refused in part as well.
        stage.produce_customs("last-0", partition=0)
        stage.wait_until(lambda: watch.standing.get(0) == 2, 60.0)
        first.stop()
        assert watch.standing.get(1, 0) == 0
        refusals.stop()
        progress = Progress(stage)
        second = stage.consumer(topology=topology, **through(to_broker))
        progress_s = progress.probe(60.0, partition=1)
        stage.wait_for_the_end(watch, 60.0)
        assert second.stop() == 0, second.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=30.0)


@pytest.mark.slow
def test_row_12_a_commit_that_is_sent_again_does_not_overtake_the_last_one_at_a_stop(
    make_stage: MakeStage, to_broker: FaultProxy, refusals: Refusals, outcome: Recorder
) -> None:
    stage = make_stage(1)
    stage.create_letters()
    # Slow enough that something is settled between any commit and the last one.
    slow = ApiFaults(latency_ms=10.0, jitter_ms=10.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(
        client={"concurrency": 4, "batch": {"max_items": 5}}, analytics={"concurrency": 8}
    )
    stage.generate(15_000)

    with stage.watch() as watch:
        for _ in range(4):
            before = sum(watch.standing.values())
            consumer = stage.consumer(topology=topology, **through(to_broker))
            stage.wait_until(lambda: sum(watch.standing.values()) > before, 60.0)
            refusals.refused = 0
            refusals.refuse(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, times=1)
            while not refusals.refused:  # the client sends it again a tenth of a second later
                assert consumer.running, consumer.tail()
                time.sleep(0.001)
            to_broker.inflict(Reset())
            time.sleep(0.5)  # more is settled meanwhile
            consumer.terminate()
            time.sleep(0.5)
            to_broker.clear()
            assert consumer.wait() == 0, consumer.tail()
        stage.receiver.remote.follow(FaultPlan())
        stage.generate(500, seed=2)  # the others may have had all of it
        stopped = Progress(stage)
        last = stage.consumer(topology=topology, **through(to_broker))
        progress_s = stopped.wait()
        stage.wait_for_the_end(watch, 60.0)
        assert last.stop() == 0, last.tail()

    outcome.judge(stage.check(watch), progress_s=progress_s, within_s=30.0)
