"""Where a group begins to read: chosen once, and committed before the first record is handed on."""

import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from consumer.sandbox.simulator import Outage
from tests.integration.stage import Stage

OLD = [f"old-{number}" for number in range(6)]
MINUTE_MS = 60_000


def produce_a_minute_apart(stage: Stage, event_ids: list[str]) -> list[int]:
    """Give each record's timestamp in milliseconds; the last is a minute old."""
    now_ms = time.time_ns() // 1_000_000
    times_ms = [now_ms - (len(event_ids) - place) * MINUTE_MS for place in range(len(event_ids))]
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    for event_id, at_ms in zip(event_ids, times_ms, strict=True):
        value = stage.events.custom(event_id)
        producer.produce(stage.topic, key=b"user-1", value=value, partition=0, timestamp=at_ms)
    assert producer.flush(30.0) == 0
    return times_ms


@pytest.mark.parametrize(("start", "skipped"), [("earliest", 0), ("latest", 6), ("time", 4)])
def test_the_start_is_committed_first_so_that_a_crash_skips_nothing(
    stage: Stage, start: str, skipped: int
) -> None:
    times_ms = produce_a_minute_apart(stage, OLD)
    if start == "time":
        start = datetime.fromtimestamp(times_ms[skipped] / 1000, UTC).isoformat().replace("+00:00", "Z")
    topology = stage.topology(topic={"start": start})
    # Nothing is acknowledged: no commit can follow from a settled record.
    stage.receiver.remote.declare({"client_api": Outage(status=503)})

    crashed = stage.consumer("--instance-id", "same", topology=topology)
    stage.wait_until(lambda: stage.committed == {0: skipped}, 30.0)
    stage.produce_customs("while-it-ran")
    crashed.wait_for_status(lambda status: status["consumed"] == len(OLD) - skipped + 1)
    stage.kill(crashed)
    assert stage.committed == {0: skipped}
    stage.produce_customs("while-nobody-ran")
    stage.receiver.remote.declare({})
    done = stage.to_the_end("--instance-id", "same", topology=topology)

    assert done.wait() == 0, done.tail()
    assert stage.accepted_ids() == [*OLD[skipped:], "while-it-ran", "while-nobody-ran"]
    assert stage.committed == {0: len(OLD) + 2}


def test_a_partition_that_comes_later_is_read_from_its_beginning(stage: Stage) -> None:
    produce_a_minute_apart(stage, OLD)
    topology = stage.topology(topic={"start": "latest"})
    first = stage.to_the_end(topology=topology)
    assert first.wait() == 0, first.tail()

    running = stage.consumer(topology=topology)
    running.wait_for_status(lambda status: bool(status["partitions"]))
    assert stage.committed == {0: len(OLD)}
    admin = AdminClient({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    admin.create_partitions([NewPartitions(stage.topic, 2)])[stage.topic].result(30.0)
    stage.produce_customs("in-the-new-partition", partition=1)
    assert running.stop() == 0, running.tail()
    # The next member sees the partition for the first time, with a record in it already.
    done = stage.to_the_end(topology=topology)

    assert done.wait() == 0, done.tail()
    assert stage.accepted_ids() == ["in-the-new-partition"]
