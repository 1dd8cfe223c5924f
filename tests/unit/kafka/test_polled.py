"""What a poll gave, in runs; and records that the client itself cannot give whole."""

from typing import Any, cast

from confluent_kafka import KafkaError, Message

from consumer.avro.decoder import Decoder
from consumer.avro.undecodable import Undecodable
from consumer.clock import ManualClock
from consumer.kafka.polled import Stretch, split
from consumer.types import UNREADABLE, Record, TopicPartition
from tests.unit.avro.avro_values import Shelf, framed, record_of, varint


class Polled:
    """A message as the client gives it."""

    def __init__(
        self, offset: int, value: bytes | None = b"v", headers: Any = None, error: Any = None
    ) -> None:
        self._offset, self._value, self._headers, self._error = offset, value, headers, error

        self.asked = 0

    def error(self) -> Any:
        return self._error

    def topic(self) -> str:
        return "events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return (1, 1000)

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Any:
        self.asked += 1
        assert self.asked == 1, "the client crashes whoever asks again for what it could not read"
        if isinstance(self._headers, Exception):
            raise self._headers
        return self._headers


def run_of(*messages: Polled) -> list[Record]:
    (stretch,) = stretches(*messages)
    return stretch.runs["events", 0]


def stretches(*messages: Polled) -> list[Stretch]:
    parts = list(split(cast(list[Message], list(messages))))
    return [part for part in parts if isinstance(part, Stretch)]


def test_events_stand_between_the_records_before_and_after_them() -> None:
    event = Polled(2, error=KafkaError(KafkaError._AUTO_OFFSET_RESET))
    parts = list(split(cast(list[Message], [Polled(0), Polled(1), event, Polled(2)])))
    assert [len(part.runs["events", 0]) if isinstance(part, Stretch) else part for part in parts] == [
        2,
        event,
        1,
    ]


def test_ends_of_partitions_do_not_divide_the_records_and_the_last_one_counts() -> None:
    (stretch,) = stretches(Polled(0), end(1), Polled(1), end(2), Polled(2))
    assert [record.offset for record in stretch.runs["events", 0]] == [0, 1, 2]
    assert stretch.ends == {TopicPartition("events", 0): 2}


def test_an_end_stays_before_the_gap_that_follows_it() -> None:
    gap = Polled(9, error=KafkaError(KafkaError._AUTO_OFFSET_RESET))
    before, event, after = split(cast(list[Message], [Polled(0), end(1), gap, end(7)]))
    assert isinstance(before, Stretch) and isinstance(after, Stretch)
    assert (before.ends, after.ends) == ({TopicPartition("events", 0): 1}, {TopicPartition("events", 0): 7})
    assert cast(Any, event) is gap and after.runs == {}


def end(offset: int) -> Polled:
    return Polled(offset, error=KafkaError(KafkaError._PARTITION_EOF))


async def test_a_header_name_that_is_not_utf8_costs_that_record_only_and_says_why() -> None:
    value = framed(varint(5))
    records = run_of(
        Polled(0, value, [("a", b"1")]),
        Polled(1, value, SystemError("returned a result with an exception set")),
        Polled(2, value),
        Polled(3, value, UnicodeDecodeError("utf-8", b"", 0, 1, "")),
    )
    decoder = Decoder(Shelf(record_of("int")), ManualClock())
    await decoder.load(decoder.missing(records))
    bad = Undecodable("header name is not utf-8")
    assert decoder.decode(records) == [{"f0": 5}, bad, {"f0": 5}, bad]
    assert records[1].headers == [(UNREADABLE, None)]
