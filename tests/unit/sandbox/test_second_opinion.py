"""Capture and the event/ API, sender against simulator: two readings of the same pages have to agree."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from consumer.clock import ManualClock
from consumer.endpoints.capture_analytics import CaptureAnalytics, CaptureAnalyticsOptions
from consumer.endpoints.endpoint import Address, Addressed, Operation
from consumer.endpoints.event_profile import EventUpdate
from consumer.endpoints.event_standard import EventStandard
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Refused, Rejected
from consumer.http.sender import Answer
from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread
from consumer.topology.plan import Matched
from tests.unit.topology.test_shipped_singles import EXAMPLES
from tests.unit.topology.test_shipped_topology import answers, event

KEYS = {"capture": "shared-key", "event": "event-key"}
CLOCK = ManualClock()
MIGRATING = CaptureAnalytics(CLOCK, CaptureAnalyticsOptions(migrate=True, experiences={"fifa": "47Gop5"}))
CAPTURED = {
    "experienceValue": "fifa",
    "eventValue": "e",
    "recordCapturedAt": "2026-04-27T12:00:00Z",
    "email": "a@x.example",
    "sessionId": "s",
    "registrationPageValue": "p",
}
CAPTURES = [
    "PHOTO_ASSIGNED_TO_USER",
    "PHOTO_DOWNLOADED_BY_USER",
    "PHOTO_VIEWED_BY_USER",
    "REGISTRATION_PAGE_VISIT",
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorThread]:
    config = SimulatorConfig(
        distinct_api_key=KEYS["capture"], client_api_key="pk_client", event_api_key=KEYS["event"]
    )
    with SimulatorThread(config) as running:
        yield running


@pytest.fixture
def receiver(simulator: SimulatorThread) -> SimulatorThread:
    simulator.remote.reset()
    return simulator


def post(receiver: SimulatorThread, operation: Operation, item: bytes, key: str) -> Outcome:
    address = Address(operation.path, operation.classify)
    if isinstance(operation, Addressed):
        address = operation.address(item)
    # verify=False: loading certificates takes longer than all else here, and loopback is plain HTTP.
    with httpx.Client(base_url=receiver.base_url, trust_env=False, verify=False) as client:
        answer = client.post(address.path, content=operation.body([item]), headers=operation.headers(key))
    return address.classify(Answer(answer.status_code, {}, answer.content))


def encoded(operation: Operation, given: dict[str, Any]) -> bytes:
    item = operation.encode(given)
    assert isinstance(item, bytes), item
    return item


def harms(receiver: SimulatorThread) -> dict[str, int]:
    report = receiver.remote.report()
    books = (report.user_analytics, report.capture_analytics, report.event_api)
    return {reason: count for book in books for reason, count in book.harmed.items()}


@pytest.mark.parametrize("route", EXAMPLES)
def test_what_the_shipped_routes_send_to_the_event_api_is_taken_without_harm(
    receiver: SimulatorThread, route: str
) -> None:
    answer = answers(EXAMPLES[route][0])["event"]
    assert isinstance(answer, Matched)

    assert post(receiver, answer.route.operation, answer.body, KEYS["event"]) == Delivered()
    assert not harms(receiver)


@pytest.mark.parametrize("kind", CAPTURES)
def test_each_type_of_capture_is_taken_without_harm(receiver: SimulatorThread, kind: str) -> None:
    captured = event("CaptureEvent", type=kind, session_id="s", registration_page_value="p")
    answer = answers(captured)["capture"]
    assert isinstance(answer, Matched)

    assert post(receiver, answer.route.operation, answer.body, KEYS["capture"]) == Delivered()
    assert not harms(receiver)


@pytest.mark.parametrize("kind", [one for one in CAPTURES if one != "PHOTO_ASSIGNED_TO_USER"])
def test_each_type_that_can_be_migrated_is_taken_by_user_analytics(
    receiver: SimulatorThread, kind: str
) -> None:
    item = encoded(MIGRATING, CAPTURED | {"type": kind})

    assert post(receiver, MIGRATING, item, KEYS["capture"]) == Delivered()
    assert receiver.remote.books()["user_analytics"]["accepted"] == 1
    assert not harms(receiver)


def test_any_other_standard_event_is_taken_without_harm(receiver: SimulatorThread) -> None:
    operation = EventStandard(CLOCK)
    item = encoded(operation, {"_id": "5f0e", "event": "product", "properties": {"view": {"id": "sku"}}})

    assert post(receiver, operation, item, KEYS["event"]) == Delivered()
    assert not harms(receiver)


def test_an_unknown_user_is_worth_another_attempt_at_both(receiver: SimulatorThread) -> None:
    capture, update = CaptureAnalytics(CLOCK), EventUpdate(CLOCK)
    nobody = {"email": "nobody@unknown.invalid"}
    viewed = encoded(capture, CAPTURED | nobody | {"type": "PHOTO_VIEWED_BY_USER"})
    updated = encoded(update, nobody | {"attributes": {"city": "Lyon"}})

    for outcome in (
        post(receiver, capture, viewed, KEYS["capture"]),
        post(receiver, update, updated, KEYS["event"]),
    ):
        assert isinstance(outcome, Rejected)
        assert outcome.kind is Refused.UNKNOWN_USER


def test_an_unknown_experience_is_the_records_own_fault(receiver: SimulatorThread) -> None:
    capture = CaptureAnalytics(CLOCK)
    given = CAPTURED | {"type": "PHOTO_VIEWED_BY_USER", "experienceValue": "unknown-one"}

    outcome = post(receiver, capture, encoded(capture, given), KEYS["capture"])

    assert outcome == Rejected("404 for this experience", 404)


def test_a_wrong_key_halts_both(receiver: SimulatorThread) -> None:
    capture, update = CaptureAnalytics(CLOCK), EventUpdate(CLOCK)
    viewed = encoded(capture, CAPTURED | {"type": "PHOTO_VIEWED_BY_USER"})
    updated = encoded(update, {"email": "a@x.example", "attributes": {"city": "Lyon"}})

    assert isinstance(post(receiver, capture, viewed, "wrong"), Halted)
    assert isinstance(post(receiver, update, updated, "wrong"), Halted)
