"""What a record claims in the ledger: its key, and its place in a window."""

from collections import Counter
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any

import pytest

from consumer.topology.digests import placed
from consumer.topology.plan import Matched, Plan, Unmapped
from tests.unit.topology.ids import ID, MADE, NO_ID_WITH_A_TIME
from tests.unit.topology.workshop import FILE, NOON, Workshop, record, refused, routed, visit

NOON_MS = int(NOON.timestamp()) * 1000
WHEN = "    when: {type: Looked}\n"


def planned(workshop: Workshop, lines: str, topic: str = "") -> Plan:
    text = FILE.replace(WHEN, WHEN + "".join(f"    {line}\n" for line in lines.splitlines()))
    workshop.write("t.yaml", text.replace("    schema: visit\n", f"    schema: visit\n{topic}"))
    return workshop.load()


def matched(plan: Plan, datum: dict[str, Any] | None = None, **where: Any) -> Matched:
    (answer,) = routed(plan, datum or visit(), record(**where))
    assert isinstance(answer, Matched)
    return answer


def scope(plan: Plan, datum: dict[str, Any] | None = None, **where: Any) -> bytes:
    once = matched(plan, datum, **where).once
    assert once is not None
    return once.scope


def test_a_key_is_that_of_the_event_wherever_it_lies(workshop: Workshop) -> None:
    plan = planned(workshop, "")

    first, again = matched(plan, visit(), offset=1), matched(plan, visit(), offset=2)
    other = matched(plan, visit(id="e-2"), offset=1)

    assert first.key == again.key != other.key
    assert first.key is not None
    assert len(first.key) == 16


def test_two_routes_and_two_accounts_do_not_share_keys(workshop: Workshop) -> None:
    one = matched(planned(workshop, "")).key
    workshop.write("t.yaml", FILE.replace("  looked:\n", "  seen:\n"))
    other_route = matched(workshop.load()).key
    workshop.write(
        "t.yaml", FILE.replace("    api: client_api\n", "    api: client_api\n    account: second\n")
    )
    other_account = matched(workshop.load()).key

    assert len({one, other_route, other_account}) == 3


def test_the_digests_are_a_format_that_may_not_change_by_accident(workshop: Workshop) -> None:
    """Another digest would make every event of a running deployment a new one."""
    plan = planned(workshop, "once: {window: 20m}")

    def digest(purpose: bytes, content: bytes) -> bytes:
        return blake2b(content, digest_size=16, person=purpose).digest()

    assert matched(plan).key == digest(b"key", b"\0\0\0\3crm\0\0\0\6looked\0\0\0\2ide-1")
    once = b"\0\0\0\3crm\0\0\0\0071200000\0\0\0\0\0\0\0\6(user)ada"
    assert scope(plan) == digest(b"once", once)


def test_the_key_of_an_id_that_tells_when_it_was_made_begins_with_that_time(workshop: Workshop) -> None:
    plan = planned(workshop, "")

    key = matched(plan, visit(id=ID)).key

    digest = blake2b(
        b"\0\0\0\3crm\0\0\0\6looked\0\0\0\2id" + ID.encode(), digest_size=16, person=b"key"
    ).digest()
    assert key == placed(MADE) + digest[6:]
    assert matched(plan, visit(id=ID.upper())).key not in (None, key), (
        "another text is another event, as ever"
    )


@pytest.mark.parametrize("text", NO_ID_WITH_A_TIME)
def test_what_is_no_such_id_has_a_digest_alone(workshop: Workshop, text: str) -> None:
    digest = blake2b(
        b"\0\0\0\3crm\0\0\0\6looked\0\0\0\2id" + text.encode(), digest_size=16, person=b"key"
    ).digest()

    assert matched(planned(workshop, ""), visit(id=text)).key == digest


