"""The event/ API: what all of its operations have in common, and the response table row by row."""

import json
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import checks, event_api, fields
from consumer.endpoints.endpoint import Addressed, Invalid
from consumer.endpoints.event_api import EventOperation, EventOptions
from consumer.endpoints.event_confirmation import EventConfirmation
from consumer.endpoints.event_email_open import EventEmailOpen
from consumer.endpoints.event_generic import EventGeneric
from consumer.endpoints.event_profile import EventLogin, EventUpdate
from consumer.endpoints.event_standard import EventStandard
from consumer.endpoints.outcome import Delivered, Halted, Refused, Rejected, Retry, Unclear
from consumer.http.sender import Answer

KINDS: list[tuple[type[EventOperation], dict[str, Any]]] = [
    (EventUpdate, {"attributes": {"firstname": "alexandru"}}),
    (EventLogin, {"attributes": {"firstname": "alexandru"}}),
    (EventGeneric, {"event_name": "my_event"}),
    (EventConfirmation, {"orderId": "o-1"}),
    (EventEmailOpen, {"properties": {"message_id": "m-1"}}),
    (EventStandard, {"event": "viewproduct"}),
]
EMAIL = {"email": "john.doe@example.com"}


@pytest.fixture
def operation() -> EventOperation:
    return EventUpdate(ManualClock(wall_s=784_111_777.0))


# ------------------------------------------------------------------------------------------- user and request


@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_each_names_the_user_and_one_event(kind, least):
    body = json.loads(kind(ManualClock()).encode(EMAIL | least))
    assert body.keys() == {"user", "event"}
    assert body["user"] == EMAIL
    assert len(body["event"]) == 1


@pytest.mark.parametrize(("kind", "least"), [one for one in KINDS if one[0] is not EventConfirmation])
def test_a_user_may_be_named_by_their_id_alone(kind, least):
    assert json.loads(kind(ManualClock()).encode({"_id": "5f0e"} | least))["user"] == {"_id": "5f0e"}


@pytest.mark.parametrize("nobody", [{}, {"email": None}, {"email": "", "_id": " "}])
@pytest.mark.parametrize(("kind", "least"), [one for one in KINDS if one[0] is not EventConfirmation])
def test_without_a_user_nothing_is_sent(kind, least, nobody):
    assert kind(ManualClock()).encode(nobody | least) == Invalid(fields.WHOLE, event_api.NO_IDENTIFIER)


@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_a_field_that_the_operation_does_not_have_is_refused(kind, least):
    assert kind(ManualClock()).encode(EMAIL | least | {"mail": "x"}) == Invalid(
        fields.WHOLE, fields.UNKNOWN_FIELD
    )


@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_a_lone_surrogate_is_told_by_the_field_that_the_route_maps(kind, least):
    given = {"email": "\ud800@example.com"} | least
    assert kind(ManualClock()).encode(given) == Invalid("email", checks.LONE_SURROGATE)


@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_text_must_be_text(kind, least):
    assert kind(ManualClock()).encode({"email": 7} | least) == Invalid("email", checks.NOT_TEXT)


def test_a_body_beyond_the_limit_is_refused():
    operation = EventUpdate(ManualClock(), EventOptions(max_body_bytes=1024))
    given = EMAIL | {"attributes": {"city": "x" * 1024}}
    assert operation.encode(given) == Invalid(fields.WHOLE, fields.TOO_LARGE)


@pytest.mark.parametrize(("kind", "_least"), KINDS)
def test_all_are_posted_one_by_one_to_one_path_with_the_bare_key(kind, _least):
    operation = kind(ManualClock())
    assert operation.path == "/v1/event/"
    assert operation.max_items == 1
    assert operation.body([b'{"a":1}']) == b'{"a":1}'
    assert operation.headers("k3y") == {"authorization": "k3y", "content-type": "application/json"}
    assert not isinstance(operation, Addressed)
    with pytest.raises(ValueError, match="unpack"):
        operation.body([b"{}", b"{}"])


