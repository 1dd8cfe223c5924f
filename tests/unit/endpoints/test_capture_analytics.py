"""Distinct Capture Analytics: both shapes, what must not be sent, where it goes, and its response table."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import capture_analytics as capture
from consumer.endpoints import checks, fields, phones
from consumer.endpoints.capture_analytics import CaptureAnalytics, CaptureAnalyticsOptions
from consumer.endpoints.endpoint import Addressed, Advising, Invalid
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Refused, Rejected, Retry, Unclear
from consumer.http.sender import Answer
from consumer.http.urls import BaseUrl, parse_base_url

VISIT = {
    "experienceValue": "fifa-cwc-2025",
    "type": "REGISTRATION_PAGE_VISIT",
    "eventValue": "event-1",
    "recordCapturedAt": "2026-04-27T13:35:00Z",
    "sessionId": "session-1",
    "registrationPageValue": "page-1",
}
VIEWED = {
    "experienceValue": "fifa-cwc-2025",
    "type": "PHOTO_VIEWED_BY_USER",
    "eventValue": "event-1",
    "recordCapturedAt": "2026-04-27T13:35:00Z",
    "email": "john.doe@example.com",
}


@pytest.fixture
def operation() -> CaptureAnalytics:
    return CaptureAnalytics(ManualClock(wall_s=784_111_777.0))


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def encoded(operation: CaptureAnalytics, given: dict[str, Any]) -> bytes:
    item = operation.encode(given)
    assert isinstance(item, bytes), item
    return item


def sent(operation: CaptureAnalytics, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Path and body."""
    item = encoded(operation, given)
    body = json.loads(operation.body([item]))
    assert isinstance(body, dict)
    return operation.address(item).path, body


# ----------------------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize("given", [VISIT, VIEWED])
def test_the_examples_of_the_page_are_sent_as_they_are(operation, given):
    assert sent(operation, given) == (
        "/api/v1/analytics/capture/fifa-cwc-2025",
        without(given, "experienceValue"),
    )


@pytest.mark.parametrize(
    "kind", ["PHOTO_ASSIGNED_TO_USER", "PHOTO_DOWNLOADED_BY_USER", "PHOTO_VIEWED_BY_USER"]
)
def test_every_type_of_the_page_passes(operation, kind):
    assert sent(operation, VIEWED | {"type": kind})[1]["type"] == kind


def test_a_page_visit_never_carries_an_email(operation):
    assert "email" not in sent(operation, VISIT | {"email": "john.doe@example.com"})[1]


def test_what_belongs_to_the_other_shape_or_to_the_migration_is_not_sent(operation):
    more = {
        "sessionId": "s",
        "registrationPageValue": "p",
        "userId": "u",
        "phone": "+14155552671",
        "metadata": {"event_id": "e-1"},
    }
    assert sent(operation, VIEWED | more)[1] == without(VIEWED, "experienceValue")


def test_a_datetime_is_sent_as_an_iso_timestamp(operation):
    given = VIEWED | {"recordCapturedAt": datetime(2026, 4, 27, 13, 35, tzinfo=UTC)}
    assert sent(operation, given)[1]["recordCapturedAt"] == "2026-04-27T13:35:00Z"


# ------------------------------------------------------------------------------------------- what must not be


SHAPES = [(VISIT, name) for name in VISIT] + [(VIEWED, name) for name in VIEWED]


@pytest.mark.parametrize(("given", "field"), SHAPES)
def test_every_field_of_a_shape_is_required(operation, given, field):
    assert operation.encode(given | {field: None}) == Invalid(field, fields.REQUIRED)
    assert operation.encode(without(given, field)) == Invalid(field, fields.REQUIRED)


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(("given", "field"), [one for one in SHAPES if one[1] != "recordCapturedAt"])
def test_a_blank_text_is_as_good_as_none(operation, given, field, blank):
    assert operation.encode(given | {field: blank}) == Invalid(field, fields.REQUIRED)


@pytest.mark.parametrize("kind", ["photo_viewed_by_user", "PHOTO_DELETED", "specimen"])
def test_a_type_that_the_page_does_not_list_is_refused(operation, kind):
    assert operation.encode(VIEWED | {"type": kind}) == Invalid("type", capture.UNKNOWN_KIND)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("type", 7, checks.NOT_TEXT),
        ("eventValue", 7, checks.NOT_TEXT),
        ("email", ["a@x.example"], checks.NOT_TEXT),
        ("recordCapturedAt", "yesterday", checks.NOT_A_TIMESTAMP),
        ("recordCapturedAt", datetime(2026, 4, 27), checks.NO_ZONE),
        ("phone", "+99912345678", phones.NOT_POSSIBLE),
        ("metadata", [], checks.NOT_OBJECT),
        ("experienceValue", 2025, checks.NOT_TEXT),
        ("eventValue", "\ud800", checks.LONE_SURROGATE),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_field(operation, field, value, reason):
    assert operation.encode(VIEWED | {field: value}) == Invalid(field, reason)


