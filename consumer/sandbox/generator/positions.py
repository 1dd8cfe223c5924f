"""Where a consumer group stands, as the broker has it."""

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

_TIMEOUT_S = 5.0


class CommittedPositions:
    """Asks for the committed offsets of a group without joining it. A call may block for a round trip."""

    def __init__(
        self, bootstrap_servers: str, topic: str, partitions: int, group: str, properties: Mapping[str, str]
    ) -> None:
        self._partitions = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._known: dict[int, int] = {}
        self._client = Consumer(
            {
                **properties,
                "bootstrap.servers": bootstrap_servers,
                "group.id": group,
                "enable.auto.commit": False,
                "log_level": 2,
            }
        )

    def __call__(self) -> Mapping[int, int]:
        """The committed offset by partition; the last known ones where the broker does not answer."""
        try:
            committed = self._client.committed(self._partitions, timeout=_TIMEOUT_S)
        except KafkaException:
            # A group that moves house has no coordinator for a moment: who waits for room asks again.
            return self._known
        for place in committed:
            if place.error is None and place.offset >= 0:
                self._known[place.partition] = place.offset
        return self._known

    def close(self) -> None:
        """Disconnect. May block for a moment."""
        self._client.close()
