"""A partition that the client cannot read on is named while it runs: in the status, the metrics and the log."""

from pathlib import Path

from confluent_kafka import Producer

from tests.e2e.admin_port import AdminPort
from tests.integration.conftest import MakeStage, make_stage, receiver
from tests.integration.stage import Stage

__all__ = ["make_stage", "receiver"]  # fixtures, found here by their names

MIB = 1024 * 1024


def produce_packed(stage: Stage, size_bytes: int, partition: int) -> None:
    """One record that is small on the wire and large once it is unpacked."""
    producer = Producer(
        {
            "bootstrap.servers": stage.broker.bootstrap_servers,
            "compression.type": "zstd",
            "message.max.bytes": 2 * size_bytes,
            "log_level": 2,
        }
    )
    producer.produce(stage.topic, b"\x01" * size_bytes, b"user-1", partition=partition)
    assert producer.flush(30.0) == 0


def test_row_18_a_partition_whose_next_batch_cannot_be_unpacked_is_named_by_the_watchdog(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    stage = make_stage(2)
    stage.create_letters({"max.message.bytes": str(20 * MIB)})
    narrow = tmp_path / "narrow.properties"
    narrow.write_text(
        f"fetch.max.bytes={MIB}\nreceive.message.max.bytes={2 * MIB}\nsession.timeout.ms=6000\n"
    )
    stage.produce_customs("before", partition=1)
    produce_packed(stage, 8 * MIB, partition=1)
    stage.produce_customs("behind", partition=1)

    consumer = stage.consumer("--stuck-after", "4s", KAFKA_PROPERTIES=str(narrow))
    status = consumer.wait_for_status(lambda status: bool(status["watch"]["stuck_partitions"]), 60.0)

    (stuck,) = status["watch"]["stuck_partitions"]
    assert (stuck["topic"], stuck["partition"], stuck["offset"]) == (stage.topic, 1, 1)
    assert "the client gives nothing from here on" in stuck["what"]
    assert "compression" in stuck["next"]
    metrics = AdminPort(consumer).get("/metrics").text
    label = f'distinct_consumer_partition_stuck{{partition="%d",topic="{stage.topic}"}} %s'
    assert label % (1, "1.0") in metrics
    assert label % (0, "0.0") in metrics
    stage.wait_until(
        lambda: f'"partition {stage.topic}[1]: stuck at {stage.topic}[1]@1' in consumer.stderr, 10.0
    )
    stage.produce_customs("beside", partition=0)
    stage.wait_until(lambda: "beside" in stage.accepted_ids(), 20.0)
    assert consumer.stop() == 0, consumer.tail()
    assert stage.committed == {0: 1, 1: 1}, "nothing is passed over"
