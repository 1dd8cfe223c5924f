"""A cluster's topics: looked at, and changed as a plan says. Nothing here deletes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported at run time
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)

from consumer.core.changes import AddPartitions, CreateTopic, SetConfig, TopicChange
from consumer.core.cluster import MAX_MESSAGE_BYTES, FoundCluster, FoundTopic
from consumer.errors import BrokerError
from consumer.kafka.first_answer import FirstAnswer
from consumer.kafka.trouble import unusable

_TIMEOUT_S = 20.0
_FIRST_ANSWER_S = 10.0
_DEFAULTS: Mapping[str, str] = {"message.max.bytes": MAX_MESSAGE_BYTES}
"""The broker's names of what a new topic gets, with the topic's names."""


_NOT_ALLOWED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})


class Objection(msgspec.Struct, frozen=True):
    """Why a change would be refused. `ours`: only because we may not make it ourselves."""

    text: str
    ours: bool


class Cluster:
    """One admin client. Its calls block for a round trip or two each; BrokerError has the broker's own reason."""

    def __init__(self, bootstrap_servers: str, properties: Mapping[str, str]) -> None:
        """Connects at the first call. Raises UsageError for a property that librdkafka does not take."""
        self._first = FirstAnswer(bootstrap_servers, properties)
        config: dict[str, Any] = {
            "client.id": "distinct-consumer-topology",
            **properties,
            "bootstrap.servers": bootstrap_servers,
            "log_level": 2,
            "error_cb": self._first.on_error,
        }
        try:
            self._client = AdminClient(config)
        except KafkaException as error:
            raise unusable(error) from None

    def look(self, topics: Collection[str]) -> FoundCluster:
        """The brokers, and those of the topics that exist. Creates none, whatever the broker's settings."""
        # All topics are asked for, because asking for one could create it with the broker's defaults.
        metadata = self._first.topics(self._client, _FIRST_ANSWER_S)
        present = sorted(topics & metadata.topics.keys())
        configs = self._topic_configs(present)
        found = {name: _found(metadata.topics[name], configs[name]) for name in present}
        return FoundCluster(len(metadata.brokers), found, self._defaults(sorted(metadata.brokers)))

    def rehearse(self, change: TopicChange) -> Objection | None:
        """Let the brokers check a change, names and values of configs included, without making it."""
        try:
            _wait(self._ask(change, dry=True))
        except KafkaException as error:
            return Objection(_reason(error), _code(error) in _NOT_ALLOWED)
        return None

    def carry_out(self, change: TopicChange) -> None:
        """Make a change. A topic that somebody else has created meanwhile is an error: the plan is out of date."""
        try:
            _wait(self._ask(change, dry=False))
        except KafkaException as error:
            raise BrokerError(
                f"the cluster does not change the topic {change.topic}: {_reason(error)}"
            ) from None

    def _ask(self, change: TopicChange, *, dry: bool) -> Mapping[Any, Any]:
        options: dict[str, Any] = {"request_timeout": _TIMEOUT_S, "validate_only": dry}
        match change:
            case CreateTopic(topic, partitions, replication, configs):
                if not dry:
                    options["operation_timeout"] = _TIMEOUT_S / 2  # until all brokers know it
                new = NewTopic(
                    topic, num_partitions=partitions, replication_factor=replication, config=dict(configs)
                )
                return self._client.create_topics([new], **options)
            case AddPartitions():
                return self._client.create_partitions([NewPartitions(change.topic, change.after)], **options)
            case SetConfig():
                entry = ConfigEntry(change.name, change.after, incremental_operation=AlterConfigOpType.SET)
                kind = ConfigResource.Type.TOPIC
                resource = ConfigResource(kind, change.topic, incremental_configs=[entry])
                return self._client.incremental_alter_configs([resource], **options)

    def _topic_configs(self, topics: Sequence[str]) -> dict[str, dict[str, str]]:
        if not topics:
            return {}
        asked = {name: ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics}
        futures = self._client.describe_configs(list(asked.values()), request_timeout=_TIMEOUT_S)
        try:
            entries = _wait(futures)
        except KafkaException as error:
            raise BrokerError(f"the cluster does not tell the topics' configs: {_reason(error)}") from None
        return {name: _values(entries[resource]) for name, resource in asked.items()}

    def _defaults(self, brokers: Sequence[int]) -> dict[str, str]:
        """What a new topic gets; empty where we may not ask: Kafka's own defaults are then assumed."""
        asked = ConfigResource(ConfigResource.Type.BROKER, str(brokers[0]))
        futures = self._client.describe_configs([asked], request_timeout=_TIMEOUT_S)
        try:
            values = _values(futures[asked].result(_TIMEOUT_S))
        except (KafkaException, TimeoutError):
            return {}
        return {ours: values[theirs] for theirs, ours in _DEFAULTS.items() if theirs in values}


def _found(metadata: Any, configs: Mapping[str, str]) -> FoundTopic:
    partitions = metadata.partitions.values()
    replication = min((len(one.replicas) for one in partitions), default=0)
    return FoundTopic(len(partitions), replication, configs)


def _values(entries: Mapping[str, Any]) -> dict[str, str]:
    """Without those that the broker keeps to itself."""
    return {name: entry.value for name, entry in entries.items() if entry.value is not None}


def _wait(futures: Mapping[Any, Any]) -> dict[Any, Any]:
    try:
        return {key: future.result(_TIMEOUT_S + 5.0) for key, future in futures.items()}
    except TimeoutError:
        raise BrokerError(f"the cluster gave no answer within {_TIMEOUT_S:g} s") from None


def _code(error: KafkaException) -> int | None:
    cause = error.args[0]
    return cause.code() if isinstance(cause, KafkaError) else None


def _reason(error: KafkaException) -> str:
    cause = error.args[0]
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
