"""Topics that change under a group, and batches that cannot be read."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from tests.brokers import Broker
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.integration.conftest import MakeStage
from tests.integration.processes import wait_until
from tests.integration.stage import Stage

OLD = [f"old-{number}" for number in range(10)]
NEW = [f"new-{number}" for number in range(15)]
"""More than there were before, so that the old position lies inside of the new topic."""
MIB = 1024 * 1024


@pytest.fixture
def watchful(tmp_path: Path) -> dict[str, str]:
    """Settings for a consumer that looks for changes of its topics every second, not every five minutes."""
    properties = tmp_path / "watchful.properties"
    properties.write_text("topic.metadata.refresh.interval.ms=1000\nsession.timeout.ms=6000\n")
    return {"KAFKA_PROPERTIES": str(properties)}


@pytest.fixture
def admin(broker: Broker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 2})


def delete(admin: AdminClient, topic: str) -> None:
    """Delete it, and wait until the brokers know."""
    admin.delete_topics([topic])[topic].result(30.0)
    wait_until(lambda: topic not in admin.list_topics(timeout=10.0).topics, 30.0)


def lost(stage: Stage, *event_ids: str) -> int:
    return len(set(event_ids) - set(stage.accepted_ids()))


@pytest.mark.slow
def test_row_16_a_partition_that_is_added_while_it_runs_is_read_from_its_beginning(
    stage: Stage, admin: AdminClient, watchful: dict[str, str], outcome: Recorder
) -> None:
    stage.produce_customs(*OLD)
    topology = stage.topology(topic={"start": "latest"})

    consumer = stage.consumer(topology=topology, **watchful)
    consumer.wait_for_status(lambda status: len(status["partitions"]) == 1, 60.0)
    admin.create_partitions([NewPartitions(stage.topic, 2)])[stage.topic].result(30.0)
    progress = Progress(stage)
    stage.produce_customs(*NEW, partition=1)
    progress_s = progress.wait(60.0)
    stage.wait_until(lambda: stage.committed.get(1) == len(NEW), 60.0)

    assert consumer.stop() == 0, consumer.tail()
    outcome.note(lost=lost(stage, *NEW), duplicates=0, progress_s=progress_s)
    assert stage.accepted_ids() == NEW


@pytest.mark.parametrize(
    "runs", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["stopped", "running"]
)
def test_row_16_a_topic_that_is_created_anew_is_never_read_from_the_old_position(
    stage: Stage, admin: AdminClient, watchful: dict[str, str], outcome: Recorder, runs: bool
) -> None:
    topology = stage.topology()
    stage.produce_customs(*OLD)
    before = stage.consumer(topology=topology, **watchful)
    stage.wait_until(lambda: stage.committed == {0: len(OLD)}, 60.0)
    if not runs:
        assert before.stop() == 0, before.tail()

    delete(admin, stage.topic)
    stage.broker.create(stage.topic)
    stage.produce_customs(*NEW)
    stopped = before if runs else stage.consumer(topology=topology, **watchful)

    assert stopped.wait(90.0) == 3, stopped.tail()
    last = stopped.stderr.splitlines()[-1]
    assert "created anew" in last, stopped.tail()
    # It may have read on before it was told. What it read is not the beginning, and the message says what to do.
    assert stage.accepted_ids() in (OLD, OLD + NEW[len(OLD) :])
    if runs:
        assert "--to-earliest" in last
        begin_anew(stage)
    progress = Progress(stage)
    going_on = stage.consumer(topology=stage.topology(topic={"on_gap": "earliest"}), **watchful)
    progress_s = progress.wait(60.0)
    stage.wait_until(lambda: stage.committed == {0: len(NEW)}, 60.0)
    assert going_on.stop() == 0, going_on.tail()
    duplicates = len(stage.accepted_ids()) - len(OLD + NEW)
    outcome.note(lost=lost(stage, *OLD, *NEW), duplicates=duplicates, progress_s=progress_s)
    assert sorted(map(str, stage.accepted_ids())) == sorted(OLD + NEW)


def begin_anew(stage: Stage) -> None:
    """What `kafka-consumer-groups.sh --reset-offsets --to-earliest` does."""
    client = Consumer(
        {"bootstrap.servers": stage.broker.bootstrap_servers, "group.id": stage.group, "log_level": 2}
    )
    try:
        client.commit(offsets=[TopicPartition(stage.topic, 0, 0)], asynchronous=False)
    finally:
        client.close()


@pytest.mark.slow
def test_row_18_a_batch_that_cannot_be_unpacked_is_named_and_stops_its_partition_only(
    make_stage: MakeStage, outcome: Recorder, tmp_path: Path
) -> None:
    stage = make_stage(2)
    stage.create_letters({"max.message.bytes": str(20 * MIB)})
    small, large = tmp_path / "small.properties", tmp_path / "large.properties"
    small.write_text(f"fetch.max.bytes={MIB}\nreceive.message.max.bytes={2 * MIB}\nsession.timeout.ms=6000\n")
    large.write_text("session.timeout.ms=6000\n")
    stage.produce_customs("before", partition=1)
    produce_compressed(stage, b"\x01" * 8 * MIB, partition=1)
    stage.produce_customs("behind", partition=1)

    with stage.watch() as watch:
        stuck = stage.consumer(KAFKA_PROPERTIES=str(small))
        stage.wait_until(lambda: "ompress" in stuck.stderr, 60.0)
        held_bytes = stuck.resident_bytes
        others = [Progress(stage).probe(30.0, partition=0) for _ in range(5)]
        assert stuck.resident_bytes - held_bytes < 64 * MIB
        named = [line for line in stuck.stderr.splitlines() if "ompress" in line and '"warning"' in line]
        assert any(f"{stage.topic}[1]" in line for line in named)
        assert len(named) < 10, "it is tried again all the time, and must not fill the log"
        stage.wait_until(lambda: watch.standing == {0: 5, 1: 1}, 30.0, lambda: str(watch.standing))
        assert stuck.stop() == 0, stuck.tail()

        mended = stage.consumer(KAFKA_PROPERTIES=str(large))
        stage.wait_for_the_end(watch, 60.0)
        assert mended.stop() == 0, mended.tail()

    assert "behind" in stage.accepted_ids()
    outcome.judge(stage.check(watch), progress_s=max(others), within_s=10.0)


def produce_compressed(stage: Stage, value: bytes, partition: int) -> None:
    """One record that is small on the wire and large when it is unpacked."""
    producer = Producer(
        {
            "bootstrap.servers": stage.broker.bootstrap_servers,
            "compression.type": "zstd",
            "message.max.bytes": 2 * len(value),
            "log_level": 2,
        }
    )
    producer.produce(stage.topic, key=b"user-1", value=value, partition=partition)
    assert producer.flush(30.0) == 0
