"""Back-pressure by topic: what was fetched ahead is kept where it can be, and nobody is left paused."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.kafka.resting import Resting
from consumer.types import TopicPartition

A, B = TopicPartition("a", 0), TopicPartition("b", 0)
BOTH = frozenset({"a", "b"})


class Client:
    """Remembers which partitions are paused."""

    def __init__(self) -> None:
        self.paused: set[str] = set()
        self.calls = 0

    def pause(self, partitions: list[KafkaPartition]) -> None:
        self.calls += 1
        self.paused |= {one.topic for one in partitions}

    def resume(self, partitions: list[KafkaPartition]) -> None:
        self.calls += 1
        self.paused -= {one.topic for one in partitions}


@pytest.fixture
def client() -> Any:
    return Client()


@pytest.fixture
def resting() -> Resting:
    return Resting()


def test_a_short_rest_of_all_topics_pauses_nothing(resting: Resting, client: Any) -> None:
    resting.begin(client, [A, B], BOTH)
    assert resting.is_young(client, [A, B])
    resting.begin(client, [A, B], frozenset())
    assert not resting.is_young(client, [A, B])
    assert client.calls == 0, "a pause throws away what was fetched ahead"


def test_a_long_rest_pauses_and_ends_with_everything_resumed(
    resting: Resting, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumer.kafka.resting.REST_S", -1.0)
    resting.begin(client, [A, B], BOTH)
    assert not resting.is_young(client, [A, B])
    assert client.paused == BOTH
    resting.begin(client, [A, B], frozenset())
    assert client.paused == set()


def test_where_others_go_on_the_topic_is_paused_at_once(resting: Resting, client: Any) -> None:
    resting.begin(client, [A, B], frozenset({"a"}))
    assert not resting.is_young(client, [A, B]), "the other one is polled"
    assert client.paused == {"a"}
    resting.begin(client, [A, B], BOTH)
    assert client.paused == BOTH
    resting.begin(client, [A, B], frozenset({"a"}))
    assert client.paused == {"a"}


def test_all_that_is_assigned_may_be_one_of_several_topics(resting: Resting, client: Any) -> None:
    resting.begin(client, [A], frozenset({"a"}))
    assert resting.is_young(client, [A])


def test_a_partition_that_comes_during_a_rest_rests_too_and_another_does_not(
    resting: Resting, client: Any
) -> None:
    resting.begin(client, [A], frozenset({"a"}))
    client.paused = {"b"}  # the client keeps pauses of before
    resting.take_up(client, [A, B], [KafkaPartition("a", 1), KafkaPartition("b", 0)])
    assert client.paused == {"a"}
    assert not resting.is_young(client, [A, B])
