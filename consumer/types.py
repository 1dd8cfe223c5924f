"""The values that cross layers. All are frozen; none knows Kafka's, Avro's or HTTP's libraries."""

from typing import NamedTuple

import msgspec


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Origin(NamedTuple):
    """Where a record lies: its identity for ever."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


Headers = list[tuple[str, bytes | None]]

UNREADABLE = "distinct-consumer.unreadable-headers"
"""The one header of a record whose own cannot be read: a name of theirs is not UTF-8, and the client gives none."""


FLAT_BYTES = 200
"""What a record is taken to hold beside its key and value."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record as polled: bytes untouched."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)

    @property
    def size_bytes(self) -> int:
        """What the record holds in memory while it is unsettled: key and value, and a flat rate for the rest."""
        return len(self.value or b"") + len(self.key or b"") + FLAT_BYTES


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Consecutive records of one partition, polled together under one assignment."""

    partition: TopicPartition
    epoch: int
    records: list[Record]


class Assigned(msgspec.Struct, frozen=True):
    """A new assignment: its epoch (never repeats, also after a flush) and the position last recorded, if any.

    `horizon`: whoever had the partition before and did not leave in good order may have met the records below it.
    """

    epoch: int
    position: int | None
    horizon: int = 0
