"""A run in which nothing went wrong, made up from a generated stream, for tests to spoil."""

from collections import defaultdict
from dataclasses import replace

from msgspec.structs import replace as replace_item

from consumer.sandbox.generator import Plan, Stream, user_event_schema
from consumer.sandbox.simulator import LedgerItem
from tests.brokers import StoredRecord
from tests.checker import Commit, Evidence, letter_of
from tests.checker.event import EventReader
from tests.checker.expectation import Expectation, Expected
from tests.checker.fate import CLIENT, DESTINATIONS, Accepted, Opened, Refused

SCHEMA_ID = 7
SCHEMAS = {SCHEMA_ID: user_event_schema()}
PARTITIONS = 3
START_MS = 1_800_000_000_000
WINDOW_MS = 1_200_000
SINGLES = {"Identified": "identify", "Aliased": "alias", "DeviceRegistered": "devices"}
ON_THE_WIRE = {"user-analytics": 4, "client": 8}


def stored_stream(count: int, seed: int = 5) -> list[StoredRecord]:
    """A generated stream as a broker would store it: all of one key's records in one partition."""
    ends: defaultdict[int, int] = defaultdict(int)
    records = []
    for emission in Stream(Plan(count, seed, SCHEMA_ID, START_MS), user_event_schema()):
        partition = sum(emission.key or b"") % PARTITIONS
        headers = tuple((name, _bytes(value)) for name, value in emission.headers or ())
        record = StoredRecord(
            "t", partition, ends[partition], emission.key, emission.value, headers, emission.timestamp_ms
        )
        ends[partition] += 1
        records.append(record)
    return sorted(records, key=lambda one: (one.partition, one.offset))


class _Run:
    """Takes the records in their order, a millisecond each, and commits after each."""

    def __init__(self, records: list[StoredRecord]) -> None:
        self.expectation = Expectation.of(records, EventReader(SCHEMAS))
        self.accepted: dict[str, list[LedgerItem]] = {name: [] for name in DESTINATIONS}
        self.letters: list[StoredRecord] = []
        self.commits: list[Commit] = []
        self._opens: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._known: set[tuple[str, str]] = set()

    def take(self, expected: Expected, now_ms: int) -> None:
        for name, fate in expected.fates.items():
            match fate:
                case Refused():
                    self.letters.append(_letter(expected, name, now_ms))
                case Accepted():
                    self._accept(expected, name, now_ms)
                case Opened():
                    opens = self._opens[name, fate.scope]
                    if all(abs(at_ms - fate.at_ms) >= WINDOW_MS for at_ms in opens):
                        opens.append(fate.at_ms)
                        self._accept(expected, name, now_ms)
        self.commits.append(Commit(now_ms, expected.place.partition, expected.place.offset + 1))

    def _accept(self, expected: Expected, name: str, now_ms: int) -> None:
        assert expected.event is not None
        event_id = expected.event.id
        if (name, event_id) in self._known:
            return
        self._known.add((name, event_id))
        seq = len(self.accepted[name])
        item = LedgerItem(seq, now_ms, seq, "any", event_id, None, "someone", "any", None, False)
        if name == CLIENT and expected.event.type in SINGLES:
            # Told apart by user and key: no event id goes with them.
            ids = expected.event.payload if expected.event.type == "Aliased" else expected.event.user
            item = replace_item(
                item,
                operation=SINGLES[expected.event.type],
                event_id=None,
                idempotency_key=f"key of {event_id}",
                user=ids["external_id"] or ids["anonymous_id"],
            )
        self.accepted[name].append(item)


def flawless_run(count: int = 3_000) -> Evidence:
    """Evidence that the checker has nothing to say against."""
    records = stored_stream(count)
    run = _Run(records)
    for number, expected in enumerate(run.expectation.records):
        run.take(expected, START_MS + number)
    ends = {place.partition: place.offset + 1 for place in sorted(run.expectation.by_place)}
    letters = [letter_of(stored) for stored in run.letters]
    return Evidence(records, SCHEMAS, run.accepted, letters, run.commits, ends)


def _letter(expected: Expected, destination: str, at_ms: int) -> StoredRecord:
    record, place = expected.stored, expected.place
    added = {"destination": destination, "origin-partition": place.partition, "origin-offset": place.offset}
    headers = tuple((f"distinct-consumer.{name}", str(value).encode()) for name, value in added.items())
    return replace(record, topic="t.dead-letters", headers=record.headers + headers, timestamp_ms=at_ms)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
