"""What one poll gave: runs of records, the ends of partitions, and events between them."""

from collections.abc import Iterator, Sequence
from operator import methodcaller
from typing import Any, NamedTuple

from confluent_kafka import Message

from consumer.kafka.trouble import Trouble, trouble
from consumer.types import UNREADABLE, Headers, Record, TopicPartition

Runs = dict[tuple[str, int], list[Record]]
"""Records by (topic, partition), each in the order of its partition."""


class Stretch(NamedTuple):
    """What came between two events: the records, and where partitions ended, for all that is known here."""

    runs: Runs
    ends: dict[TopicPartition, int]
    """The last end of each: records of `runs` may lie beyond it, and all that lie below were given by now."""


def split(messages: Sequence[Message]) -> Iterator[Stretch | Message]:
    """Stretches, and the messages that are events (gaps, errors), each after what came before it.

    An end of a partition does not divide a stretch: a consumer that keeps up meets one behind every few records, and
    each part would cost the loop as much as a whole chunk.
    """
    runs: Runs = {}
    ends: dict[TopicPartition, int] = {}
    for message, headers in zip(messages, _headers(messages), strict=True):
        error = message.error()
        if error is not None:
            offset = message.offset()
            if trouble(error) is Trouble.END_OF_PARTITION and offset is not None:
                ends[event_partition(message)] = offset
                continue
            if runs or ends:
                yield Stretch(runs, ends)
                runs, ends = {}, {}
            yield message
            continue
        record = _record(message, headers)
        place = (record.topic, record.partition)
        run = runs.get(place)
        if run is None:
            runs[place] = [record]
        else:
            run.append(record)
    if runs or ends:
        yield Stretch(runs, ends)


def event_partition(message: Message) -> TopicPartition:
    """The partition that an event is about."""
    return TopicPartition(message.topic() or "", message.partition() or 0)


def _record(message: Any, headers: Headers | None) -> Record:
    # The client's types allow for None where only events have it.
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,
    )


_ask_headers = methodcaller("headers")


def _headers(messages: Sequence[Message]) -> list[Headers | None]:
    """Those of each message.

    Kafka lets a header's name be any bytes. Where one is not UTF-8, the client leaves an exception set *and* returns
    headers, with a hole in them that crashes whoever looks, and keeps these for whoever asks again. Python notices
    where it is C code that asks, as `map` does; and each message is asked once.
    """
    found: list[Headers | None] = []
    asked = map(_ask_headers, messages)
    while True:
        try:
            found.extend(asked)
        except (SystemError, UnicodeError):
            found.append([(UNREADABLE, None)])  # and on with the next
        else:
            return found
