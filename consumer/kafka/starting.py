"""Where newly assigned partitions begin to be read."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import msgspec
from confluent_kafka import Consumer

from consumer.kafka.bridge import Bridge
from consumer.kafka.gaps import cross_lost_commit
from consumer.kafka.insist import insist
from consumer.kafka.listener import Listener
from consumer.kafka.positions import (
    beginning,
    committed_offsets,
    first_positions,
    known_offsets,
    partitions_of,
)
from consumer.types import Assigned, TopicPartition

R = TypeVar("R")


class TopicPolicy(msgspec.Struct, frozen=True):
    """Where reading starts without a committed offset, and what happens when retention passed the committed
    one.
    """

    start: str = "earliest"
    on_gap: str = "stop"


class Starting(msgspec.Struct, frozen=True):
    """Where one partition begins. `chosen`: by us, so that it has to be committed before the first record
    goes on.
    """

    epoch: int
    offset: int
    chosen: bool


class Starts:
    """Finds the first offsets. Blocks for broker and ledger; used by the owner thread, inside of the
    assignment.
    """

    def __init__(
        self,
        topics: Mapping[str, TopicPolicy],
        bridge: Bridge,
        listener: Listener,
        timeout_s: float,
        stopping: threading.Event,
    ) -> None:
        self._topics = topics
        self._bridge = bridge
        self._listener = listener
        self._timeout_s = timeout_s
        self._stopping = stopping

    def find(self, client: Consumer, partitions: list[TopicPartition]) -> dict[TopicPartition, Starting]:
        """Claim the partitions in the ledger and say where each begins. Raises what the ledger or Kafka fails
        with, and StopAsked.
        """
        committed = self._insist(partial(committed_offsets, client, partitions))
        assigned = self._bridge.ask(self._listener.claim(committed), self._timeout_s)
        return {one: self._starting(client, one, committed[one], assigned[one]) for one in partitions}

    def _starting(
        self, client: Consumer, partition: TopicPartition, committed: int | None, assigned: Assigned
    ) -> Starting:
        if committed is not None:
            return Starting(assigned.epoch, committed, chosen=False)
        if assigned.position is None:
            first = self._first(client, partition)
        else:
            first = self._without_commit(client, partition, assigned.position)
        return Starting(assigned.epoch, first, chosen=True)

    def _without_commit(self, client: Consumer, partition: TopicPartition, position: int) -> int:
        """The ledger's position was written before a commit: of the first start, which never came to be, or of later
        ones, which are gone."""
        topic = partition.topic
        began = self._bridge.ask(self._listener.starts(topic, {}), self._timeout_s).get(partition.partition)
        watermarks = self._insist(partial(known_offsets, client, partition))
        if position <= max(watermarks[0], began if began is not None else 0):
            return position
        on_gap = self._topics[topic].on_gap
        first, text = cross_lost_commit(partition, position, watermarks, on_gap)
        self._bridge.post(self._listener.noticed, text)
        return first

    def _first(self, client: Consumer, partition: TopicPartition) -> int:
        """The topic's `start`, chosen once for all of its partitions; one that came later starts at its
        beginning.
        """
        timeout_s = self._timeout_s
        topic = partition.topic
        standing = self._bridge.ask(self._listener.starts(topic, {}), timeout_s)
        if not standing and not self._group_runs(client, topic):
            start = self._topics[topic].start
            chosen = self._insist(partial(first_positions, client, topic, start))
            standing = self._bridge.ask(self._listener.starts(topic, chosen), timeout_s)
        first = standing.get(partition.partition)
        return first if first is not None else self._insist(partial(beginning, client, partition))

    def _group_runs(self, client: Consumer, topic: str) -> bool:
        """Whether the group has committed anything of the topic: then it is not its first start."""
        numbers = self._insist(partial(partitions_of, client, topic))
        every = [TopicPartition(topic, number) for number in numbers]
        known = self._insist(partial(committed_offsets, client, every))
        return any(offset is not None for offset in known.values())

    def _insist(self, call: Callable[[float], R]) -> R:
        return insist(call, self._timeout_s, self._stopping)
