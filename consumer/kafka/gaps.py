"""When the position lies outside of what the broker still has, or its commit is gone."""

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.errors import StoppedError
from consumer.types import TopicPartition


def cross_gap(
    client: Consumer, partition: TopicPartition, wanted: int | None, on_gap: str, timeout_s: float
) -> str:
    """Go on at the first offset that is left, where the topic's `on_gap` is `earliest`; gives the text for
    the log.

    Raises StoppedError, naming the range, where it is `stop`. Blocks; raises KafkaException.
    """
    low, high = client.get_watermark_offsets(
        KafkaPartition(partition.topic, partition.partition), timeout=timeout_s
    )
    if wanted is not None and wanted > high:
        text = f"{partition}: the position {wanted} lies beyond the end {high}: the topic was created anew or cut"
    elif wanted is not None:
        text = (
            f"{partition}: the offsets {wanted} to {low - 1} are gone from the broker before they were read "
            f"({low - wanted} offsets, deleted by retention); the first one left is {low}"
        )
    else:
        text = f"{partition}: the position is not on the broker any more; the first offset left is {low}"
    if on_gap != "earliest":
        raise StoppedError(f"{text}. Set on_gap: earliest for this topic to go on from offset {low}")
    # Not by seek: after the error the partition is not being fetched, and librdkafka refuses to seek in it.
    client.incremental_unassign([KafkaPartition(partition.topic, partition.partition)])
    client.incremental_assign([KafkaPartition(partition.topic, partition.partition, low)])
    return f"{text}. Going on from there, as on_gap: earliest says"


def cross_lost_commit(
    partition: TopicPartition, position: int, watermarks: tuple[int, int], on_gap: str
) -> tuple[int, str]:
    """Where to begin when the ledger knows how far the group was and the broker does not: the first offset there is,
    where the topic's `on_gap` is `earliest`, and the text for the log.

    Kafka forgets a group's offsets with the topic: to go on at the old position would skip the beginning of a topic
    that was created anew, in silence. Raises StoppedError where `on_gap` is `stop`.
    """
    low, high = watermarks
    text = (
        f"{partition}: the group has no committed offset any more, but had settled all up to {position}: the topic was "
        f"created anew, or the group's offsets were deleted or have expired; it holds the offsets {low} to {high} now"
    )
    if on_gap != "earliest":
        raise StoppedError(
            f"{text}. If the topic was created anew, set on_gap: earliest for it, to read it from offset {low}; if it "
            f"is the same topic, set the group's offset to {position} (kafka-consumer-groups.sh --reset-offsets "
            f"--to-offset {position})"
        )
    return (
        low,
        f"{text}. Going on from offset {low}, as on_gap: earliest says; what the ledger knows is not sent again",
    )
