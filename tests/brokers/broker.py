"""A real Kafka broker as tests see it, wherever it comes from."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported at run time
from confluent_kafka.cimpl import NewTopic

from tests.brokers.local_kafka import LocalKafka
from tests.brokers.topic_reader import StoredRecord, TopicReader

_REQUEST_TIMEOUT_S = 30.0


class Broker:
    """Topics and groups under a random prefix of this run, and what the broker holds, by clients of its own.

    Methods may block. On a cluster that was given to the tests, `close` deletes what they made.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        source: str,
        *,
        process: LocalKafka | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        """`process` or `stop` say that the broker belongs to the tests and ends with them."""
        self.bootstrap_servers = bootstrap_servers
        self.source = source
        self.process = process
        self._stop = process.close if process is not None else stop
        self.prefix = f"test-{uuid.uuid4().hex[:8]}"
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})
        self._topics: list[str] = []
        self._groups: list[str] = []

    def topic(
        self, name: str = "events", *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """A new topic; gives its full name, which no other test has."""
        full_name = self.unused(name)
        self.create(full_name, partitions=partitions, config=config)
        return full_name

    def create(self, full_name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic by its full name (a test that needs `X.dead-letters` beside `X`)."""
        new = NewTopic(full_name, num_partitions=partitions, config=dict(config or {}))
        deadline_s = time.monotonic() + _REQUEST_TIMEOUT_S
        while True:
            try:
                self._admin.create_topics([new])[full_name].result(_REQUEST_TIMEOUT_S)
                break
            except KafkaException as error:
                # A broker that did not run for seconds is fenced by its controller, until its next heartbeat.
                fenced = error.args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR
                if not fenced or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.2)
        self._topics.append(full_name)

    def group(self, name: str = "group") -> str:
        """A consumer group's name that no other test has."""
        full_name = self.unused(name)
        self._groups.append(full_name)
        return full_name

    def unused(self, name: str) -> str:
        """`name` under the prefix of this run and with a suffix of its own; creates nothing."""
        return f"{self.prefix}-{name}-{uuid.uuid4().hex[:6]}"

    def produce(
        self, topic: str, records: Iterable[tuple[bytes | None, bytes | None]], *, partition: int = -1
    ) -> None:
        """Append (key, value) pairs and wait until the broker has acknowledged all of them.

        Raises `KafkaException` for the first one that it refused.
        """
        refused: list[Any] = []
        config = {"bootstrap.servers": self.bootstrap_servers, "linger.ms": 5, "log_level": 2}
        # Else a batch that is sent again comes behind the one after it, and the order is not the caller's.
        producer = Producer({**config, "enable.idempotence": True})

        def acknowledged(error: Any, _message: object) -> None:
            if error is not None:
                refused.append(error)

        for key, value in records:
            producer.produce(topic, key=key, value=value, partition=partition, on_delivery=acknowledged)
            producer.poll(0)
        unsent = producer.flush(_REQUEST_TIMEOUT_S)
        if refused:
            raise KafkaException(refused[0])
        if unsent:
            raise TimeoutError(f"{topic}: {unsent} records not acknowledged in {_REQUEST_TIMEOUT_S:.0f} s")

    def read(self, topic: str, *, timeout_s: float = 60.0) -> list[StoredRecord]:
        """Everything in the topic, in offset order within each partition."""
        return TopicReader(self.bootstrap_servers).read(topic, timeout_s=timeout_s)

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset after the last record, by partition."""
        metadata = self._admin.list_topics(topic, timeout=_REQUEST_TIMEOUT_S).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        ends = self._admin.list_offsets(
            {TopicPartition(topic, number): OffsetSpec.latest() for number in metadata.partitions}
        )
        return {each.partition: future.result(_REQUEST_TIMEOUT_S).offset for each, future in ends.items()}

    def close(self) -> None:
        """Delete the topics and groups that the tests made, or the whole broker if it is the tests' own."""
        if self._stop is not None:
            self._stop()
            return
        futures: dict[str, Any] = {}
        if self._groups:
            futures |= self._admin.delete_consumer_groups(self._groups)
        if self._topics:
            futures |= self._admin.delete_topics(self._topics)
        for future in futures.values():
            future.exception(_REQUEST_TIMEOUT_S)  # a group that never came to be, a topic that a test deleted
