"""Every record of the topic with what has to become of it, in the order of the topic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.brokers import StoredRecord
from tests.checker.event import Event, EventReader, Undecodable
from tests.checker.evidence import Place
from tests.checker.fate import DESTINATIONS, Fate, Ignored, Refused
from tests.checker.oracle import fates

UNREADABLE = ""
"""Stands for the destination of a record that cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One record."""

    place: Place
    stored: StoredRecord
    event: Event | None
    """None for what is no event."""
    fates: Mapping[str, Fate]
    """By destination; an undecodable record is refused at `UNREADABLE`."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The topic's records in order, and the events by their id."""

    records: list[Expected]
    by_place: dict[Place, Expected] = field(default_factory=dict)
    by_event: dict[str, list[Expected]] = field(default_factory=dict)
    """The records that carry an event's id: the first, and its duplicates."""

    @classmethod
    def of(cls, records: Iterable[StoredRecord], reader: EventReader) -> "Expectation":
        """Decode every record and ask the oracle."""
        made = cls([_expected(record, reader) for record in records])
        for one in made.records:
            made.by_place[one.place] = one
            if one.event is not None:
                made.by_event.setdefault(one.event.id, []).append(one)
        return made


def _expected(record: StoredRecord, reader: EventReader) -> Expected:
    place = Place(record.partition, record.offset)
    match reader.read(record):
        case Event() as event:
            return Expected(place, record, event, fates(record, event))
        case Undecodable():
            return Expected(place, record, None, {UNREADABLE: Refused()})
    return Expected(place, record, None, dict.fromkeys(DESTINATIONS, Ignored()))
