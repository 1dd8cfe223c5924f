"""The topic that is produced to."""

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from consumer.errors import BrokerError
from consumer.kafka.first_answer import FirstAnswer
from consumer.sandbox.generator.complaint import properties_checked, reason

_TIMEOUT_S = 10.0
_BROKER_DEFAULT = -1


def ensure_topic(bootstrap_servers: str, topic: str, partitions: int, properties: Mapping[str, str]) -> int:
    """Create the topic where it is missing; an existing one stays as it is. Gives its number of partitions.

    Blocks up to about 20 s. Raises BrokerError where the broker can't be reached or refuses to create it, and
    UsageError where librdkafka does not know a property.
    """
    first = FirstAnswer(bootstrap_servers, properties)
    ours: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers,
        "log_level": 2,
        "error_cb": first.on_error,
    }
    with properties_checked():
        admin = AdminClient({**properties, **ours})
    # Asked for all topics, because asking for this one could create it with the broker's default.
    present = first.topics(admin, _TIMEOUT_S).topics.get(topic)
    if present is not None:
        return len(present.partitions)
    new = NewTopic(topic, num_partitions=partitions, replication_factor=_BROKER_DEFAULT)
    try:
        admin.create_topics([new], request_timeout=_TIMEOUT_S)[topic].result()
        _wait_until_known(admin, topic)
    except KafkaException as error:
        # Someone else was faster: as good.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise BrokerError(
                f"the topic {topic} can't be created: {reason(error)}; create it, or name no partitions "
                "where the broker creates topics by itself"
            ) from error
    return partitions


def _wait_until_known(admin: AdminClient, topic: str) -> None:
    """A broker can hear of a topic later than who created it: a producer would then say that there is none."""
    deadline_s = time.monotonic() + _TIMEOUT_S
    while topic not in admin.list_topics(timeout=_TIMEOUT_S).topics and time.monotonic() < deadline_s:
        time.sleep(0.05)
