"""What one poll gave: runs of records, and events between them."""

from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import Message

from consumer.types import UNREADABLE, Headers, Record, TopicPartition

Runs = dict[tuple[str, int], list[Record]]
"""Records by (topic, partition), each in the order of its partition."""


def split(messages: Sequence[Message]) -> Iterator[Runs | Message]:
    """Runs of records, and the messages that are events (ends, gaps, errors), each after what came before it."""
    runs: Runs = {}
    for message in messages:
        if message.error() is not None:
            if runs:
                yield runs
                runs = {}
            yield message
            continue
        record = _record(message)
        place = (record.topic, record.partition)
        run = runs.get(place)
        if run is None:
            runs[place] = [record]
        else:
            run.append(record)
    if runs:
        yield runs


def event_partition(message: Message) -> TopicPartition:
    """The partition that an event is about."""
    return TopicPartition(message.topic() or "", message.partition() or 0)


def _record(message: Any) -> Record:
    # The client's types allow for None where only events have it.
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        _headers(message),
    )


def _headers(message: Any) -> Headers | None:
    try:
        headers: Headers | None = message.headers()
    except (SystemError, UnicodeError):
        # A name is not UTF-8. Kafka lets it be any bytes; raised here, it would end the process at every start.
        return [(UNREADABLE, None)]
    return headers