def test_ids_of_one_time_lie_together_and_those_of_a_day_everywhere() -> None:
    """By their first 12 bits the ledger walks through its keys."""
    day = range(MADE, MADE + 86_400_000, 1_000)

    slices = Counter(int.from_bytes(placed(at_ms)[:2], "big") >> 4 for at_ms in day)

    assert len(slices) == 4096
    assert max(slices.values()) < 4 * 86_400 / 4096
    first = MADE >> 14 << 14
    of_16_s = [placed(at_ms) for at_ms in range(first, first + 0x4000)]
    assert of_16_s == sorted(set(of_16_s))
    assert of_16_s[0][:4] == of_16_s[-1][:4]
    assert {len(placed(at_ms)) for at_ms in (0, (1 << 48) - 1)} == {6}


def test_a_key_can_be_any_single_value(workshop: Workshop) -> None:
    plan = planned(workshop, "key: where.floor")

    assert matched(plan, visit(where={"floor": 1})).key == matched(plan, visit(where={"floor": 1})).key
    assert matched(plan, visit(where={"floor": 1})).key != matched(plan, visit(where={"floor": 2})).key
    assert refused(plan, visit()) == ("", "the record has no where.floor, which is its key")
    assert refused(plan, visit(where={"floor": [1]})) == (
        "",
        "where.floor can't be a key: it is no single value",
    )


def test_an_empty_id_is_no_key(workshop: Workshop) -> None:
    """All events without an id would be duplicates of the first."""
    assert refused(planned(workshop, ""), visit(id="")) == ("", "the record has no id, which is its key")


def test_the_origin_as_key_tells_records_apart_but_not_a_redelivery(workshop: Workshop) -> None:
    plan = planned(workshop, "key: origin")

    assert matched(plan, offset=1).key == matched(plan, offset=1).key
    assert matched(plan, offset=1).key != matched(plan, offset=2).key


def test_the_key_of_an_origin_begins_with_its_offset(workshop: Workshop) -> None:
    """What comes together lies together in the ledger."""
    plan = planned(workshop, "key: origin")

    one = record(offset=7)
    content = b"\0\0\0\3crm\0\0\0\6looked\0\0\0\6origin" + f"{one.topic}/{one.partition}/7".encode()
    digest = blake2b(content, digest_size=16, person=b"key").digest()
    assert matched(plan, offset=7).key == placed(7) + digest[6:]
    assert len(matched(plan, offset=(1 << 63) - 1).key or b"") == 16


def test_a_route_may_take_no_key(workshop: Workshop) -> None:
    assert matched(planned(workshop, "key: none")).key is None


def test_without_once_there_is_no_window(workshop: Workshop) -> None:
    assert matched(planned(workshop, "")).once is None


def test_a_window_is_the_users_by_the_records_key(workshop: Workshop) -> None:
    plan = planned(workshop, "once: {window: 20m}")

    once = matched(plan).once

    assert once is not None
    assert (once.at_ms, once.length_ms, len(once.scope)) == (NOON_MS, 1_200_000, 16)
    assert scope(plan, visit(id="e-2"), offset=9) == once.scope
    assert scope(plan, key=b"bob") != once.scope


def test_for_ever_has_no_length(workshop: Workshop) -> None:
    once = matched(planned(workshop, "once: {for: ever}")).once

    assert once is not None
    assert once.length_ms is None


def test_routes_of_one_account_share_windows_of_one_length_unless_they_are_named(workshop: Workshop) -> None:
    plain = scope(planned(workshop, "once: {window: 20m}"))
    named = scope(planned(workshop, "once: {window: 20m, name: mails}"))
    longer = scope(planned(workshop, "once: {window: 21m}"))
    renamed = FILE.replace("  looked:\n", "  seen:\n").replace(WHEN, WHEN + "    once: {window: 20m}\n")
    workshop.write("t.yaml", renamed)

    assert scope(workshop.load()) == plain
    assert len({plain, named, longer}) == 3


