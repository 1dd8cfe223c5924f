"""What is in a topic, read by a client that shares nothing with the code under test."""

import time
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as the broker gives it out."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The last header of that name; None if there is none."""
        return next((value for key, value in reversed(self.headers) if key == name), None)


class TopicReader:
    """Reads topics from beginning to end, by assignment: it joins no group and commits nothing."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "topic-reader",  # demanded by the client; never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,  # the end, also past gaps and transaction markers
            "log_level": 2,
        }

    def read(self, topic: str, *, timeout_s: float = 60.0) -> list[StoredRecord]:
        """Every committed record of the topic, in offset order within each partition. Blocks.

        Raises `TimeoutError` if the end is not reached in time, `KafkaException` if the topic does not exist.
        """
        consumer = Consumer(self._config)
        deadline_s = time.monotonic() + timeout_s
        records: list[StoredRecord] = []
        try:
            unfinished = self._partitions(consumer, topic, timeout_s)
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in unfinished])
            while unfinished:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(
                        f"{topic}: read {len(records)} records, but in {timeout_s:.0f} s not the end of "
                        f"partitions {sorted(unfinished)}"
                    )
                for message in consumer.consume(_CHUNK, timeout=0.5):
                    if (error := message.error()) is None:
                        records.append(_stored(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        unfinished.discard(message.partition() or 0)
                    elif error.fatal():
                        raise KafkaException(error)
        finally:
            consumer.close()
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def _partitions(self, consumer: Consumer, topic: str, timeout_s: float) -> set[int]:
        metadata = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        return set(metadata.partitions)


def _stored(message: Message) -> StoredRecord:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    received = cast("list[tuple[str, bytes | None]]", message.headers() or [])  # a dict only when sent
    headers = tuple((name, value) for name, value in received)
    key, value = message.key(), message.value()
    return StoredRecord(
        topic, partition, offset, _bytes(key), _bytes(value), headers, timestamp_ms=message.timestamp()[1]
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
