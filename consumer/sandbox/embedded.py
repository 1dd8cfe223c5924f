"""A Kafka broker inside this process: librdkafka's mock cluster. For the demo and for quick tests.

Any client on this machine can connect to it. What it can't do: create topics on request (first use does),
more or fewer than 4 partitions, look offsets up by time, fence, hide aborted records. It keeps 5 MiB and
100,000 batches a partition and then drops the oldest, read or not: who produces much waits for the reader
(Target.wait_for_group).
"""

from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from consumer.errors import BrokerError
from consumer.sandbox.generator.positions import CommittedPositions

_TIMEOUT_S = 5.0


class Watermarks(NamedTuple):
    """The first offset that a partition still has, and the next that will be written."""

    low: int
    high: int


class EmbeddedBroker:
    """Lives from its construction to `close`; nothing of it survives. For one thread at a time.

    Its methods may block for a round trip each, and raise BrokerError where the cluster does not answer.
    """

    def __init__(self, brokers: int = 1) -> None:
        # This producer is the cluster: it lives as long as the object, and produces nothing.
        self._cluster = Producer({"test.mock.num.brokers": brokers, "log_level": 2})
        try:
            found = self._cluster.list_topics(timeout=_TIMEOUT_S).brokers.values()
        except KafkaException as error:
            raise BrokerError("the embedded broker did not start") from error
        self._bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in found)
        self._probe = Consumer(
            {
                "bootstrap.servers": self._bootstrap_servers,
                "group.id": "embedded-broker-probe",  # never joined
                "log_level": 2,
            }
        )

    @property
    def bootstrap_servers(self) -> str:
        """What a client needs to connect: host:port on loopback, with commas between."""
        return self._bootstrap_servers

    def create_topic(self, topic: str) -> int:
        """Make sure that the topic exists; gives its number of partitions."""
        try:
            return len(self._cluster.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions)
        except KafkaException as error:
            raise BrokerError(f"the embedded broker did not create {topic}") from error

    def watermarks(self, topic: str) -> dict[int, Watermarks]:
        """By partition. A low mark above 0 means that records were dropped to make room."""
        marks = {}
        for partition in range(self.create_topic(topic)):
            try:
                low, high = self._probe.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=_TIMEOUT_S
                )
            except KafkaException as error:
                raise BrokerError(f"the embedded broker did not answer for {topic}[{partition}]") from error
            marks[partition] = Watermarks(low, high)
        return marks

    def committed(self, topic: str, group: str) -> dict[int, int]:
        """The group's committed offset by partition; a partition without one is left out."""
        positions = CommittedPositions(self._bootstrap_servers, topic, self.create_topic(topic), group, {})
        try:
            return dict(positions())
        finally:
            positions.close()

    def unread(self, topic: str, group: str) -> dict[int, int]:
        """How many records the group has not committed, by partition."""
        committed = self.committed(topic, group)
        return {
            partition: marks.high - committed.get(partition, marks.low)
            for partition, marks in self.watermarks(topic).items()
        }

    def close(self) -> None:
        """End the cluster: clients lose their connections, and its records are gone. Safe to repeat."""
        self._probe.close()
        self._cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
