"""Notices that a topic was deleted and created anew while it is read.

Neither the client nor the broker says so: the client goes on in the new topic at the position that it had in the old
one, and what lies below is never read. Only the id that Kafka gives each topic tells them apart.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from consumer.errors import StoppedError
from consumer.kafka.properties import CONSUMER_ONLY

INTERVAL_S = 5.0
_ANSWER_S = 10.0
_OURS = (
    "group.",
    "enable.",
    "auto.offset.reset",
    "partition.assignment.strategy",
    "on_commit",
    "error_cb",
)


class Described(Protocol):
    """What is looked at of a topic's description."""

    @property
    def topic_id(self) -> Any: ...


class Descriptions(Protocol):
    """What is used of an admin client; confluent_kafka's is one."""

    def describe_topics(
        self, topics: TopicCollection, /, *, request_timeout: float
    ) -> Mapping[str, "Future[Any]"]: ...

    def poll(self, timeout_s: float, /) -> int: ...


class Incarnations:
    """Asks for the topics' ids from time to time. Never waits; used by the owner thread."""

    def __init__(self, topics: Iterable[str], client: Descriptions) -> None:
        self._topics = TopicCollection(list(topics))
        self._client = client
        self._ids: dict[str, str] = {}
        self._asked: dict[str, Future[Any]] = {}
        self._asked_at_s = float("-inf")

    def look(self, now_s: float) -> None:
        """See what the last question gave, and ask again in time.

        Raises StoppedError for a topic whose id is not the one that it had first: what has been read of the new one
        by now lies above the position in the old one, and only a person knows whether that was meant.
        """
        self._client.poll(0)  # a token that is to be renewed asks for it here
        for topic, future in list(self._asked.items()):
            if future.done():
                del self._asked[topic]
                if self._is_another(topic, future):
                    raise StoppedError(
                        f"the topic {topic} was deleted and created anew while it was read: what lies below the "
                        "positions in the old one was not read of the new one. Set the group's offsets to the "
                        f"beginning (kafka-consumer-groups.sh --reset-offsets --to-earliest --topic {topic}) and "
                        "start again: what was delivered is not sent again"
                    )
        if not self._asked and now_s - self._asked_at_s >= INTERVAL_S:
            self._asked_at_s = now_s
            self._asked = dict(self._client.describe_topics(self._topics, request_timeout=_ANSWER_S))

    def _is_another(self, topic: str, future: "Future[Described]") -> bool:
        try:
            topic_id = str(future.result().topic_id)
        except KafkaException:
            return False  # no answer, no such topic for a moment, or no right to ask
        return self._ids.setdefault(topic, topic_id) != topic_id


def admin_of(config: Mapping[str, Any]) -> AdminClient:
    """An admin client with the connection of a consumer's options."""
    options = {
        name: value
        for name, value in config.items()
        if name not in CONSUMER_ONLY and not name.startswith(_OURS)
    }
    return AdminClient({**options, "log_level": 2})
