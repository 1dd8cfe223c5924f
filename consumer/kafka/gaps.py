"""When the position lies outside of what the broker still has."""

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
