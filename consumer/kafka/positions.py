"""Where a partition without a committed offset starts to be read."""

from collections.abc import Iterable
from datetime import datetime

from confluent_kafka import OFFSET_END, Consumer, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.types import TopicPartition


def committed_offsets(
    client: Consumer, partitions: list[TopicPartition], timeout_s: float
) -> dict[TopicPartition, int | None]:
    """The group's committed offsets; None where there is none. Blocks; raises KafkaException."""
    asked = [KafkaPartition(one.topic, one.partition) for one in partitions]
    answer = client.committed(asked, timeout=timeout_s)
    for one in answer:
        if one.error is not None:
            raise KafkaException(one.error)
    return {
        TopicPartition(one.topic, one.partition): one.offset if one.offset >= 0 else None for one in answer
    }


def first_positions(client: Consumer, topic: str, start: str, timeout_s: float) -> dict[int, int]:
    """What `start` (earliest, latest, or an ISO 8601 time) means for each partition of the topic now.

    A time after the last record means the end. Blocks; raises KafkaException.
    """
    numbers = partitions_of(client, topic, timeout_s)
    watermarks = {
        n: client.get_watermark_offsets(KafkaPartition(topic, n), timeout=timeout_s) for n in numbers
    }
    if start == "earliest":
        return {n: low for n, (low, _) in watermarks.items()}
    if start == "latest":
        return {n: high for n, (_, high) in watermarks.items()}
    since_ms = int(datetime.fromisoformat(start).timestamp() * 1000)
    found = client.offsets_for_times([KafkaPartition(topic, n, since_ms) for n in numbers], timeout=timeout_s)
    return {
        one.partition: watermarks[one.partition][1] if one.offset in (OFFSET_END, -1) else one.offset
        for one in found
    }


def beginning(client: Consumer, partition: TopicPartition, timeout_s: float) -> int:
    """The first offset that the broker still has. Blocks; raises KafkaException."""
    return known_offsets(client, partition, timeout_s)[0]


def known_offsets(client: Consumer, partition: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """The first offset that the broker still has, and the next that it will give. Blocks; raises KafkaException."""
    low, high = client.get_watermark_offsets(
        KafkaPartition(partition.topic, partition.partition), timeout=timeout_s
    )
    return int(low), int(high)


def partitions_of(client: Consumer, topic: str, timeout_s: float) -> list[int]:
    """The topic's partition numbers; empty where the topic does not exist. Blocks; raises KafkaException."""
    metadata = client.list_topics(topic, timeout=timeout_s).topics.get(topic)
    return sorted(metadata.partitions) if metadata is not None and metadata.error is None else []


def known_ends(client: Consumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Where partitions end, as far as the client has heard with what it fetched. Does not wait."""
    ends: dict[TopicPartition, int] = {}
    for one in partitions:
        _, high = client.get_watermark_offsets(KafkaPartition(one.topic, one.partition), cached=True)
        if high >= 0:
            ends[one] = high
    return ends
