"""Offsets that hold no record: deleted before they were read, aborted, compacted away."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from tests.brokers import Broker
from tests.faults.outcomes import Recorder
from tests.faults.progress import Progress
from tests.integration.conftest import MakeStage
from tests.integration.processes import wait_until
from tests.integration.stage import Stage

IDS = [f"event-{number}" for number in range(30)]


@pytest.fixture
def admin(broker: Broker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 2})


@pytest.fixture
def overtaken(stage: Stage, admin: AdminClient) -> Stage:
    """A group that has committed 10, on a partition of 30 that begins at 20 by now."""
    stage.produce_customs(*IDS[:10])
    assert stage.to_the_end().wait() == 0
    stage.produce_customs(*IDS[10:])
    place = TopicPartition(stage.topic, 0, 20)
    for future in admin.delete_records([place]).values():
        assert future.result(30.0).low_watermark == 20
    return stage


def test_row_15_retention_that_passes_the_commit_stops_the_group_or_is_gone_past_as_the_topic_says(
    overtaken: Stage, outcome: Recorder
) -> None:
    stopped = overtaken.to_the_end()

    assert stopped.wait() == 3, stopped.tail()
    assert "the offsets 10 to 19 are gone" in stopped.stderr
    assert "on_gap: earliest" in stopped.stderr
    assert overtaken.accepted_ids() == IDS[:10]
    assert overtaken.committed == {0: 10}

    progress = Progress(overtaken)
    topology = overtaken.topology(topic={"on_gap": "earliest"})
    with overtaken.watch() as watch:
        going_on = overtaken.consumer(topology=topology)
        progress_s = progress.wait()
        overtaken.wait_for_the_end(watch, 60.0)
        assert going_on.stop() == 0, going_on.tail()

    assert "the offsets 10 to 19 are gone" in going_on.stderr
    # The ten are lost to the topic, not to us: the checker reads what is left, and they are named.
    assert overtaken.accepted_ids() == IDS[:10] + IDS[20:]
    assert overtaken.committed == {0: 30}
    outcome.note(lost=0, duplicates=0, progress_s=progress_s)


def test_row_17_aborted_transactions_are_passed_over_also_at_the_end(stage: Stage, outcome: Recorder) -> None:
    producer = Producer(
        {
            "bootstrap.servers": stage.broker.bootstrap_servers,
            "transactional.id": stage.broker.unused("transactions"),
            "log_level": 2,
        }
    )
    producer.init_transactions(30.0)
    for number, event_id in enumerate(IDS[:9]):
        producer.begin_transaction()
        producer.produce(stage.topic, key=b"user-1", value=stage.events.custom(event_id))
        producer.flush(30.0)
        # Every third is committed; the last two are aborted.
        producer.commit_transaction(30.0) if number % 3 == 0 else producer.abort_transaction(30.0)

    progress = Progress(stage)
    done = stage.consumer("--until-end", "--timeout", "60")
    progress_s = progress.wait()

    assert done.wait() == 0, done.tail()
    outcome.note(lost=3 - len(set(stage.accepted_ids())), duplicates=0, progress_s=progress_s)
    assert stage.accepted_ids() == [IDS[0], IDS[3], IDS[6]]
    assert stage.committed == stage.broker.end_offsets(stage.topic) == {0: 18}


@pytest.fixture
def eager_cleaner(broker: Broker, admin: AdminClient) -> Iterator[None]:
    """The broker compacts every half a second instead of every 15 s; only where it is the tests' own."""
    if broker.process is None:
        pytest.skip("the settings of a broker that was given are not changed")
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")

    def alter(operation: AlterConfigOpType) -> None:
        entry = ConfigEntry("log.cleaner.backoff.ms", "500", incremental_operation=operation)
        change = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[entry])
        admin.incremental_alter_configs([change])[resource].result(30.0)

    alter(AlterConfigOpType.SET)
    yield
    alter(AlterConfigOpType.DELETE)


@pytest.mark.usefixtures("eager_cleaner")
def test_row_17_what_compaction_removed_is_passed_over(
    make_stage: MakeStage, broker: Broker, outcome: Recorder
) -> None:
    stage = make_stage(1)
    stage.create_letters()
    compacted = {
        "cleanup.policy": "compact",
        "segment.ms": "200",
        "min.cleanable.dirty.ratio": "0.001",
        "min.compaction.lag.ms": "0",
        "max.compaction.lag.ms": "1",
    }
    stage.topic = broker.topic("compacted", config=compacted)
    stage.letters = f"{stage.topic}.dead-letters"
    stage.create_letters()
    for round_ in range(3):
        for user in ("one", "two"):
            value = stage.events.custom(f"{user}-{round_}", user=user)
            stage.produce(value, key=user.encode())
        time.sleep(0.3)  # the segment is old enough to be closed
    # The active segment is not compacted: a last record closes the one before.
    stage.produce(stage.events.custom("last", user="three"), key=b"three")
    wait_until(lambda: len(broker.read(stage.topic)) < 7, 30.0)

    progress = Progress(stage)
    done = stage.consumer("--until-end", "--timeout", "60")
    progress_s = progress.wait()

    assert done.wait() == 0, done.tail()
    left = [record.offset for record in broker.read(stage.topic)]
    outcome.note(lost=len(left) - len(set(stage.accepted_ids())), duplicates=0, progress_s=progress_s)
    assert len(stage.accepted_ids()) == len(left) < 7
    assert stage.committed == {0: 7}
