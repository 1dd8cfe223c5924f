"""Back-pressure at the client: which topics are not fetched."""

import time
from collections.abc import Collection, Iterable

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.types import TopicPartition

REST_S = 1.0
"""How long polling rests before a back-pressure on all topics pauses their partitions: a pause throws away what is
prefetched, and fetching it again takes most of a second. So short a rest costs no membership: heartbeats have a thread
of their own."""


class Resting:
    """Pauses and resumes partitions by topic. Used by the owner thread only."""

    def __init__(self) -> None:
        self.topics: frozenset[str] = frozenset()
        """Those of which no record is to be handed on."""
        self._paused: frozenset[str] = frozenset()
        self._until_s = 0.0

    def begin(self, client: Consumer, assigned: Collection[TopicPartition], topics: frozenset[str]) -> None:
        """These rest from now on, and no others."""
        if topics == self.topics:
            return
        self.topics = topics
        own = {one.topic for one in assigned}
        if own and own <= topics and not own & self._paused:
            self._until_s = time.monotonic() + REST_S
        else:
            # Others go on, so polling cannot rest: what is to be left has to be paused.
            self.settle(client, assigned)

    def is_young(self, client: Consumer, assigned: Collection[TopicPartition]) -> bool:
        """Whether nothing is to be polled for a moment, because a rest of all topics mostly ends by itself soon.
        Pauses the partitions when it has not."""
        if not self._until_s:
            return False
        if time.monotonic() < self._until_s:
            return True
        self.settle(client, assigned)
        return False

    def settle(self, client: Consumer, assigned: Collection[TopicPartition]) -> None:
        """Pause what rests, and resume what does not any more."""
        self._until_s = 0.0
        for change, topics in (
            (client.pause, self.topics - self._paused),
            (client.resume, self._paused - self.topics),
        ):
            partitions = [KafkaPartition(*one) for one in assigned if one.topic in topics]
            if partitions:
                change(partitions)
        self._paused = self.topics

    def take_up(
        self, client: Consumer, assigned: Collection[TopicPartition], new: Iterable[KafkaPartition]
    ) -> None:
        """Partitions came: a pause survives a reassignment, and the bound may have been passed meanwhile."""
        if self._until_s:
            self.settle(client, assigned)  # All are paused now, so that all are resumed together.
        for one in new:
            (client.pause if one.topic in self.topics else client.resume)([one])
