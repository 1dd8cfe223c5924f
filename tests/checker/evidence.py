"""What was seen from outside while the consumers ran: all that the checker judges by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from consumer.sandbox.simulator import LedgerItem
from tests.brokers import StoredRecord
from tests.checker.disturbance import Disturbance

ORIGIN = "distinct-consumer.origin-"
DESTINATION = "distinct-consumer.destination"


class Place(NamedTuple):
    """Where a record lies in the topic."""

    partition: int
    offset: int


class Commit(NamedTuple):
    """The group's committed offset of a partition, and when at the latest it stood at the broker."""

    at_ms: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, with what its headers say of its origin."""

    place: Place
    destination: str
    """Empty where the record could not be decoded."""
    at_ms: int
    """When the broker appended it: the topic has LogAppendTime."""
    stored: StoredRecord


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run. Times are milliseconds since 1970 by the one clock of this machine."""

    records: Sequence[StoredRecord]
    schemas: Mapping[int, Any]
    """The registry's ids, and the schemas as JSON."""
    accepted: Mapping[str, Sequence[LedgerItem]]
    """What each destination's receiver accepted, in its order."""
    letters: Sequence[Letter]
    commits: Sequence[Commit]
    """Every commit, in the order in which the broker took them."""
    ends: Mapping[int, int]
    """The offset after the last record, by partition."""
    seen: Sequence[Commit] = ()
    """The changes of the committed offsets that a client saw, in its order. Its times are later than the broker's:
    the two are never mixed, or a look that was slow would be a commit that went back."""
    kills_ms: Sequence[int] = ()
    """When a consumer was killed."""
    disturbances: Sequence[Disturbance] = ()
    """What else was done to them."""


def letter_of(stored: StoredRecord) -> Letter:
    """A record of the dead-letter topic. Raises ValueError where its headers do not name its origin."""
    partition, offset = stored.header(f"{ORIGIN}partition"), stored.header(f"{ORIGIN}offset")
    if partition is None or offset is None:
        raise ValueError(f"the letter at offset {stored.offset} does not say where its record lies")
    place = Place(int(partition), int(offset))
    return Letter(place, (stored.header(DESTINATION) or b"").decode(), stored.timestamp_ms, stored)