def test_an_object_beyond_the_limit_is_refused():
    operation = CaptureAnalytics(ManualClock(), CaptureAnalyticsOptions(max_body_bytes=1024))
    assert operation.encode(VIEWED | {"eventValue": "x" * 1024}) == Invalid(fields.WHOLE, fields.TOO_LARGE)


# ---------------------------------------------------------------------------------------------- where it goes


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("fifa-cwc-2025", "fifa-cwc-2025"),
        ("été 2025", "%C3%A9t%C3%A9%202025"),
        ("a?b#c", "a%3Fb%23c"),
        ("50%", "50%25"),
        ("%2e%2e", "%252e%252e"),
        ("v1.2", "v1.2"),
    ],
)
def test_an_experience_is_one_percent_encoded_segment_below_any_base(operation, value, segment):
    path, _ = sent(operation, VIEWED | {"experienceValue": value})
    base = parse_base_url("https://api.distinct.so/proxied")
    assert isinstance(base, BaseUrl)
    assert base.join(path) == f"https://api.distinct.so/proxied/api/v1/analytics/capture/{segment}"


@pytest.mark.parametrize("value", ["..", ".", "a/b", "../user", "a\\b", "a\nb", "a\x00", "\ud800"])
def test_an_experience_never_leads_to_another_path(operation, value):
    assert operation.encode(VIEWED | {"experienceValue": value}) == Invalid(
        "experienceValue", capture.NO_SEGMENT
    )


def test_a_request_carries_one_object_and_the_shared_key(operation):
    assert operation.max_items == 1
    assert operation.headers("key") == {"x-distinct-api-key": "key", "content-type": "application/json"}
    with pytest.raises(ValueError, match="unpack"):
        operation.body([b"a\n{}", b"b\n{}"])


def test_the_pipeline_is_told_that_its_items_have_addresses_of_their_own(operation):
    assert isinstance(operation, Addressed)


def test_its_address_says_that_it_is_deprecated_and_what_to_do(operation):
    assert "migrate" in operation.address(encoded(operation, VIEWED)).deprecated
    assert operation.advice({}) == [capture.DEPRECATED]
    assert isinstance(operation, Advising)


# ------------------------------------------------------------------------------------------ the response table


def answer(status: int, message: str | None = None) -> Answer:
    body = b""
    if message is not None:
        body = json.dumps({"statusCode": status, "message": message, "data": None}).encode()
    return Answer(status, {}, body)


def judged(operation: CaptureAnalytics, given: Answer) -> Outcome:
    return operation.address(encoded(operation, VIEWED)).classify(given)


def test_the_documented_success_acknowledges(operation):
    assert judged(operation, answer(200, "Analytics captured successfully.")) == Delivered()


@pytest.mark.parametrize(
    "given", [Answer(200, {}, b""), Answer(200, {}, b'{"statusCode":400}'), answer(201, "ok"), answer(204)]
)
def test_any_other_success_halts(operation, given):
    assert judged(operation, given) == Halted("undocumented success")


def test_a_404_in_the_vendors_envelope_is_the_records_because_its_experience_is_in_the_path(operation):
    assert judged(operation, answer(404, "Experience not found.")) == Rejected("404 for this experience", 404)


@pytest.mark.parametrize(
    "given",
    [
        answer(404),
        Answer(404, {}, b"<html>not here</html>"),
        Answer(404, {}, b'{"statusCode":404}'),
        Answer(404, {}, b'{"statusCode":200,"message":"Experience not found."}'),
        Answer(404, {}, b'{"statusCode":404,"message":["Experience not found."]}'),
        Answer(404, {}, b'{"message":"no Route matched with those values"}'),
        # What a server's framework says of a path that it does not have: every record would be told so.
        answer(404, "Cannot POST /api/v1/analytics/capture/fifa-cwc-2025"),
    ],
)
def test_any_other_404_halts(operation, given):
    assert judged(operation, given) == Halted("404 unknown path")


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer(400, "User not found."), Rejected("User not found.", 400, Refused.UNKNOWN_USER)),
        (answer(400, "Invalid experience id."), Rejected("Invalid experience id.", 400)),
        (answer(400, "Invalid feature/action."), Rejected("Invalid feature/action.", 400)),
        (answer(400, "something else"), Unclear("undocumented 400")),
        (answer(401, "Unauthorized."), Halted("401 unauthorized: missing or invalid API key")),
        (answer(403), Halted("403 forbidden: this key or this address is not allowed")),
        (answer(301), Halted("redirect")),
        (answer(429), Retry("429 too many requests")),
        (answer(500, "Internal server error."), Unclear("500 internal server error")),
        (answer(503), Unclear("503 server error")),
    ],
)
def test_all_else_is_as_at_user_analytics(operation, given, outcome):
    assert judged(operation, given) == outcome
