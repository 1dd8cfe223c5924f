"""Before the group is joined: the brokers answer, and the topics are there."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.errors import BrokerError, UsageError
from consumer.kafka.insist import Unanswered, insist
from consumer.kafka.positions import partitions_of
from consumer.types import TopicPartition

R = TypeVar("R")


class Arrival:
    """Waits for the brokers, within a bound. Blocks; used by the owner thread."""

    def __init__(
        self,
        client: Consumer,
        bootstrap_servers: str,
        timeout_s: float,
        stopping: threading.Event,
        notice: Callable[[str], None],
        heard: Callable[[], str | None],
    ) -> None:
        """`heard` gives what the client said last of its connections, and raises what is final."""
        self._client = client
        self._servers = bootstrap_servers
        self._timeout_s = timeout_s
        self._stopping = stopping
        self._notice = notice
        self._heard = heard
        self._told = False

    def find(self, topics: Iterable[str]) -> dict[str, list[int]]:
        """The partitions of each topic. Raises UsageError for one that does not exist, BrokerError where no broker
        answers or one refuses us, and StopAsked."""
        return {topic: self._numbers(topic) for topic in topics}

    def ends(self, topics: dict[str, list[int]]) -> dict[TopicPartition, int]:
        """The end offsets of the partitions that hold something. Raises BrokerError and StopAsked."""
        out: dict[TopicPartition, int] = {}
        for topic, numbers in topics.items():
            for number in numbers:
                low, high = self._ask(partial(self._watermarks, KafkaPartition(topic, number)))
                if high > low:
                    out[TopicPartition(topic, number)] = high
        return out

    def _numbers(self, topic: str) -> list[int]:
        numbers = self._ask(partial(partitions_of, self._client, topic))
        if not numbers:
            raise UsageError(
                f"topic {topic!r} does not exist on this cluster: create it, or correct the topology"
            )
        return numbers

    def _watermarks(self, one: KafkaPartition, timeout_s: float) -> tuple[int, int]:
        low, high = self._client.get_watermark_offsets(one, timeout=timeout_s)
        return low, high

    def _ask(self, call: Callable[[float], R]) -> R:
        try:
            return insist(call, self._timeout_s, self._stopping, self._wait)
        except Unanswered as error:
            # "Broker transport failure" says less than why the last connection was not made.
            raise BrokerError(
                f"Kafka gave no answer: {said}" if (said := self._heard()) else str(error)
            ) from None

    def _wait(self, reason: str) -> None:
        self._client.poll(
            0
        )  # The client's error events come only here: refused, no such host, wrong password.
        said = self._heard() or reason
        if not self._told:
            self._told = True
            self._notice(
                f"no answer from Kafka yet: {said}; tried again for {self._timeout_s:g} s. "
                f"{where_to_look(self._servers)}"
            )


def where_to_look(bootstrap_servers: str) -> str:
    """For people, where brokers do not answer or refuse us."""
    return (
        f"Asked at {bootstrap_servers}: check KAFKA_BOOTSTRAP_SERVERS, and KAFKA_PROPERTIES for what the brokers ask "
        "for (security.protocol, SASL, certificates)"
    )
