"""The checker says nothing of a flawless run, and names each thing that can go wrong."""

from dataclasses import replace

import msgspec
import pytest

from consumer.sandbox.simulator import LedgerItem
from tests.checker import Commit, Evidence, Letter, check
from tests.checker.commits import BACKWARDS, BEYOND, TOO_EARLY, UNFINISHED
from tests.checker.disturbance import CONFIRMED_AFTER_MS, Disturbance
from tests.checker.event import EventReader
from tests.checker.expectation import Expectation, Expected
from tests.checker.fate import CLIENT, USER_ANALYTICS, Accepted, Fate, Ignored, Opened, Refused
from tests.checker.order import OUT_OF_ORDER
from tests.checker.repeats import TOO_MANY, UNEXPLAINED
from tests.checker.settled import LOST, STRANGER, TOO_CLOSE, TOUCHED, WRONGLY_ACCEPTED, WRONGLY_BURIED
from tests.unit.checker.flawless_run import ON_THE_WIRE, SCHEMAS, START_MS, flawless_run


@pytest.fixture(scope="module")
def run() -> Evidence:
    return flawless_run()


@pytest.fixture(scope="module")
def expectation(run: Evidence) -> Expectation:
    return Expectation.of(run.records, EventReader(SCHEMAS))


def found(evidence: Evidence) -> set[str]:
    return check(evidence, ON_THE_WIRE).findings.kinds


def first(expectation: Expectation, destination: str, kind: type[Fate]) -> Expected:
    return next(one for one in expectation.records if isinstance(one.fates.get(destination), kind))


def with_items(run: Evidence, destination: str, items: list[LedgerItem]) -> Evidence:
    return replace(run, accepted={**run.accepted, destination: items})


def item_of(expected: Expected, at_ms: int = START_MS, seq: int = 0) -> LedgerItem:
    assert expected.event is not None
    return LedgerItem(seq, at_ms, 1, "any", expected.event.id, None, "someone", "any", None, False)


def test_it_says_nothing_of_a_flawless_run(run: Evidence) -> None:
    report = check(run, ON_THE_WIRE)

    assert not report.findings, str(report)
    assert report.records == len(run.records)
    assert report.duplicates == {USER_ANALYTICS: 0, CLIENT: 0}
    assert report.ordered > 100
    assert report.commits == report.records


@pytest.mark.parametrize("destination", [USER_ANALYTICS, CLIENT])
def test_an_event_that_a_receiver_never_had_is_lost(
    run: Evidence, expectation: Expectation, destination: str
) -> None:
    missing = first(expectation, destination, Accepted).event
    assert missing is not None
    items = [item for item in run.accepted[destination] if item.event_id != missing.id]

    # Its commit was too early, too: it is never settled.
    assert found(with_items(run, destination, items)) == {LOST, TOO_EARLY}


def test_an_open_is_lost_when_neither_it_nor_one_near_it_was_accepted(
    run: Evidence, expectation: Expectation
) -> None:
    scopes = {fate.scope for one in expectation.records if isinstance(fate := one.fates.get(CLIENT), Opened)}
    of_one_user = {
        one.event.id
        for one in expectation.records
        if one.event is not None
        and isinstance(fate := one.fates[CLIENT], Opened)
        and fate.scope == min(scopes)
    }
    items = [item for item in run.accepted[CLIENT] if item.event_id not in of_one_user]

    assert found(with_items(run, CLIENT, items)) == {LOST, TOO_EARLY}


def test_a_record_without_its_dead_letter_is_lost(run: Evidence) -> None:
    assert found(replace(run, letters=run.letters[1:])) == {LOST, TOO_EARLY}


def test_a_changed_dead_letter_is_noticed(run: Evidence) -> None:
    letter = run.letters[0]
    changed = replace(letter, stored=replace(letter.stored, value=b"other"))

    assert found(replace(run, letters=[changed, *run.letters[1:]])) == {TOUCHED}


def test_a_dead_letter_of_a_good_record_is_noticed(run: Evidence, expectation: Expectation) -> None:
    good = first(expectation, CLIENT, Accepted)
    letter = Letter(good.place, CLIENT, START_MS, good.stored)

    assert found(replace(run, letters=[*run.letters, letter])) == {WRONGLY_BURIED}


