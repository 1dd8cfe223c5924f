"""What the topology that ships sends to Capture Analytics and to the event/ API: each route with an example."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from consumer.endpoints.endpoint import Addressed
from consumer.resources import schemas_dir, topology_dir
from consumer.topology.load import load_plan
from consumer.topology.plan import Dropped, Matched, Routed, Unmapped
from tests.unit.topology.test_shipped_topology import GOOGLEBOT, KEYS, PLAN, answers, event

APPLE = "Mozilla/5.0"


def to(destination: str, datum: dict[str, Any]) -> Routed | None:
    return answers(datum).get(destination)


def sent(destination: str, datum: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The route, and the request's body."""
    answer = to(destination, datum)
    assert isinstance(answer, Matched), answer
    body = json.loads(answer.route.operation.body([answer.body]))
    assert isinstance(body, dict)
    return answer.route.id, body


def of_user(datum: dict[str, Any], **changes: str | None) -> dict[str, Any]:
    return {**datum, "user": {**datum["user"], **changes}}


# ----------------------------------------------------------------------------------------------------- capture


def test_a_capture_goes_to_its_experiences_path_in_the_shape_of_its_type() -> None:
    answer = to("capture", event("CaptureEvent"))

    assert isinstance(answer, Matched)
    operation = answer.route.operation
    assert isinstance(operation, Addressed)
    assert operation.address(answer.body).path == "/api/v1/analytics/capture/fifa"
    assert sent("capture", event("CaptureEvent")) == (
        "capture-events",
        {
            "type": "PHOTO_VIEWED_BY_USER",
            "eventValue": "e",
            "recordCapturedAt": "2026-04-27T12:00:00Z",
            "email": "a@x.example",
        },
    )


def test_a_registration_page_visit_carries_session_and_page_and_no_email() -> None:
    visit = event(
        "CaptureEvent", type="REGISTRATION_PAGE_VISIT", session_id="s-1", registration_page_value="p-1"
    )

    assert sent("capture", visit)[1] == {
        "type": "REGISTRATION_PAGE_VISIT",
        "eventValue": "e",
        "recordCapturedAt": "2026-04-27T12:00:00Z",
        "sessionId": "s-1",
        "registrationPageValue": "p-1",
    }


def test_a_photo_of_nobody_with_an_email_is_refused_with_a_reason() -> None:
    refused = to("capture", of_user(event("CaptureEvent"), email=None))

    assert isinstance(refused, Unmapped)
    assert refused.field == "email"


def test_captures_are_not_migrated_until_somebody_says_so_and_check_says_that_they_could_be() -> None:
    assert any(note.startswith("capture-events: Capture Analytics is deprecated") for note in PLAN.notes)


@pytest.mark.parametrize("file", ["capture.yaml", "event-api.yaml"])
def test_each_of_the_two_can_be_deleted_with_its_file(file: str, tmp_path: Path) -> None:
    for kept in topology_dir().glob("*.yaml"):
        if kept.name != file:
            shutil.copy(kept, tmp_path)

    rest = load_plan(tmp_path, KEYS, schemas=schemas_dir())

    assert len(PLAN.destinations) - len(rest.destinations) == 1


# -------------------------------------------------------------------------------------------------- event/ API

ADA = {"email": "a@x.example"}
NOON = "2026-04-27T12:00:00Z"
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "event-profiles": (event("ProfileUpdated"), {"update": {"city": "Lyon", "tags": ["vip"]}}),
    "event-logins": (event("LoggedIn", attributes={"city": "Lyon"}), {"login": {"city": "Lyon"}}),
    "event-orders": (
        event("PurchaseConfirmed"),
        {
            "confirmation": {
                "generic": {"orderId": "o", "total": 10.5, "currency": "EUR", "status": "paid"},
                "items": [{"id": "sku", "quantity": 1}],
            }
        },
    ),
    "event-orders-without-id": (
        event("PurchaseConfirmed", order_id=None, items=[]),
        {"confirmation": {"generic": {"total": 10.5, "currency": "EUR", "status": "paid"}}},
    ),
    "event-opens": (
        event("EmailOpened"),
        {
            "email_open": {
                "event_id": "e-1",
                "occurred_at": NOON,
                "message_id": "m-1",
                "experience_id": "47Gop5",
            }
        },
    ),
    "event-opens-as-engagements": (
        event("Engagement", feature="Registration_Email", action="OPENED", metadata={"a": "b"}),
        {
            "email_open": {
                "event_id": "e-1",
                "occurred_at": NOON,
                "experience_id": "47Gop5",
                "details": {"a": "b"},
            }
        },
    ),
    "event-custom": (
        event("CustomEvent"),
        {
            "generic": {
                "generic": {
                    "event_name": "Quiz Finished",
                    "event_id": "e-1",
                    "occurred_at": NOON,
                    "score": 5,
                }
            }
        },
    ),
}


@pytest.mark.parametrize("route", EXAMPLES)
def test_each_route_to_the_event_api_sends_its_example(route: str) -> None:
    datum, expected = EXAMPLES[route]

    assert sent("event", datum) == (route, {"user": ADA, "event": expected})


def test_there_is_an_example_of_each_route() -> None:
    routes = {route.id for route in PLAN.routes if route.destination in ("capture", "event")}

    assert routes == {*EXAMPLES, "capture-events"}


@pytest.mark.parametrize("route", EXAMPLES)
def test_who_has_no_email_is_not_for_the_event_api(route: str) -> None:
    assert to("event", of_user(EXAMPLES[route][0], email=None)) is None


def once_of(datum: dict[str, Any]) -> Any:
    answer = to("event", datum)
    assert isinstance(answer, Matched)
    return answer.once


def test_an_order_is_confirmed_once_for_ever_whoever_says_it_and_one_without_an_id_always() -> None:
    first = once_of(event("PurchaseConfirmed"))
    again = once_of(of_user(event("PurchaseConfirmed", total=11.0), user_id="bob", email="b@x.example"))
    other = once_of(event("PurchaseConfirmed", order_id="o-2"))

    assert first.length_ms is None
    assert first.scope == again.scope != other.scope
    for nothing in (None, "", " "):
        assert once_of(event("PurchaseConfirmed", order_id=nothing)) is None


def test_opens_share_a_window_of_20_minutes_however_they_were_reported() -> None:
    opened, reported = EXAMPLES["event-opens"][0], EXAMPLES["event-opens-as-engagements"][0]

    assert once_of(opened) == once_of(reported)
    assert once_of(opened).length_ms == 1_200_000
    assert once_of(EXAMPLES["event-custom"][0]) is None


@pytest.mark.parametrize("agent", [GOOGLEBOT, APPLE])
@pytest.mark.parametrize("route", ["event-opens", "event-opens-as-engagements"])
def test_the_opens_of_bots_and_of_apples_privacy_proxy_are_dropped(route: str, agent: str) -> None:
    datum = {**EXAMPLES[route][0], "context": ("so.distinct.events.Context", {"user_agent": agent})}
    dropped = to("event", datum)

    assert isinstance(dropped, Dropped)
    assert dropped.reason == "bot"


def test_an_open_that_the_sender_knows_for_a_machines_is_dropped() -> None:
    dropped = to("event", event("EmailOpened", machine=True))

    assert isinstance(dropped, Dropped)
    assert dropped.reason == "machine"


def test_the_event_apis_address_is_the_vendors_unless_the_environment_says_otherwise() -> None:
    assert PLAN.destinations["event"].base_url == "https://api.vtcdn.net"
