"""What a generated stream holds, as a consumer would see it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from consumer.sandbox.generator import Emission, Kind, Mix, Plan, Stream, user_event_schema
from consumer.sandbox.generator.payloads import WEIGHTS
from consumer.topology.bots import is_bot
from tests.unit.sandbox.generator.conftest import SCHEMA_ID, START_MS, Decode

E164 = re.compile(r"\+[1-9][0-9]{1,14}")
REGISTERED_PAIRS = {
    ("registration_email", "delivered"),
    ("registration_email", "opened"),
    ("registration_email", "sent"),
    ("registration_sms", "sent"),
    ("registration_sms", "delivered"),
    ("registration_sms", "failed"),
    ("user_collectible", "viewed"),
    ("user_collectible", "downloaded"),
    ("page_visit", "viewed"),
}


def stream(plan: Plan) -> list[Emission]:
    return list(Stream(plan, user_event_schema()))


def of_kind(emissions: Iterable[Emission], kind: Kind) -> list[Emission]:
    return [emission for emission in emissions if emission.kind is kind]


def events_of(emissions: Iterable[Emission], kind: Kind, decode: Decode) -> list[dict[str, Any]]:
    found = [decode(emission.value or b"") for emission in of_kind(emissions, kind)]
    assert found, f"the stream has no {kind}"
    return found


def test_the_same_plan_gives_the_same_records_byte_for_byte() -> None:
    plan = Plan(count=3_000, seed=5, schema_id=SCHEMA_ID, start_ms=START_MS)

    assert stream(plan) == stream(plan)


def test_another_seed_gives_other_ids_and_other_users(decode: Decode) -> None:
    streams = [
        stream(Plan(count=1_000, seed=seed, schema_id=SCHEMA_ID, start_ms=START_MS)) for seed in (5, 6)
    ]

    ids = [{decode(e.value or b"")["id"] for e in emissions if e.kind.is_event} for emissions in streams]
    keys = [{e.key for e in emissions if e.key} for emissions in streams]
    assert not ids[0] & ids[1]
    assert not keys[0] & keys[1]


def test_a_later_start_changes_the_times_and_nothing_else(decode: Decode) -> None:
    early, late = (
        stream(Plan(count=1_000, seed=5, schema_id=SCHEMA_ID, start_ms=start_ms))
        for start_ms in (START_MS, START_MS + 3_600_000)
    )

    for before, after in zip(early, late, strict=True):
        assert (before.kind, before.key) == (after.kind, after.key)
        assert after.timestamp_ms - before.timestamp_ms == 3_600_000
        if before.kind.is_event:
            one, other = decode(before.value or b""), decode(after.value or b"")
            assert other.pop("occurred_at") - one.pop("occurred_at") == timedelta(hours=1)
            assert one == other


def test_every_event_decodes_with_the_shipped_schema(emissions: list[Emission], decode: Decode) -> None:
    for emission in emissions:
        if emission.kind.is_event:
            event = decode(emission.value or b"")
            assert event["payload"][0] == f"so.distinct.events.{emission.payload}"
            assert any(event["user"].values())


def test_all_payload_types_turn_up(emissions: list[Emission]) -> None:
    assert {emission.payload for emission in emissions if emission.kind.is_event} == set(WEIGHTS)


def test_each_kind_has_the_share_that_the_mix_gives_it(plan: Plan, emissions: list[Emission]) -> None:
    mix, counts = plan.mix, Counter(emission.kind for emission in emissions)
    expected = {
        Kind.DUPLICATE: mix.duplicates,
        Kind.REPEATED_ORDER: mix.repeated_orders,
        Kind.LATE: mix.late,
        Kind.BOT: mix.bots,
        Kind.MACHINE_OPEN: mix.machine_opens,
        Kind.NULL_KEY: mix.null_keys,
        Kind.UNKNOWN_USER: mix.unknown_users,
        Kind.INVALID_PHONE: mix.invalid_phones,
        Kind.UNREGISTERED_PAIR: mix.unregistered_pairs,
        Kind.UNKNOWN_EXPERIENCE: mix.unknown_experiences,
        Kind.LONG_NAME: mix.long_names,
        Kind.WRONG_MAGIC: mix.wrong_magic,
        Kind.UNKNOWN_SCHEMA: mix.unknown_schemas,
        Kind.TRUNCATED: mix.truncated,
        Kind.TRAILING_BYTES: mix.trailing_bytes,
        Kind.EMPTY_VALUE: mix.empty_values,
        Kind.TOMBSTONE: mix.tombstones,
        **dict.fromkeys(
            (Kind.OPEN_INSIDE, Kind.OPEN_LAST_MOMENT, Kind.OPEN_AT_EDGE, Kind.OPEN_OUTSIDE),
            mix.repeated_opens / 4,
        ),
    }
    for kind, share in expected.items():
        # Six standard deviations, and what is due after the end of the stream.
        tolerance = 6 * (share / len(emissions)) ** 0.5 + 0.1 * share
        assert counts[kind] / len(emissions) == pytest.approx(share, abs=tolerance), kind
    assert set(counts) == {*expected, Kind.PLAIN}


def test_a_mix_without_anything_special_is_plain_events_only() -> None:
    off = dict.fromkeys(
        (name for name in Mix.__dataclass_fields__ if name not in ("users", "skew")),
        0.0,
    )

    emissions = stream(
        Plan(count=2_000, seed=1, schema_id=SCHEMA_ID, start_ms=START_MS, mix=Mix(users=50, **off))
    )

    assert {emission.kind for emission in emissions} == {Kind.PLAIN}
    assert all(emission.headers is None for emission in emissions)


def test_what_a_consumer_has_to_refuse_is_far_below_the_point_of_mass_refusal(
    emissions: list[Emission],
) -> None:
    refusable = {
        Kind.UNKNOWN_USER,
        Kind.INVALID_PHONE,
        Kind.UNREGISTERED_PAIR,
        Kind.UNKNOWN_EXPERIENCE,
        Kind.LONG_NAME,
    }
    refused = sum(emission.kind in refusable or emission.kind.is_undecodable for emission in emissions)

    assert 0 < refused / len(emissions) < 0.05


def test_a_duplicate_is_an_earlier_record_again_near_and_far(emissions: list[Emission]) -> None:
    seen: dict[tuple[bytes | None, bytes | None], int] = {}
    distances = []
    for index, emission in enumerate(emissions):
        place = (emission.key, emission.value)
        if emission.kind is Kind.DUPLICATE:
            distances.append(index - seen[place])
        elif emission.kind.is_event:
            assert place not in seen
            seen[place] = index

    assert distances.count(1) > 50
    assert sum(1 < distance <= 60 for distance in distances) > 50
    assert sum(distance > 1_000 for distance in distances) > 50


def test_ids_are_distinct_apart_from_duplicates(emissions: list[Emission], decode: Decode) -> None:
    ids = [decode(e.value or b"")["id"] for e in emissions if e.kind.is_event]

    assert len(ids) - len(set(ids)) == len(of_kind(emissions, Kind.DUPLICATE))


@pytest.mark.parametrize(
    ("kind", "shortest_ms", "longest_ms"),
    [
        (Kind.OPEN_INSIDE, 1_000, 1_199_998),
        (Kind.OPEN_LAST_MOMENT, 1_199_999, 1_199_999),
        (Kind.OPEN_AT_EDGE, 1_200_000, 1_200_000),
        (Kind.OPEN_OUTSIDE, 1_200_001, 2_400_000),
    ],
)
def test_a_repeated_open_has_its_exact_distance_to_another_open_of_its_user(
    emissions: list[Emission], decode: Decode, kind: Kind, shortest_ms: int, longest_ms: int
) -> None:
    opens: dict[bytes | None, list[datetime]] = defaultdict(list)
    for emission in emissions:
        if emission.kind.is_event and emission.payload == "EmailOpened":
            opens[emission.key].append(decode(emission.value or b"")["occurred_at"])

    looked_back = 0
    repeated = of_kind(emissions, kind)
    for emission in repeated:
        occurred_at = decode(emission.value or b"")["occurred_at"]
        steps = [(occurred_at - other) // timedelta(milliseconds=1) for other in opens[emission.key]]
        assert any(shortest_ms <= abs(step) <= longest_ms for step in steps)
        looked_back += all(step <= 0 for step in steps)
    assert len(repeated) > 50
    assert looked_back > 5, "some must arrive after an open that they precede"


def test_events_of_one_user_come_in_order_unless_they_are_late(
    emissions: list[Emission], decode: Decode
) -> None:
    late = of_kind(emissions, Kind.LATE)
    for emission in late:
        sent_at = datetime.fromtimestamp(emission.timestamp_ms / 1000, UTC)
        age = sent_at - decode(emission.value or b"")["occurred_at"]
        assert timedelta(seconds=1) <= age < timedelta(minutes=45)
    for emission in of_kind(emissions, Kind.PLAIN):
        occurred_at = decode(emission.value or b"")["occurred_at"]
        assert round(occurred_at.timestamp() * 1000) == emission.timestamp_ms
    assert late
    assert all(a.timestamp_ms <= b.timestamp_ms for a, b in pairwise(emissions))


def test_all_events_of_a_user_have_one_key(emissions: list[Emission], decode: Decode) -> None:
    for emission in emissions:
        if emission.kind.is_event and emission.key is not None:
            user = decode(emission.value or b"")["user"]
            own = user["external_id"] or user["anonymous_id"].removeprefix("anon-")
            assert own.encode() == emission.key


def test_a_user_without_a_key_has_one_event(emissions: list[Emission], decode: Decode) -> None:
    users = Counter(
        decode(e.value or b"")["user"]["external_id"] for e in emissions if e.kind is Kind.NULL_KEY
    )

    assert users
    assert set(users.values()) == {1}
    assert all(
        emission.key is None
        for emission in emissions
        if emission.kind.is_event and decode(emission.value or b"")["user"]["external_id"] in users
    )


def test_activity_follows_a_power_law_without_one_user_dominating() -> None:
    emissions = stream(Plan(count=30_000, seed=2, schema_id=SCHEMA_ID, start_ms=START_MS))
    by_user = [count for _, count in Counter(e.key for e in emissions).most_common()]

    assert len(by_user) > 10_000
    assert by_user[0] < 0.01 * len(emissions)
    assert sum(by_user[: len(by_user) // 10]) > 0.3 * len(emissions)


def test_devices_come_after_their_user_was_identified(emissions: list[Emission]) -> None:
    identified: set[bytes | None] = set()
    devices = 0
    for emission in emissions:
        if emission.payload == "Identified":
            identified.add(emission.key)
        elif emission.payload == "DeviceRegistered":
            assert emission.key in identified
            devices += 1
    assert devices


def test_an_alias_comes_once_after_its_visitor_was_seen_and_before_its_user_is(
    emissions: list[Emission], decode: Decode
) -> None:
    histories: dict[bytes | None, list[tuple[str, bool]]] = defaultdict(list)
    for emission in emissions:
        if emission.kind.is_event and emission.kind is not Kind.DUPLICATE:
            is_user = decode(emission.value or b"")["user"]["external_id"] is not None
            histories[emission.key].append((emission.payload, is_user))
    aliased = [history for history in histories.values() if ("Aliased", False) in history]
    whole = [("PageVisited", False), ("Aliased", False), ("Identified", True)]
    assert len(aliased) > 5
    assert all(history == whole[: len(history)] for history in aliased)


def test_bots_carry_the_user_agents_of_known_crawlers_and_nobody_else_does(
    emissions: list[Emission], decode: Decode
) -> None:
    for event in events_of(emissions, Kind.BOT, decode):
        assert is_bot(event["context"][1]["user_agent"])
    people = {event["context"][1]["user_agent"] for event in events_of(emissions, Kind.PLAIN, decode)}
    assert len(people) > 3
    assert not any(is_bot(user_agent) for user_agent in people)


def test_machine_opens_say_so(emissions: list[Emission], decode: Decode) -> None:
    assert all(event["payload"][1]["machine"] for event in events_of(emissions, Kind.MACHINE_OPEN, decode))


def test_unknown_users_are_unknown_by_every_identifier_and_some_come_again(
    emissions: list[Emission], decode: Decode
) -> None:
    users = [event["user"] for event in events_of(emissions, Kind.UNKNOWN_USER, decode)]

    for user in users:
        assert user["user_id"].startswith("unknown-")
        assert user["email"].endswith("@unknown.invalid")
        assert user["phone"].startswith("+199")
    assert 1 < len({user["user_id"] for user in users}) < len(users)


def test_every_api_that_looks_users_up_is_asked_about_unknown_ones(emissions: list[Emission]) -> None:
    payloads = {emission.payload for emission in of_kind(emissions, Kind.UNKNOWN_USER)}

    assert payloads == {"EmailOpened", "Engagement", "CaptureEvent", "ProfileUpdated"}


def test_a_repeated_order_is_another_event_about_an_earlier_order_of_its_user(
    emissions: list[Emission], decode: Decode
) -> None:
    confirmed: dict[tuple[bytes | None, str], str] = {}
    repeated = 0
    for emission in emissions:
        if emission.payload != "PurchaseConfirmed" or emission.kind is Kind.DUPLICATE:
            continue
        event = decode(emission.value or b"")
        order_id = event["payload"][1]["order_id"]
        if emission.kind is Kind.REPEATED_ORDER:
            assert confirmed[emission.key, order_id] != event["id"]
            repeated += 1
        elif order_id is not None:
            assert (emission.key, order_id) not in confirmed
            confirmed[emission.key, order_id] = event["id"]
    assert repeated > 10


def test_some_orders_have_no_id(emissions: list[Emission], decode: Decode) -> None:
    orders = [
        decode(emission.value or b"")["payload"][1]["order_id"]
        for emission in of_kind(emissions, Kind.PLAIN)
        if emission.payload == "PurchaseConfirmed"
    ]

    assert 0 < orders.count(None) < len(orders) / 4


def test_only_unknown_experiences_are_unknown(emissions: list[Emission], decode: Decode) -> None:
    for event in events_of(emissions, Kind.UNKNOWN_EXPERIENCE, decode):
        assert event["payload"][1]["experience_value"].startswith("unknown-")
    captures = [e for e in of_kind(emissions, Kind.PLAIN) if e.payload == "CaptureEvent"]
    values = {decode(emission.value or b"")["payload"][1]["experience_value"] for emission in captures}
    assert len(values) > 1
    assert not any(value.startswith("unknown-") for value in values)


def test_only_invalid_phones_are_invalid(emissions: list[Emission], decode: Decode) -> None:
    for event in events_of(emissions, Kind.INVALID_PHONE, decode):
        assert not E164.fullmatch(event["user"]["phone"])
    phones = [event["user"]["phone"] for event in events_of(emissions, Kind.PLAIN, decode)]
    assert all(phone is None or E164.fullmatch(phone) for phone in phones)
    assert any(phones)


def test_only_unregistered_pairs_are_unregistered(emissions: list[Emission], decode: Decode) -> None:
    def pair(event: dict[str, Any]) -> tuple[str, str]:
        return event["payload"][1]["feature"].lower(), event["payload"][1]["action"].lower()

    for event in events_of(emissions, Kind.UNREGISTERED_PAIR, decode):
        assert pair(event) not in REGISTERED_PAIRS
    plain = [e for e in of_kind(emissions, Kind.PLAIN) if e.payload == "Engagement"]
    assert all(pair(decode(emission.value or b"")) in REGISTERED_PAIRS for emission in plain)


def test_only_long_names_are_too_long(emissions: list[Emission], decode: Decode) -> None:
    for event in events_of(emissions, Kind.LONG_NAME, decode):
        assert len(event["payload"][1]["name"]) > 255
    plain = [e for e in of_kind(emissions, Kind.PLAIN) if e.payload == "CustomEvent"]
    assert all(0 < len(decode(emission.value or b"")["payload"][1]["name"]) <= 255 for emission in plain)


@pytest.mark.parametrize(
    "kind",
    [Kind.WRONG_MAGIC, Kind.UNKNOWN_SCHEMA, Kind.TRUNCATED, Kind.TRAILING_BYTES, Kind.EMPTY_VALUE],
)
def test_an_undecodable_record_has_a_key_and_a_value_that_no_reader_takes(
    emissions: list[Emission], decode: Decode, kind: Kind
) -> None:
    poison = of_kind(emissions, kind)

    assert poison
    for emission in poison:
        assert emission.key
        assert emission.value is not None
        with pytest.raises((ValueError, EOFError, IndexError)):
            decode(emission.value)


def test_each_undecodable_kind_is_wrong_in_its_own_way(emissions: list[Emission], decode: Decode) -> None:
    assert all((e.value or b"\x00")[0] != 0 for e in of_kind(emissions, Kind.WRONG_MAGIC))
    assert all(
        (e.value or b"")[:5] == b"\x00\x7f\xff\xff\xff" for e in of_kind(emissions, Kind.UNKNOWN_SCHEMA)
    )
    assert all(e.value == b"" for e in of_kind(emissions, Kind.EMPTY_VALUE))
    for emission in of_kind(emissions, Kind.TRAILING_BYTES):
        assert decode((emission.value or b"")[:-5])["id"]


def test_tombstones_have_a_key_and_no_value(emissions: list[Emission]) -> None:
    tombstones = of_kind(emissions, Kind.TOMBSTONE)

    assert tombstones
    assert all(emission.key and emission.value is None for emission in tombstones)


def test_a_sample_carries_a_w3c_trace_context(plan: Plan, emissions: list[Emission]) -> None:
    traced = [emission.headers for emission in emissions if emission.headers]

    assert len(traced) == pytest.approx(plan.mix.traced * len(emissions), rel=0.5)
    for ((name, value),) in traced:
        assert name == "traceparent"
        assert isinstance(value, bytes)
        assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", value)