def test_a_record_without_a_key_uses_the_topics_user(workshop: Workshop) -> None:
    plan = planned(workshop, "once: {window: 20m}", "    user: [where.extra.customer, who]\n")

    assert scope(plan, visit(), key=None) == scope(plan, key=b"ada")
    customer = visit(where={"shop": "n", "extra": {"customer": "c-1"}})
    assert scope(plan, customer, key=None) == scope(plan, key=b"c-1")


def test_a_record_without_a_key_and_a_user_cannot_have_a_users_window(workshop: Workshop) -> None:
    text = FILE.replace(WHEN, WHEN + "    once: {window: 20m}\n").replace(
        "external_id: who", "external_id: id"
    )
    workshop.write("t.yaml", text.replace("    schema: visit\n", "    schema: visit\n    user: who\n"))

    (answer,) = routed(workshop.load(), visit(who=""), record(key=None))

    assert isinstance(answer, Unmapped)
    assert answer.reason == "the record has neither a key nor a user, which its window needs"


def test_a_window_can_be_by_any_fields(workshop: Workshop) -> None:
    plan = planned(workshop, 'once: {window: 20m, by: [where.shop, "where.floor?"]}')

    def of(shop: object, floor: object) -> bytes:
        return scope(plan, visit(where={"shop": shop, "floor": floor}))

    assert of("n", 1) == of("n", 1)
    assert len({of("n", 1), of("n", 2), of("n", None), of("n1", None), of("s", 1)}) == 5


def test_two_fields_never_run_together(workshop: Workshop) -> None:
    plan = planned(workshop, "once: {window: 20m, by: [where.shop, payload.page]}")

    def of(shop: str, page: str) -> bytes:
        datum = visit(where={"shop": shop})
        datum["payload"][1]["page"] = page
        return scope(plan, datum)

    assert of("ab", "c") != of("a", "bc")


def test_a_window_needs_its_fields(workshop: Workshop) -> None:
    plan = planned(workshop, "once: {window: 20m, by: where.floor}")

    assert refused(plan, visit()) == ("", "the record has no where.floor, which its window needs")
    assert refused(plan, visit(where={"floor": {}})) == (
        "",
        "where.floor can't name a window: it is no single value",
    )


@pytest.mark.parametrize(
    "at",
    [
        NOON,
        NOON.replace(tzinfo=None),
        NOON.astimezone(timezone(timedelta(hours=-5))),
        NOON_MS,
        "2026-04-27T12:00:00Z",
        "2026-04-27T14:00:00.000+02:00",
        "2026-04-27T12:00:00",
    ],
)
def test_the_windows_clock_reads_every_usual_form_of_time(workshop: Workshop, at: object) -> None:
    once = matched(planned(workshop, "once: {window: 20m}"), visit(occurred_at=at)).once

    assert once is not None
    assert once.at_ms == NOON_MS


def test_the_clock_keeps_milliseconds_and_times_before_1970(workshop: Workshop) -> None:
    plan = planned(workshop, "once: {window: 20m}")

    late = matched(plan, visit(occurred_at=NOON + timedelta(microseconds=1_234_999))).once
    early = matched(plan, visit(occurred_at="1969-12-31T23:59:59.999Z")).once

    assert late is not None
    assert late.at_ms == NOON_MS + 1_234
    assert early is not None
    assert early.at_ms == -1


@pytest.mark.parametrize("at", ["soon", None, 1.5, True, {}, datetime(2026, 4, 27).date()])
def test_a_record_without_a_time_cannot_have_a_window(workshop: Workshop, at: object) -> None:
    plan = planned(workshop, "once: {window: 20m}")

    assert refused(plan, visit(occurred_at=at)) == (
        "",
        "the record has no time at occurred_at, which its window needs",
    )


def test_the_user_of_a_record_is_the_first_that_is_there(workshop: Workshop) -> None:
    user = planned(workshop, "", "    user: [where.extra.customer, who]\n").user("visits")

    assert user(visit()) == b"ada"
    assert user(visit(where={"extra": {"customer": "c-1"}})) == b"c-1"
    assert user(visit(who=None)) is None
    assert user(visit(who="")) is None
