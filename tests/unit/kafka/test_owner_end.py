"""The end of the owner thread is told, whatever its client does: who waits for it would wait for ever."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from consumer.kafka import owner as owner_module
from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy
from consumer.kafka.insist import StopAsked
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy


class Client:
    """Has the topic, gives no records, and fails when it is closed."""

    def __init__(self, at_the_end: BaseException) -> None:
        self._at_the_end = at_the_end

    def list_topics(self, topic: str, timeout: float) -> Any:
        raise StopAsked

    def close(self) -> None:
        raise self._at_the_end


class Heard:
    """A listener that only waits for the end."""

    def __init__(self) -> None:
        self.end: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def ended(self, fault: BaseException | None) -> None:
        self.end.set_result(fault)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


async def end_of(at_the_end: BaseException, monkeypatch: pytest.MonkeyPatch) -> BaseException | None:
    def client(config: Mapping[str, Any], logger: object) -> Client:
        return Client(at_the_end)

    monkeypatch.setattr(owner_module, "Consumer", client)
    heard: Any = Heard()
    bridge = Bridge(asyncio.get_running_loop())
    owner = Owner({}, {"user-events": TopicPolicy()}, KafkaPolicy(group="g"), bridge, heard)
    owner.start()
    return await asyncio.wait_for(heard.end, 10.0)


async def test_an_assignment_that_comes_while_the_group_is_left_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await end_of(StopAsked(), monkeypatch) is None


async def test_what_fails_unexpectedly_at_the_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = AssertionError("a callback failed")
    assert await end_of(failure, monkeypatch) is failure
