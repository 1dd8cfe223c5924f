"""Reads a topic through the consumer's own Kafka thread and does nothing with it: what reading costs."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from bench.setting import Setting
from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy, consumer_config
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy
from consumer.types import Assigned, Chunk, Record, TopicPartition


class Reading:
    """A `consumer.kafka.listener.Listener` that keeps what it gets until it has `count` records."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._owner: Owner
        self._began_s: float | None = None
        self.chunks: list[list[Record]] = []
        self.records_read = 0
        self.cpu_s = 0.0
        """Of the whole process, from the first chunk to the last."""
        self.ended_well: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def attach(self, owner: Owner) -> None:
        """Before the start."""
        self._owner = owner

    def records(self, chunks: list[Chunk], count: int) -> None:
        if self._began_s is None:
            self._began_s = time.process_time()
        if self.records_read < self._count:
            self.chunks += [chunk.records for chunk in chunks]
            self.records_read += count
            if self.records_read >= self._count:
                self.cpu_s = time.process_time() - self._began_s
                self._owner.stop()
        self._owner.took(count)

    def ends_of_partitions(self, offsets: Mapping[TopicPartition, int]) -> None: ...

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return chosen

    async def claim(
        self, committed: Mapping[TopicPartition, int | None]
    ) -> Mapping[TopicPartition, Assigned]:
        return {partition: Assigned(1, None) for partition in committed}

    async def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None: ...

    async def drain(
        self, partitions: Sequence[TopicPartition], deadline_s: float
    ) -> Mapping[TopicPartition, int]:
        return {}

    def lost(self, partitions: Sequence[TopicPartition]) -> None: ...

    def committed(
        self, offsets: Mapping[TopicPartition, int], failed: Mapping[TopicPartition, str]
    ) -> None: ...

    def noticed(self, text: str) -> None: ...

    def goal(self, ends: Mapping[TopicPartition, int]) -> None: ...

    def elsewhere(self, committed: Mapping[TopicPartition, int | None]) -> None: ...

    def lag(self, ends: Mapping[TopicPartition, int]) -> None: ...

    def handed(self, counts: Mapping[TopicPartition, tuple[int, int]]) -> None: ...

    def ended(self, fault: BaseException | None) -> None:
        if fault is None:
            self.ended_well.set_result(None)
        else:
            self.ended_well.set_exception(fault)


async def read(topic: str, count: int, setting: Setting) -> Reading:
    """At least `count` records from the beginning of the topic, in the chunks in which they were polled."""
    policy = KafkaPolicy(setting.broker.group("reading"))
    reading = Reading(count)
    owner = Owner(
        consumer_config(setting.broker.bootstrap_servers, {}, policy),
        {topic: TopicPolicy()},
        policy,
        Bridge(asyncio.get_running_loop()),
        reading,
    )
    reading.attach(owner)
    owner.start()
    await reading.ended_well
    return reading
