"""Three brokers in processes of their own, each of which tests may kill, and what leads what among them."""

import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.brokers.local_kafka import TEST_SETTINGS, LocalKafka
from tests.brokers.seat import Seat

_OFFSETS = "__consumer_offsets"
_ANSWER_S = 10.0

CLUSTER_SETTINGS: Mapping[str, str] = {
    **TEST_SETTINGS,
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}


class KafkaCluster:
    """Every topic on all three, writable while two are there. Every method may block for seconds."""

    def __init__(self, libs: Path) -> None:
        self.seats = Seat.choose(3)
        cluster_id = uuid.uuid4().hex[:22]
        self.brokers = {
            seat.node_id: LocalKafka(
                libs, settings=CLUSTER_SETTINGS, seat=seat, cluster=self.seats, cluster_id=cluster_id
            )
            for seat in self.seats
        }

    @property
    def bootstrap_servers(self) -> str:
        """All three, past every proxy."""
        return ",".join(seat.bootstrap_servers for seat in self.seats)

    def start(self) -> None:
        """Start those that do not run, and return when all three know each other and every replica is in sync."""
        for broker in self.brokers.values():
            broker.launch()
        for broker in self.brokers.values():
            broker.start()
        self.wait_until_in_sync()

    def wait_until_in_sync(self, timeout_s: float = 90.0) -> None:
        """Raises TimeoutError."""
        deadline_s = time.monotonic() + timeout_s
        while not self._is_in_sync():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the brokers were not in sync within {timeout_s:.0f} s")
            time.sleep(0.2)

    def leader_of(self, topic: str, partition: int = 0) -> int:
        """The number of the broker that leads; raises TimeoutError where none does within ten seconds."""
        deadline_s = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline_s:
            found = self._client().list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions
            if partition in found and found[partition].leader in self.brokers:
                return int(found[partition].leader)
            time.sleep(0.1)
        raise TimeoutError(f"{topic}[{partition}] has no leader")

    def coordinator_of(self, group: str) -> int:
        """The number of the broker that leads the group's partition of the offsets, by Kafka's own rule.

        Source: Apache Kafka, GroupCoordinatorService.partitionFor: Java's hash of the name, without its sign.
        """
        number = 0
        for letter in group:
            number = (31 * number + ord(letter)) & 0xFFFFFFFF
        return self.leader_of(
            _OFFSETS, (number & 0x7FFFFFFF) % int(TEST_SETTINGS["offsets.topic.num.partitions"])
        )

    def close(self) -> None:
        for broker in self.brokers.values():
            broker.close()

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})

    def _is_in_sync(self) -> bool:
        try:
            metadata = self._client().list_topics(timeout=_ANSWER_S)
        except KafkaException:
            return False
        partitions = [one for topic in metadata.topics.values() for one in topic.partitions.values()]
        return len(metadata.brokers) == len(self.brokers) and all(
            len(one.isrs) == len(one.replicas) and one.leader in self.brokers for one in partitions
        )