@pytest.mark.parametrize("kind", [Ignored, Refused])
def test_what_must_not_be_sent_or_accepted_is_noticed(
    run: Evidence, expectation: Expectation, kind: type[Fate]
) -> None:
    items = list(run.accepted[USER_ANALYTICS])
    bad = next(
        one
        for one in expectation.records
        if one.event is not None
        and isinstance(one.fates[USER_ANALYTICS], kind)
        and one.stored.key is not None
    )

    # In front of all others of its user, so that only its presence is wrong.
    spoilt = found(with_items(run, USER_ANALYTICS, [item_of(bad), *items]))
    assert spoilt - {OUT_OF_ORDER} == {WRONGLY_ACCEPTED}


def test_two_accepted_opens_of_one_window_are_noticed(run: Evidence, expectation: Expectation) -> None:
    items = list(run.accepted[CLIENT])
    had = {item.event_id for item in items}
    windowed = next(
        one
        for one in reversed(expectation.records)
        if one.event is not None and isinstance(one.fates[CLIENT], Opened) and one.event.id not in had
    )
    late = item_of(windowed, items[-1].at_ms + 1, len(items))

    assert TOO_CLOSE in found(with_items(run, CLIENT, [*items, late]))


def test_an_item_of_no_record_is_noticed(run: Evidence) -> None:
    items = list(run.accepted[CLIENT])
    stranger = msgspec.structs.replace(items[0], event_id="never-produced")

    assert found(with_items(run, CLIENT, [*items, stranger])) == {STRANGER}


def test_two_events_of_a_user_in_the_wrong_order_are_noticed(run: Evidence, expectation: Expectation) -> None:
    items = list(run.accepted[CLIENT])
    keys = [item.event_id and expectation.by_event[item.event_id][0].stored.key for item in items]
    one, other = next(
        (at, keys.index(key, at + 1)) for at, key in enumerate(keys) if key and key in keys[at + 1 :]
    )
    items[one], items[other] = items[other], items[one]

    assert found(with_items(run, CLIENT, items)) == {OUT_OF_ORDER}


def singles(run: Evidence) -> list[int]:
    """Where the items are that carry no event id."""
    return [at for at, item in enumerate(run.accepted[CLIENT]) if item.event_id is None]


def test_of_what_carries_no_id_too_a_lost_a_doubled_and_a_strange_one_are_noticed(
    run: Evidence,
) -> None:
    items = list(run.accepted[CLIENT])
    at = singles(run)[0]
    one = items[at]
    again = msgspec.structs.replace(one, at_ms=one.at_ms + 9_000)
    stranger = msgspec.structs.replace(one, idempotency_key="never-sent", user="never-produced")

    assert {item.operation for item in items} >= {"identify", "devices"}
    assert found(with_items(run, CLIENT, items[:at] + items[at + 1 :])) == {LOST, TOO_EARLY}
    assert found(with_items(run, CLIENT, [*items, again])) == {UNEXPLAINED}
    assert found(with_items(run, CLIENT, [*items, stranger])) == {STRANGER}


def test_traits_that_arrive_after_a_later_event_of_their_user_are_noticed(
    run: Evidence, expectation: Expectation
) -> None:
    items = list(run.accepted[CLIENT])
    users = {one.place: one.event.user["external_id"] for one in expectation.records if one.event is not None}
    of_item = {
        item.event_id: users[expectation.by_event[item.event_id][0].place] for item in items if item.event_id
    }
    at, later = next(
        (at, later)
        for at in singles(run)
        for later in range(at + 1, len(items))
        if of_item.get(items[later].event_id or "") == items[at].user
    )
    items[at], items[later] = items[later], items[at]

    assert OUT_OF_ORDER in found(with_items(run, CLIENT, items))


