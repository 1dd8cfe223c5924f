"""The oracle and the generator, written apart, agree on what each special record is there to show."""

from collections import defaultdict

import pytest

from consumer.sandbox.generator import Kind, Mix, Plan, Stream, user_event_schema
from tests.brokers import StoredRecord
from tests.checker.event import Event, EventReader, Tombstone, Undecodable
from tests.checker.fate import CLIENT, USER_ANALYTICS, Accepted, Fate, Ignored, Opened, Refused
from tests.checker.oracle import fates
from tests.unit.checker.flawless_run import SCHEMA_ID, SCHEMAS, START_MS

FATES: dict[Kind, tuple[set[type[Fate]], set[type[Fate]]]] = {
    Kind.BOT: ({Ignored}, {Ignored}),
    Kind.MACHINE_OPEN: ({Ignored}, {Ignored}),
    Kind.OPEN_INSIDE: ({Opened}, {Opened}),
    Kind.OPEN_AT_EDGE: ({Opened}, {Opened}),
    Kind.UNKNOWN_USER: ({Refused, Ignored}, {Accepted, Opened}),
    Kind.INVALID_PHONE: ({Refused}, {Accepted}),
    Kind.UNREGISTERED_PAIR: ({Refused}, {Accepted}),
    Kind.UNKNOWN_EXPERIENCE: ({Ignored}, {Accepted}),
    Kind.REPEATED_ORDER: ({Ignored}, {Accepted}),
    Kind.LONG_NAME: ({Ignored}, {Refused}),
    Kind.NULL_KEY: ({Accepted}, {Accepted}),
}


@pytest.fixture(scope="module")
def records() -> dict[Kind, list[StoredRecord]]:
    by_kind: defaultdict[Kind, list[StoredRecord]] = defaultdict(list)
    plan = Plan(8_000, 11, SCHEMA_ID, START_MS, mix=Mix(users=200))
    for offset, one in enumerate(Stream(plan, user_event_schema())):
        by_kind[one.kind].append(StoredRecord("t", 0, offset, one.key, one.value, (), one.timestamp_ms))
    return by_kind


@pytest.fixture(scope="module")
def reader() -> EventReader:
    return EventReader(SCHEMAS)


@pytest.mark.parametrize("kind", FATES)
def test_special_events_have_the_fate_that_they_are_named_after(
    kind: Kind, records: dict[Kind, list[StoredRecord]], reader: EventReader
) -> None:
    at_analytics: set[type[Fate]] = set()
    at_client: set[type[Fate]] = set()
    for record in records[kind]:
        event = reader.read(record)
        assert isinstance(event, Event)
        both = fates(record, event)
        at_analytics.add(type(both[USER_ANALYTICS]))
        at_client.add(type(both[CLIENT]))

    assert (at_analytics, at_client) == FATES[kind]


def test_plain_events_are_never_refused_and_all_go_to_the_client(
    records: dict[Kind, list[StoredRecord]], reader: EventReader
) -> None:
    for record in records[Kind.PLAIN]:
        event = reader.read(record)
        assert isinstance(event, Event)
        both = fates(record, event)
        assert isinstance(both[CLIENT], Accepted | Opened)
        assert not isinstance(both[USER_ANALYTICS], Refused)


def test_what_is_spoilt_is_no_event(records: dict[Kind, list[StoredRecord]], reader: EventReader) -> None:
    spoilt = [record for kind in Kind if kind.is_undecodable for record in records[kind]]
    assert len(spoilt) > 40
    assert {type(reader.read(record)) for record in spoilt} == {Undecodable}
    assert {type(reader.read(record)) for record in records[Kind.TOMBSTONE]} == {Tombstone}


def test_repeated_opens_share_the_scope_of_their_users_others(
    records: dict[Kind, list[StoredRecord]], reader: EventReader
) -> None:
    for record in records[Kind.OPEN_INSIDE]:
        event = reader.read(record)
        assert isinstance(event, Event)
        fate = fates(record, event)[CLIENT]
        assert isinstance(fate, Opened)
        assert record.key is not None
        assert (fate.scope, fate.at_ms) == (record.key.decode(), event.occurred_ms)
