"""The topic behind a transactional log: whether it is there, whether it forgets, and clients for it."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from consumer.errors import BrokerError, UsageError
from consumer.kafka.first_answer import FirstAnswer
from consumer.kafka.insist import insist
from consumer.kafka.transactional_log import Reader, Writer
from consumer.kafka.trouble import unusable

CLIENT_LOG = logging.getLogger("consumer.kafka.client")
_TIMEOUT_S = 20.0
_KNOWN_AFTER_S = 10.0
_AGAIN_S = 0.1
_BROKER_DEFAULT = -1
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_READERS_OWN = ("fetch.", "queued.", "auto.", "session.", "group.", "max.poll.", "isolation.", "partition.")
_WRITERS_OWN = (
    "linger.",
    "batch.",
    "compression.",
    "message.",
    "transaction",
    "enable.",
    "acks",
    "delivery.",
)
TRANSACTION_TIMEOUT_MS = 30_000
"""How long readers may have to wait for a killed writer's transaction, where nobody claims the topic before."""


class LogTopic:
    """One topic on one cluster. Methods block; they raise BrokerError for what the cluster does."""

    def __init__(self, bootstrap_servers: str, topic: str, properties: Mapping[str, str]) -> None:
        """Raises UsageError for a property that librdkafka does not know."""
        self.name = topic
        self._properties = dict(properties)
        self._servers = {"bootstrap.servers": bootstrap_servers}
        self._first = FirstAnswer(bootstrap_servers, properties)
        config: dict[str, Any] = {
            **self._without(_READERS_OWN + _WRITERS_OWN),
            **self._servers,
            "error_cb": self._first.on_error,
        }
        try:
            self._admin = AdminClient(config, logger=CLIENT_LOG)
        except KafkaException as error:
            raise unusable(error) from None

    @property
    def transactional_id(self) -> str:
        """One for each topic: so a second writer of the same topic takes over, and does not write beside."""
        return f"distinct-consumer-touchpoints.{self.name}"

    def ensure(self, partitions: int | None) -> None:
        """Create the topic, to be kept for ever, where it is missing and a number of partitions is given.

        Raises UsageError where it is missing and none is.
        """
        if self._partitions() is not None:
            return
        if partitions is None:
            raise UsageError(
                f"the topic {self.name} does not exist: create it with retention.ms=-1, or give --partitions"
            )
        new = NewTopic(
            self.name, num_partitions=partitions, replication_factor=_BROKER_DEFAULT, config=_FOR_EVER
        )
        try:
            self._admin.create_topics([new], request_timeout=_TIMEOUT_S)[self.name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise BrokerError(f"the topic {self.name} can't be created: {_text(error)}") from None

    def forgets(self) -> str | None:
        """Why records of the topic are, or will be, missing; None where it keeps everything."""
        try:
            found = self._configuration()
        except KafkaException as error:
            return f"its configuration can't be read ({_text(error)})"
        for key, wanted in _FOR_EVER.items():
            value = found[key].value
            if value != wanted:
                return f"{key} is {value}, and has to be {wanted}"
        begin = self._offsets(OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        if any(begin.values()):
            return "its first records have been deleted"
        return None

    def _configuration(self) -> Mapping[str, ConfigEntry]:
        """A broker may not know yet what another one, or itself, has just created: it is asked again for a while."""
        resource = ConfigResource(ResourceType.TOPIC, self.name)
        deadline_s = time.monotonic() + _KNOWN_AFTER_S
        while True:
            try:
                answer = self._admin.describe_configs([resource], request_timeout=_TIMEOUT_S)
                found: Mapping[str, ConfigEntry] = answer[resource].result()
                return found
            except KafkaException as error:
                unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                if not unknown or time.monotonic() >= deadline_s:
                    raise
            time.sleep(_AGAIN_S)

    def writer(self) -> Writer:
        """See LogClients.writer."""
        return Producer(
            {
                "client.id": "distinct-consumer-touchpoints",
                "linger.ms": 5,
                "compression.type": "lz4",
                **self._without(_READERS_OWN),
                **self._servers,
                # As Java's producers place keys, so that one user is on one partition whoever produces.
                "partitioner": "murmur2_random",
                "transactional.id": self.transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "message.timeout.ms": TRANSACTION_TIMEOUT_MS,
            },
            logger=CLIENT_LOG,
        )

    def reader(self) -> Reader:
        """See LogClients.reader."""
        config: dict[str, Any] = {
            "client.id": "distinct-consumer-touchpoints",
            **self._without(_WRITERS_OWN),
            **self._servers,
            "group.id": self.transactional_id,  # demanded by the client; never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        return Consumer(config, logger=CLIENT_LOG)

    def ends(self) -> Mapping[int, int]:
        """See LogClients.ends."""
        return self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def _offsets(self, spec: OffsetSpec) -> dict[int, int]:
        """By partition. Not a consumer's watermarks: for one that reads what is committed they end before an
        open transaction.
        """
        partitions = self._partitions()
        if not partitions:
            raise BrokerError(f"the topic {self.name} is not there any more")
        asked = {KafkaPartition(self.name, number): spec for number in partitions}

        def ask(timeout_s: float) -> dict[int, int]:
            answers = self._admin.list_offsets(asked, request_timeout=timeout_s)
            return {one.partition: future.result().offset for one, future in answers.items()}

        # A topic that was created a moment ago, or whose leader moves, has nobody to answer yet.
        return insist(ask, _TIMEOUT_S, threading.Event())  # a signal ends the process, not this question

    def _partitions(self) -> list[int] | None:
        """None where the topic does not exist."""
        # Asked for all topics, because asking for this one could create it with the broker's default.
        found = self._first.topics(self._admin, _TIMEOUT_S).topics.get(self.name)
        return None if found is None else sorted(found.partitions)

    def _without(self, prefixes: tuple[str, ...]) -> dict[str, str]:
        """The user's properties but for those of another kind of client, of which librdkafka would warn."""
        return {name: value for name, value in self._properties.items() if not name.startswith(prefixes)}


def _text(error: KafkaException) -> str:
    cause = error.args[0]
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
