"""What a group has committed, asked of the broker by a client that never joins the group."""

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

_TIMEOUT_S = 10.0
_MOST_FAILURES = 3


class CommittedOffsets:
    """A client for one group and one topic.

    Not the admin client: librdkafka's ends the process with a segmentation fault where the group has no
    coordinator for a moment (confluent-kafka-javascript, issue 374), and that is when it matters.
    """

    def __init__(self, bootstrap_servers: str, group: str, topic: str) -> None:
        self._config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "log_level": 2,
        }
        self._client = Consumer(self._config)
        self._failures = 0
        metadata = self._client.list_topics(topic, timeout=_TIMEOUT_S)
        self._asked = [TopicPartition(topic, number) for number in metadata.topics[topic].partitions]

    def read(self) -> dict[int, int]:
        """By partition; one without a committed offset is left out.

        Raises `KafkaException`, also where it would only take a moment: the broker restarts, say.
        """
        if self._failures >= _MOST_FAILURES:
            # After a broker's restart one was seen that found no coordinator any more, for minutes, while others did.
            self._client.close()
            self._client, self._failures = Consumer(self._config), 0
        self._failures += 1
        answer = self._client.committed(self._asked, timeout=_TIMEOUT_S)
        for one in answer:
            if one.error is not None:
                raise KafkaException(one.error)
        self._failures = 0
        return {one.partition: one.offset for one in answer if one.offset >= 0}

    def close(self) -> None:
        self._client.close()


def committed_offsets(bootstrap_servers: str, group: str, topic: str) -> dict[int, int]:
    """Ask until the broker is ready. Blocks; raises `KafkaException` where that takes more than 10 s."""
    offsets = CommittedOffsets(bootstrap_servers, group, topic)
    deadline_s = time.monotonic() + _TIMEOUT_S
    try:
        while True:
            try:
                return offsets.read()
            except KafkaException:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.1)
    finally:
        offsets.close()
