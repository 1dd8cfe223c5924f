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