def test_a_repeat_needs_a_kill_that_explains_it(run: Evidence) -> None:
    items = list(run.accepted[CLIENT])
    original = items[50]
    again = msgspec.structs.replace(original, at_ms=original.at_ms + 9_000)
    repeated = with_items(run, CLIENT, [*items, again])

    assert found(repeated) == {UNEXPLAINED}
    assert found(replace(repeated, kills_ms=[original.at_ms + CONFIRMED_AFTER_MS + 1])) == {UNEXPLAINED}
    assert found(replace(repeated, kills_ms=[original.at_ms + 50])) == set()


def test_a_kill_explains_no_more_than_was_on_the_wire(run: Evidence) -> None:
    items = list(run.accepted[CLIENT])
    on_the_wire = ON_THE_WIRE[CLIENT]

    def repeated(count: int) -> Evidence:
        again = [msgspec.structs.replace(item, at_ms=item.at_ms + 9_000) for item in items[:count]]
        accepted = {**run.accepted, CLIENT: [*items, *again]}
        return replace(run, accepted=accepted, kills_ms=[items[count].at_ms])

    assert found(repeated(on_the_wire)) == set()
    assert found(repeated(on_the_wire + 1)) == {TOO_MANY}


def test_what_came_again_because_of_one_kill_may_be_on_the_wire_at_the_next(run: Evidence) -> None:
    items = list(run.accepted[CLIENT])
    first = items[0].at_ms
    later = [[first + again + at for at in range(ON_THE_WIRE[CLIENT])] for again in (20_000, 40_000)]
    again = [
        msgspec.structs.replace(item, at_ms=at_ms)
        for times in later
        for item, at_ms in zip(items, times, strict=False)
    ]
    thrice = with_items(run, CLIENT, [*items, *again])

    assert found(replace(thrice, kills_ms=[first + 50, first + 20_050])) == set()
    assert found(replace(thrice, kills_ms=[first + 50])) == {UNEXPLAINED}


def test_a_disturbance_explains_repeats_of_its_time_and_of_its_destination_only(run: Evidence) -> None:
    items = list(run.accepted[CLIENT])
    first_ms = items[50].at_ms
    again = msgspec.structs.replace(items[50], at_ms=first_ms + 90_000)
    repeated = with_items(run, CLIENT, [*items, again])

    def disturbed(from_ms: int, until_ms: int, destination: str | None = None) -> set[str]:
        done = Disturbance("a stop", from_ms, until_ms, destination=destination)
        return found(replace(repeated, disturbances=[done]))

    assert disturbed(first_ms - 60_000, first_ms + 30_000) == set()
    assert disturbed(first_ms - 60_000, first_ms + 30_000, CLIENT) == set()
    assert disturbed(first_ms - 60_000, first_ms + 30_000, USER_ANALYTICS) == {UNEXPLAINED}
    assert disturbed(first_ms - 60_000, first_ms - 30_000) == {UNEXPLAINED}


def test_a_commit_past_an_unsettled_record_is_noticed(run: Evidence, expectation: Expectation) -> None:
    expected = first(expectation, CLIENT, Accepted)
    partition, offset = expected.place
    settled_ms = next(
        item.at_ms
        for item in run.accepted[CLIENT]
        if expected.event is not None and item.event_id == expected.event.id
    )
    early, in_time = (Commit(settled_ms - before_ms, partition, offset + 1) for before_ms in (1, 0))

    def with_first(commit: Commit) -> Evidence:
        others = [one for one in run.commits if one[1:] > commit[1:]]
        return replace(run, commits=[commit, *others])

    assert found(with_first(early)) == {TOO_EARLY}
    assert found(with_first(in_time)) - {UNFINISHED} == set()


def test_a_commit_that_goes_back_or_beyond_is_noticed(run: Evidence) -> None:
    commits = list(run.commits)
    last = commits[-1]

    assert found(
        replace(run, commits=[*commits, Commit(last.at_ms, last.partition, last.offset - 1), last])
    ) == {BACKWARDS}
    assert found(replace(run, commits=[*commits, Commit(last.at_ms, last.partition, last.offset + 1)])) == {
        BEYOND,
        UNFINISHED,
    }


def test_a_topic_that_was_not_committed_to_its_end_is_noticed(run: Evidence) -> None:
    assert found(replace(run, commits=run.commits[:-1])) == {UNFINISHED}