# ------------------------------------------------------------------------------------------ the response table

CREATED = b'{"results":{"message":"Event created","email":"Event was created for the specified user"}}'


def failure(status: int, message: str, description: str = "") -> Answer:
    body = {"errors": [{"message": message, "description": description}]}
    return Answer(status, {}, json.dumps(body).encode())


def test_the_documented_success_acknowledges(operation):
    assert operation.classify(Answer(200, {}, CREATED)) == Delivered()
    assert operation.classify(Answer(200, {}, CREATED[:-1] + b',"errors":[]}')) == Delivered()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"null",
        b"[]",
        b"{}",
        b"<html>sign in</html>",
        b'{"results":null}',
        b'{"errors":[{"message":"User not found"}]}',
        CREATED[:-1] + b',"errors":[{"message":"User not found"}]}',
        CREATED[:-1],
        b'{"results":' + b"[" * 60_000,
        b'{"results":{"message":"\xff"}}',
    ],
)
def test_any_other_200_halts(operation, body):
    assert operation.classify(Answer(200, {}, body)) == Halted("undocumented success")


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_other_2xx_halts(operation, status):
    assert operation.classify(Answer(status, {}, CREATED)) == Halted("undocumented success")


def test_missing_event_information_is_the_records_for_good(operation):
    answer = failure(400, "Missing event information", "Please send event information along with user")
    assert operation.classify(answer) == Rejected("Missing event information", 400, Refused.FOR_GOOD)


def test_an_unknown_user_may_be_worth_a_delayed_attempt(operation):
    answer = failure(404, "User not found", "This email does not exist in our database.")
    assert operation.classify(answer) == Rejected("User not found", 404, Refused.UNKNOWN_USER)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {}, b""),
        Answer(404, {}, b"<html>404</html>"),
        Answer(404, {}, b'{"errors":[]}'),
        Answer(404, {}, b'{"errors":["User not found"]}'),
        Answer(404, {}, b'{"errors":{"message":"User not found"}}'),
        Answer(404, {}, b'{"errors":[{"message":["User not found"]}]}'),
        Answer(404, {}, b'{"message":"User not found"}'),
        Answer(404, {}, b'{"errors":' + b"[" * 60_000),
        failure(404, "Endpoint not found"),
    ],
)
def test_any_other_404_is_the_paths_and_halts(operation, answer):
    assert operation.classify(answer) == Halted("404 unknown path")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, {}, b""),
        failure(400, "john.doe@example.com is odd"),
        failure(400, "User not found"),
        Answer(400, {}, b'{"errors":[{"message":"\xff"}]}'),
    ],
)
def test_a_400_without_a_documented_text_is_unclear_and_its_text_is_not_repeated(operation, answer):
    assert operation.classify(answer) == Unclear("undocumented 400")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, Halted("redirect")),
        (401, Halted("401 unauthorized: key not accepted")),
        (403, Halted("403 forbidden: key not accepted")),
        (405, Halted("405 method not allowed")),
        (413, Rejected("413 content too large", 413)),
        (418, Unclear("undocumented 418")),
        (500, Unclear("500 server error")),
        (503, Unclear("503 server error")),
    ],
)
def test_what_the_page_does_not_mention_means_what_it_means_anywhere(operation, status, outcome):
    assert operation.classify(Answer(status, {}, b"")) == outcome


def test_not_now_is_retried_after_the_wait_that_was_asked_for_up_to_the_options_cap():
    operation = EventUpdate(ManualClock(), EventOptions(max_retry_after_s=30.0))
    assert operation.classify(Answer(429, {"retry-after": "12"}, b"")) == Retry("429 too many requests", 12.0)
    assert operation.classify(Answer(429, {"retry-after": "99"}, b"")) == Retry("429 too many requests", 30.0)
