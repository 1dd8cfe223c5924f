"""What the topology that ships does with each event of the shipped schema."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.endpoints.user_analytics import REGISTERED_PAIRS
from consumer.resources import schemas_dir, topology_dir
from consumer.topology.load import load_plan
from consumer.topology.plan import Dropped, Matched, Routed, Unmapped
from consumer.types import Record

KEYS = {
    "DISTINCT_API_KEY": "k",
    "CLIENT_API_KEY": "pk",
    "CLIENT_API_BASE_URL": "https://client.example",
    "EVENT_API_KEY": "e",
}
BOTH = ("client", "user-analytics")
NOON = datetime(2026, 4, 27, 12, 0, tzinfo=UTC)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SCHEMA = json.loads((schemas_dir() / "user-event.avsc").read_bytes())
PLAN = load_plan(topology_dir(), KEYS, schemas=schemas_dir())
PAYLOADS: dict[str, dict[str, Any]] = {
    "Engagement": {
        "feature": "registration_sms",
        "action": "sent",
        "experience_id": "47Gop5",
        "metadata": {},
    },
    "EmailOpened": {"experience_id": "47Gop5", "message_id": "m-1", "campaign_id": None, "machine": False},
    "CaptureEvent": {
        "type": "PHOTO_VIEWED_BY_USER",
        "experience_value": "fifa",
        "event_value": "e",
        "session_id": None,
        "registration_page_value": None,
    },
    "PageVisited": {"url": "https://x.example/", "title": None, "referrer": None, "experience_id": "47Gop5"},
    "Identified": {"timezone": "UTC", "locale": "en", "traits": {"vip": True}},
    "Aliased": {"anonymous_id": "anon", "external_id": "ada"},
    "DeviceRegistered": {
        "device_id": "d",
        "token": "push-token",
        "os": "iOS",
        "model": "m",
        "app_build": "1",
        "app_version": "1",
    },
    "PurchaseConfirmed": {
        "order_id": "o",
        "total": 10.5,
        "currency": "EUR",
        "status": "paid",
        "coupons": None,
        "total_shipping": None,
        "items": [{"id": "sku", "quantity": 1, "price": None}],
    },
    "ProfileUpdated": {"attributes": {"city": "Lyon"}, "tags": ["vip"]},
    "LoggedIn": {"method": None, "attributes": {}, "tags": []},
    "CustomEvent": {"name": "Quiz Finished", "properties": {"score": 5}},
}


def event(kind: str, agent: str | None = None, **changes: Any) -> dict[str, Any]:
    user = {
        "user_id": "ada",
        "email": "a@x.example",
        "phone": None,
        "anonymous_id": None,
        "external_id": "ada",
    }
    context = ("so.distinct.events.Context", {"user_agent": agent}) if agent else None
    payload = (f"so.distinct.events.{kind}", {**PAYLOADS[kind], **changes})
    return {"id": "e-1", "occurred_at": NOON, "user": user, "context": context, "payload": payload}


def answers(datum: dict[str, Any]) -> dict[str, Routed]:
    """By destination."""
    routed = PLAN.router("user-events")(datum, Record("user-events", 0, 1, 0, b"ada", b"", None))
    assert len({answer.route.destination for answer in routed}) == len(routed)
    return {answer.route.destination: answer for answer in routed}


def item(answer: Routed) -> dict[str, Any]:
    assert isinstance(answer, Matched), answer
    decoded = json.loads(answer.body)
    assert isinstance(decoded, dict)
    return decoded


def test_the_example_payloads_are_those_of_the_schema() -> None:
    (payload,) = [field for field in SCHEMA["fields"] if field["name"] == "payload"]

    assert {branch["name"]: {field["name"] for field in branch["fields"]} for branch in payload["type"]} == {
        kind: set(fields) for kind, fields in PAYLOADS.items()
    }
    text = SchemaText((schemas_dir() / "user-event.avsc").read_text())
    assert isinstance(compile_schema(text, AvroPolicy()), Schema)


SINGLES = {"Identified": "identify", "Aliased": "alias", "DeviceRegistered": "devices"}


@pytest.mark.parametrize("kind", PAYLOADS)
def test_everything_goes_to_one_operation_of_the_client_api_in_the_users_order(kind: str) -> None:
    route = answers(event(kind))["client"].route

    assert route.operation.name == SINGLES.get(kind, "events")
    assert route.ordered


@pytest.mark.parametrize("kind", sorted(PAYLOADS.keys() - SINGLES))
def test_an_event_goes_to_the_client_api_with_its_id_and_time(kind: str) -> None:
    sent = item(answers(event(kind))["client"])

    assert sent["external_id"] == "ada"
    assert 0 < len(sent["name"]) <= 255
    assert sent["data"]["event_id"] == "e-1"
    assert sent["data"]["occurred_at"] == "2026-04-27T12:00:00Z"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Engagement", "registration_sms/sent"),
        ("EmailOpened", "Email Opened"),
        ("CaptureEvent", "PHOTO_VIEWED_BY_USER"),
        ("CustomEvent", "Quiz Finished"),
        ("PurchaseConfirmed", "Purchase Confirmed"),
    ],
)
def test_events_have_names_that_people_look_for(kind: str, name: str) -> None:
    assert item(answers(event(kind))["client"])["name"] == name


def test_only_what_user_analytics_has_a_registered_pair_for_goes_there() -> None:
    there = {}
    for kind in PAYLOADS:
        answer = answers(event(kind)).get("user-analytics")
        if answer is not None:
            sent = item(answer)
            there[kind] = (sent["feature"], sent["action"])

    assert there == {
        "Engagement": ("registration_sms", "sent"),
        "EmailOpened": ("registration_email", "opened"),
        "PageVisited": ("page_visit", "viewed"),
    }
    assert set(there.values()) <= REGISTERED_PAIRS


def test_user_analytics_gets_all_identifiers_and_the_events_id() -> None:
    assert item(answers(event("EmailOpened"))["user-analytics"]) == {
        "userId": "ada",
        "email": "a@x.example",
        "feature": "registration_email",
        "action": "opened",
        "experienceId": "47Gop5",
        "capturedAt": "2026-04-27T12:00:00Z",
        "metadata": {"event_id": "e-1", "message_id": "m-1"},
    }


def test_an_open_is_windowed_at_both_receivers_in_windows_of_their_own() -> None:
    both = answers(event("EmailOpened"))
    windows = [answer.once for name in BOTH if isinstance(answer := both[name], Matched)]

    assert [once.length_ms for once in windows if once] == [1_200_000, 1_200_000]
    assert len({once.scope for once in windows if once}) == 2


def test_an_open_reported_as_an_engagement_shares_the_windows_of_the_others() -> None:
    opened = answers(event("EmailOpened"))
    reported = answers(event("Engagement", feature="Registration_Email", action="OPENED"))

    for name in BOTH:
        one, other = opened[name], reported[name]
        assert isinstance(one, Matched)
        assert isinstance(other, Matched)
        assert one.once == other.once is not None


def test_nothing_but_opens_is_windowed_and_but_orders_once_for_ever() -> None:
    for kind in PAYLOADS.keys() - {"EmailOpened"}:
        for name, answer in answers(event(kind)).items():
            assert isinstance(answer, Matched)
            assert (answer.once is None) is ((kind, name) != ("PurchaseConfirmed", "event"))


@pytest.mark.parametrize("kind", ["EmailOpened", "PageVisited"])
def test_what_a_bot_opens_or_visits_is_dropped_everywhere(kind: str) -> None:
    dropped = answers(event(kind, GOOGLEBOT))

    assert dropped.keys() >= set(BOTH)
    assert all(isinstance(one, Dropped) and one.reason == "bot" for one in dropped.values())


def test_a_machines_open_is_dropped_everywhere() -> None:
    dropped = answers(event("EmailOpened", machine=True))

    assert dropped.keys() >= set(BOTH)
    assert all(isinstance(one, Dropped) and one.reason == "machine" for one in dropped.values())


def test_a_page_without_an_experience_goes_to_the_client_api_alone() -> None:
    assert set(answers(event("PageVisited", experience_id=None))) == {"client"}


def test_an_identified_user_brings_traits_and_nothing_of_the_event() -> None:
    assert item(answers(event("Identified"))["client"]) == {
        "external_id": "ada",
        "email": "a@x.example",
        "timezone": "UTC",
        "locale": "en",
        "data": {"vip": True},
    }
    nothing_known = item(answers(event("Identified", timezone=None, locale=None, traits={}))["client"])
    assert nothing_known == {"external_id": "ada", "email": "a@x.example"}


def test_an_alias_ties_the_ids_of_its_payload() -> None:
    assert item(answers(event("Aliased"))["client"]) == {"anonymous_id": "anon", "external_id": "ada"}


def test_a_device_is_its_users_with_its_push_token_if_it_has_one() -> None:
    device = {"external_id": "ada", **PAYLOADS["DeviceRegistered"]}
    assert item(answers(event("DeviceRegistered"))["client"]) == device
    assert "token" not in item(answers(event("DeviceRegistered", token=None))["client"])


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("Identified", {"timezone": "Springfield"}, "timezone"),
        ("Aliased", {"anonymous_id": ""}, "anonymous_id"),
        ("DeviceRegistered", {"device_id": ""}, "device_id"),
    ],
)
def test_what_the_client_api_would_refuse_or_mix_up_is_not_sent(
    kind: str, changes: dict[str, Any], field: str
) -> None:
    answer = answers(event(kind, **changes))["client"]

    assert isinstance(answer, Unmapped)
    assert answer.field == field


def test_what_no_receiver_can_take_is_refused_with_a_reason() -> None:
    unregistered = answers(event("Engagement", feature="newsletter"))["user-analytics"]
    long_name = answers(event("CustomEvent", name="x" * 256))["client"]

    assert isinstance(unregistered, Unmapped)
    assert unregistered.reason == "feature and action are not a registered pair"
    assert isinstance(long_name, Unmapped)
    assert long_name.reason == "is longer than 255 characters"


def test_the_receivers_addresses_come_from_the_environment() -> None:
    assert PLAN.destinations["user-analytics"].base_url == "https://api.distinct.so"
    assert PLAN.destinations["client"].base_url == "https://client.example"

    elsewhere = load_plan(
        topology_dir(), {**KEYS, "DISTINCT_BASE_URL": "http://127.0.0.1:8090"}, schemas=schemas_dir()
    )

    assert elsewhere.destinations["user-analytics"].base_url == "http://127.0.0.1:8090"


def test_a_record_without_a_key_is_still_its_users() -> None:
    user = PLAN.user("user-events")

    assert user(event("LoggedIn")) == b"ada"
    nobody = {**event("LoggedIn"), "user": dict.fromkeys(["user_id", "email", "phone", "external_id"])}
    assert user(nobody) is None
