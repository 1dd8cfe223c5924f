"""How a chunk is polled: a record that comes alone does not wait for others, and none is handed on for an assignment
that it was not read under."""

import asyncio
from collections.abc import Callable
from typing import Any

from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy
from consumer.types import TopicPartition

PLACE = TopicPartition("user-events", 3)
QUICK_S = 0.05


class Message:
    """As much of the client's as says where it is from."""

    def topic(self) -> str:
        return PLACE.topic

    def partition(self) -> int:
        return PLACE.partition


class Client:
    """Gives one message a call. Asked for several, it waits for the last of them as long as it may."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._meanwhile = meanwhile
        self.waited_s = 0.0
        self.given: list[Message] = []

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        if num_messages > 1:
            self.waited_s += timeout
            self._meanwhile()
        self.given.append(Message())
        return self.given[-1:]


def owner_of(client: Client) -> Any:
    nobody: Any = None
    bridge = Bridge(asyncio.get_running_loop())
    owner: Any = Owner({}, {PLACE.topic: TopicPolicy()}, KafkaPolicy(group="g"), bridge, nobody)
    owner._client = client
    owner._epochs[PLACE] = 7
    return owner


async def test_a_record_that_comes_alone_does_not_wait_for_a_whole_chunk() -> None:
    client = Client()

    assert owner_of(client)._poll() == client.given
    assert len(client.given) == 2
    assert client.waited_s <= QUICK_S


async def test_what_was_read_under_an_assignment_that_ended_meanwhile_is_left_out() -> None:
    client = Client(lambda: owner._epochs.pop(PLACE))
    owner = owner_of(client)

    assert owner._poll() == client.given[1:]


async def test_what_was_read_under_an_assignment_that_came_anew_meanwhile_is_left_out() -> None:
    client = Client(lambda: owner._epochs.update({PLACE: 8}))
    owner = owner_of(client)

    assert owner._poll() == client.given[1:]
