"""How a chunk is polled: its first record, and what comes soon after."""

from collections.abc import Callable, Mapping
from typing import Protocol

from confluent_kafka import Message

from consumer.kafka.config import KafkaPolicy
from consumer.kafka.polled import event_partition
from consumer.types import TopicPartition


class Source(Protocol):
    """As much of the client as gives messages. Its callbacks run inside of the call, and change the epochs."""

    def consume(self, num_messages: int, timeout: float) -> list[Message]: ...


def gather(
    client: Source, policy: KafkaPolicy, epochs: Mapping[TopicPartition, int], busy: Callable[[], bool]
) -> list[Message]:
    """At most a chunk. Asked for all of it at once, the client would wait for the last record or for the time to be up:
    so it is asked for one, then for what comes within `gather_s`, and for more as long as `busy` says that the chunk
    would only wait elsewhere, up to `gather_longest_s`: few large chunks cost less than many small ones.

    A partition may go, and even come back, in a later call: then what an earlier one gave of it comes again, and as the
    new assignment's it would pass over what lies before it. So that is left out.
    """
    messages = client.consume(1, policy.poll_timeout_s)
    waited_s = 0.0
    while messages and len(messages) < policy.chunk_records and waited_s < policy.gather_longest_s:
        before = dict(epochs)
        more = client.consume(policy.chunk_records - len(messages), policy.gather_s)
        waited_s += policy.gather_s
        if before != epochs:
            messages = [one for one in messages if _epoch(one, epochs) == _epoch(one, before)]
        messages += more
        if not busy():
            break
    return messages


def _epoch(message: Message, epochs: Mapping[TopicPartition, int]) -> int | None:
    return epochs.get(event_partition(message))
