"""Capture and the event/ API, whatever a record holds: `encode` never raises, and its words repeat no data."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.clock import ManualClock
from consumer.endpoints import (
    capture_analytics,
    capture_migration,
    checks,
    event_api,
    event_confirmation,
    event_generic,
    event_profile,
    event_standard,
    fields,
    phones,
    user_analytics,
)
from consumer.endpoints.capture_analytics import CaptureAnalytics, CaptureAnalyticsOptions
from consumer.endpoints.endpoint import Invalid, Operation
from consumer.endpoints.event_api import EventOperation
from consumer.endpoints.event_confirmation import EventConfirmation
from consumer.endpoints.event_email_open import EventEmailOpen
from consumer.endpoints.event_generic import EventGeneric
from consumer.endpoints.event_profile import EventLogin, EventUpdate
from consumer.endpoints.event_standard import EventStandard
from consumer.endpoints.outcome import Delivered, Late
from consumer.http.sender import Answer
from consumer.http.urls import BaseUrl, parse_base_url
from tests.unit.endpoints.test_encode_properties import any_text, depth, json_leaves, parsed, spoilt, values

CLOCK = ManualClock()
CAPTURE = CaptureAnalytics(CLOCK)
MIGRATING = CaptureAnalytics(CLOCK, CaptureAnalyticsOptions(migrate=True, experiences={"fifa": "47Gop5"}))
KINDS: list[EventOperation] = [
    EventUpdate(CLOCK),
    EventLogin(CLOCK),
    EventGeneric(CLOCK),
    EventConfirmation(CLOCK),
    EventEmailOpen(CLOCK),
    EventStandard(CLOCK),
]
OURS = (
    *(capture_analytics, capture_migration, event_api, event_confirmation, event_generic, event_profile),
    *(event_standard, checks, fields, phones, user_analytics),
)
REASONS = {
    value
    for module in OURS
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}
BASE = parse_base_url("https://api.example.com")

captures = spoilt(
    {
        "experienceValue": st.just("fifa") | any_text,
        "type": st.sampled_from(sorted(capture_migration.KINDS)),
        "eventValue": any_text,
        "email": st.just("john.doe@example.com"),
        "recordCapturedAt": st.just("2026-04-27T13:35:00Z"),
        "sessionId": any_text,
        "registrationPageValue": any_text,
        "phone": st.just("+14155552671"),
        "metadata": st.just({"event_id": "e-1"}),
    }
)


def event_items(operation: EventOperation) -> st.SearchStrategy[dict[str, Any]]:
    sound: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(operation.fields, any_text)
    sound |= {"email": st.just("john.doe@example.com"), "total": st.floats() | st.decimals()}
    sound |= dict.fromkeys(
        ("attributes", "properties", "extra"), st.dictionaries(any_text, values, max_size=3)
    )
    sound |= {"items": st.lists(st.dictionaries(st.sampled_from(["id", "quantity"]), values), max_size=2)}
    return spoilt({name: value for name, value in sound.items() if name in operation.fields})


def check_fault(operation: Operation, fault: Invalid) -> None:
    assert fault.reason in REASONS
    assert fault.field in operation.fields | {""}


@pytest.mark.parametrize("operation", [CAPTURE, MIGRATING], ids=["capture", "migrating"])
@given(item=captures)
def test_a_capture_is_sent_below_its_base_or_says_what_is_wrong(operation, item):
    encoded = operation.encode(item)
    if isinstance(encoded, Invalid):
        check_fault(operation, encoded)
        return
    body = parsed(operation.body([encoded]))
    assert isinstance(BASE, BaseUrl)
    url = BASE.join(operation.address(encoded).path)
    if url.endswith("/api/v1/user/analytics"):
        assert operation is MIGRATING
        assert body["experienceId"] == "47Gop5"
    else:
        assert url.startswith("https://api.example.com/api/v1/analytics/capture/")
        assert "email" not in body or body["type"] != "REGISTRATION_PAGE_VISIT"
        assert all(isinstance(value, str) and value.strip() for value in body.values())


@pytest.mark.parametrize("operation", KINDS, ids=lambda one: one.name)
@given(data=st.data())
def test_an_event_is_sent_with_its_user_or_says_what_is_wrong(operation, data):
    encoded = operation.encode(data.draw(event_items(operation)))
    if isinstance(encoded, Invalid):
        check_fault(operation, encoded)
        return
    body = parsed(encoded)
    assert depth(body) <= 32
    assert body.keys() == {"user", "event"}
    assert body["user"].keys() & {"email", "_id"}
    assert len(body["event"]) == 1


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=30)
    | st.dictionaries(st.sampled_from(["results", "errors", "message"]), json_leaves).map(
        lambda reply: json.dumps(reply).encode()
    ),
)
def test_only_the_documented_answer_acknowledges_an_event(status, body):
    outcome = KINDS[0].classify(Answer(status, {}, body))
    if isinstance(outcome, Delivered):
        assert status == 200
        assert json.loads(body)["results"]
        assert not json.loads(body).get("errors")
    else:
        assert not isinstance(outcome, Late) and len(outcome.reason) < 80
