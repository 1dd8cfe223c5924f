"""How a chunk is polled: a record that comes alone does not wait for others, one that would wait elsewhere does, and
none is handed on for an assignment that it was not read under."""

from collections.abc import Callable
from typing import Any

from consumer.kafka.config import KafkaPolicy
from consumer.kafka.gather import gather
from consumer.types import TopicPartition

PLACE, OTHER = TopicPartition("user-events", 3), TopicPartition("user-events", 4)
QUICK_S = 0.01
POLICY = KafkaPolicy(group="g")


class Message:
    """As much of the client's as says where it is from."""

    def __init__(self, place: TopicPartition) -> None:
        self._place = place

    def topic(self) -> str:
        return self._place.topic

    def partition(self) -> int:
        return self._place.partition


class Client:
    """Gives one message a call. Asked for several, it waits for the last of them as long as it may."""

    def __init__(self, *meanwhile: Callable[[], object], place: TopicPartition = PLACE) -> None:
        """`meanwhile`: what happens in each call after the first one."""
        self._meanwhile = list(meanwhile)
        self._place = place
        self.waited_s = 0.0
        self.given: list[Message] = []

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        if num_messages > 1:
            self.waited_s += timeout
            if self._meanwhile:
                self._meanwhile.pop(0)()
        self.given.append(Message(self._place))
        return self.given[-1:]


def gathered(client: Client, epochs: dict[TopicPartition, int], *, busy: bool = False) -> list[Any]:
    return gather(client, POLICY, epochs, lambda: busy)


def test_a_record_that_comes_alone_does_not_wait_for_a_whole_chunk() -> None:
    client = Client()
    assert gathered(client, {PLACE: 7}) == client.given
    assert len(client.given) == 2
    assert client.waited_s <= QUICK_S


def test_while_the_loop_is_busy_a_chunk_grows_but_not_for_long() -> None:
    client = Client()
    assert gathered(client, {PLACE: 7}, busy=True) == client.given
    assert len(client.given) > 3
    assert QUICK_S < client.waited_s <= 5 * QUICK_S


def test_no_chunk_is_larger_than_it_may_be() -> None:
    client = Client()
    small = KafkaPolicy(group="g", chunk_records=2, gather_longest_s=9.0)
    assert len(gather(client, small, {PLACE: 7}, lambda: True)) == 2


def test_what_was_read_under_an_assignment_that_ended_meanwhile_is_left_out() -> None:
    epochs = {PLACE: 7}
    client = Client(lambda: epochs.pop(PLACE))
    assert gathered(client, epochs) == client.given[1:]


def test_what_was_read_under_an_assignment_that_came_anew_in_a_later_call_is_left_out() -> None:
    epochs = {PLACE: 7}
    client = Client(lambda: None, lambda: epochs.update({PLACE: 8}), lambda: None, lambda: None)
    assert gathered(client, epochs, busy=True) == client.given[2:]


def test_what_was_read_of_a_partition_that_stays_is_kept_when_another_one_goes() -> None:
    epochs = {PLACE: 7, OTHER: 7}
    client = Client(lambda: epochs.pop(OTHER))
    assert gathered(client, epochs) == client.given
