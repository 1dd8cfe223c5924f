"""What becomes of a commit's answer, partition by partition."""

import asyncio
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.kafka.bridge import Bridge
from consumer.kafka.commits import Commits
from consumer.kafka.listener import Listener
from consumer.types import TopicPartition


class Heard:
    """The listener, as far as commits go."""

    def __init__(self) -> None:
        self.answers: list[tuple[Any, Any]] = []

    def committed(self, offsets: Any, failed: Any) -> None:
        self.answers.append((offsets, failed))


async def answer(error: KafkaError | None) -> tuple[Heard, list[KafkaError]]:
    heard, final = Heard(), list[KafkaError]()
    commits = Commits(Bridge(asyncio.get_running_loop()), cast(Listener, heard), final.append)
    commits.on_commit(error, [KafkaPartition("events", 0, 7)])
    await asyncio.sleep(0)
    return heard, final


async def test_what_the_broker_took_is_told() -> None:
    heard, final = await answer(None)

    assert heard.answers == [({TopicPartition("events", 0): 7}, {})]
    assert final == []


@pytest.mark.parametrize("code", [KafkaError.NOT_COORDINATOR, KafkaError.REBALANCE_IN_PROGRESS])
async def test_a_passing_error_is_told_and_ends_nothing(code: int) -> None:
    heard, final = await answer(KafkaError(code))

    assert heard.answers == [({}, {TopicPartition("events", 0): KafkaError(code).name()})]
    assert final == []


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    ],
)
async def test_an_error_that_no_later_commit_can_be_without_is_final(code: int) -> None:
    _, final = await answer(KafkaError(code))

    assert [error.code() for error in final] == [code]


class Client:
    """Answers an asynchronous commit with the third call that serves its callbacks, and keeps the order of all."""

    def __init__(self) -> None:
        self.commits: Commits
        self.order: list[str] = []
        self._served = 0

    def store_offsets(self, offsets: list[KafkaPartition]) -> None: ...

    def commit(self, *, asynchronous: bool) -> list[KafkaPartition]:
        self.order.append("asked" if asynchronous else "last")
        return []

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        self._served += 1
        if self._served == 3:
            self.order.append("answered")
            self.commits.on_commit(None, [KafkaPartition("events", 0, 7)])
        return []


async def test_at_a_stop_the_last_commit_waits_for_the_answer_to_the_one_before() -> None:
    heard, client = Heard(), Client()
    client.commits = commits = Commits(
        Bridge(asyncio.get_running_loop()), cast(Listener, heard), lambda error: None
    )
    offsets = {TopicPartition("events", 0): 7}

    commits.start(cast(Any, client), offsets)
    heard_it = commits.hear(cast(Any, client), 10.0)
    commits.wait(cast(Any, client), offsets)

    assert heard_it

    assert client.order == ["asked", "answered", "last"]


async def test_an_answer_that_does_not_come_in_time_is_not_waited_for_and_said_to_be_missing() -> None:
    heard, client = Heard(), Client()
    client.commits = commits = Commits(
        Bridge(asyncio.get_running_loop()), cast(Listener, heard), lambda error: None
    )

    commits.start(cast(Any, client), {TopicPartition("events", 0): 7})

    assert not commits.hear(cast(Any, client), 0.0)
