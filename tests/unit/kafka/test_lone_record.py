"""A record that comes alone is handed on at once: it waits neither for a whole chunk nor for the time of a poll."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer

from consumer.kafka import owner as owner_module
from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy, consumer_config
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy
from consumer.sandbox.embedded import EmbeddedBroker
from consumer.types import Assigned, Chunk, TopicPartition

TOPIC = "user-events"


class WaitsForAll(Consumer):
    """A client that gives several records only when there are as many as it was asked for, or its time is up: here that
    is when the test says so."""

    released = threading.Event()
    waits = True

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        if num_messages > 1 and self.waits:
            self.released.wait(20.0)
        given = super().consume(num_messages, timeout)
        # The end of an empty partition is no record.
        self.waits = any(message.error() is None for message in given)
        return given


class First:
    """A listener that waits for the first record."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.value: asyncio.Future[bytes | None] = loop.create_future()
        self.over: asyncio.Future[BaseException | None] = loop.create_future()

    def records(self, chunks: list[Chunk], count: int) -> None:
        if not self.value.done():
            self.value.set_result(chunks[0].records[0].value)

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return chosen

    async def claim(
        self, committed: Mapping[TopicPartition, int | None]
    ) -> Mapping[TopicPartition, Assigned]:
        return {partition: Assigned(1, None) for partition in committed}

    async def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None: ...

    async def drain(
        self, partitions: list[TopicPartition], deadline_s: float
    ) -> Mapping[TopicPartition, int]:
        return {}

    def ended(self, fault: BaseException | None) -> None:
        self.over.set_result(fault)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


async def test_a_record_that_comes_alone_does_not_wait_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_module, "Consumer", WaitsForAll)
    monkeypatch.setattr(WaitsForAll, "released", threading.Event())
    with EmbeddedBroker() as broker:
        broker.create_topic(TOPIC)
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce(TOPIC, b"alone", partition=0)
        producer.flush(10.0)
        policy = KafkaPolicy(group="g")
        first: Any = First()
        config = consumer_config(broker.bootstrap_servers, {}, policy)
        owner = Owner(config, {TOPIC: TopicPolicy()}, policy, Bridge(asyncio.get_running_loop()), first)
        owner.start()
        try:
            assert await asyncio.wait_for(first.value, 10.0) == b"alone"
        finally:
            WaitsForAll.released.set()
            owner.stop()
            await asyncio.wait_for(first.over, 20.0)
