"""Client API events: what is sent, what must not be (a 204 may lose it too), and what each answer means."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import checks, fields
from consumer.endpoints.client_api import NO_IDENTIFIER, NOT_CANONICAL, WRONG_TYPE
from consumer.endpoints.client_events import ClientEvents, ClientEventsOptions
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.outcome import Delivered, Halted, Rejected, Retry, Unclear
from consumer.http.sender import Answer

PURCHASED = {
    "external_id": "EXTERNAL_ID",
    "name": "Product Purchased",
    "data": {"product_id": 12345, "price": 49.99, "quantity": 4},
}


@pytest.fixture
def operation() -> ClientEvents:
    return ClientEvents(ManualClock())


def encoded(operation: ClientEvents, **changes: Any) -> bytes:
    item = operation.encode(PURCHASED | changes)
    assert isinstance(item, bytes), item
    return item


def sent(operation: ClientEvents, **changes: Any) -> Any:
    return json.loads(encoded(operation, **changes))


def refused(operation: ClientEvents, **changes: Any) -> Invalid:
    outcome = operation.encode(PURCHASED | changes)
    assert isinstance(outcome, Invalid), outcome
    return outcome


def answer(status: int, error: str | None = None, code: int | None = None, **headers: str) -> Answer:
    reply: dict[str, object] = {"status": "error", "error": error}
    if code is not None:
        reply["code"] = code
    body = b"" if error is None else json.dumps(reply).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


# ----------------------------------------------------------------------------------------------- what is sent


def test_the_example_of_the_page_is_sent_as_it_is(operation):
    assert json.loads(operation.body([encoded(operation)])) == [PURCHASED]


def test_an_event_with_both_ids_and_attributes_of_its_user(operation):
    user = {"email": "a@example.com", "phone": "0721 000 000", "timezone": "Europe/Bucharest", "locale": "ro"}
    everything = {"anonymous_id": "anon-1", "user": user | {"data": {"plan": "gold"}}}
    assert sent(operation, **everything) == PURCHASED | everything


def test_an_anonymous_id_alone_is_enough(operation):
    assert sent(operation, external_id=None, anonymous_id="anon-1")["anonymous_id"] == "anon-1"


def test_the_time_of_an_event_travels_in_its_data(operation):
    body = sent(operation, data={"occurred_at": datetime(2026, 4, 27, 13, 35, tzinfo=UTC)})
    assert body["data"] == {"occurred_at": "2026-04-27T13:35:00Z"}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_blank_id_is_never_sent(operation, nothing):
    assert "anonymous_id" not in sent(operation, anonymous_id=nothing)


@pytest.mark.parametrize("nothing", [None, {}])
def test_data_and_user_without_anything_in_them_are_left_out(operation, nothing):
    body = sent(operation, data=nothing, user=nothing)
    assert set(body) == {"external_id", "name"}


def test_a_user_whose_attributes_are_all_blank_is_left_out(operation):
    assert "user" not in sent(operation, user={"email": "", "phone": None, "data": {}})


def test_blank_attributes_do_not_wipe_what_the_server_knows(operation):
    assert sent(operation, user={"email": "", "locale": "ro"})["user"] == {"locale": "ro"}


# ------------------------------------------------------------------------------------------- what must not be


@pytest.mark.parametrize("nothing", [None, "", "\n"])
def test_an_event_needs_a_name_whatever_the_page_says(operation, nothing):
    assert refused(operation, name=nothing) == Invalid("name", fields.REQUIRED)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_without_an_id_an_event_would_join_the_user_with_an_empty_one(operation, nothing):
    assert refused(operation, external_id=nothing, anonymous_id=nothing).reason == NO_IDENTIFIER


@pytest.mark.parametrize("field", ["name", "anonymous_id", "external_id"])
def test_texts_of_255_characters_pass_and_longer_ones_would_be_lost(operation, field):
    assert sent(operation, **{field: "ü" * 255})[field] == "ü" * 255
    assert refused(operation, **{field: "ü" * 256}) == Invalid(field, "is longer than 255 characters")


@pytest.mark.parametrize(
    ("field", "limit"), [("email", 255), ("locale", 255), ("phone", 64), ("timezone", 50)]
)
def test_attributes_have_lengths_beyond_which_the_event_would_be_lost(operation, field, limit):
    assert sent(operation, user={field: "x" * limit})["user"] == {field: "x" * limit}
    fault = refused(operation, user={field: "x" * (limit + 1)})
    assert fault == Invalid(f"user.{field}", f"is longer than {limit} characters")


@pytest.mark.parametrize("field", ["name", "anonymous_id", "external_id"])
@pytest.mark.parametrize("value", [465, True, b"text", ["text"]])
def test_text_fields_take_text_only(operation, field, value):
    assert refused(operation, **{field: value}) == Invalid(field, checks.NOT_TEXT)


@pytest.mark.parametrize("field", ["data", "user"])
@pytest.mark.parametrize("value", [[], ["a"], "{}", 3])
def test_data_and_user_must_be_objects(operation, field, value):
    assert refused(operation, **{field: value}) == Invalid(field, checks.NOT_OBJECT)


@pytest.mark.parametrize(("field", "levels"), [("data", 30), ("user", 29)])
def test_nesting_beyond_32_levels_of_the_array_would_be_lost(operation, field, levels):
    def wrapped(depth: int) -> dict[str, object]:
        value: dict[str, object] = {"leaf": 1}
        for _ in range(depth - 1):
            value = {"in": value}
        return value if field == "data" else {"data": value}

    assert sent(operation, **{field: wrapped(levels)})
    assert refused(operation, **{field: wrapped(levels + 1)}).reason == checks.TOO_DEEP


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "\ud800"),
        ("external_id", "a\udc00"),
        ("data", {"a": "\ud800"}),
        ("user", {"email": "\ud800"}),
    ],
)
def test_a_lone_surrogate_would_be_lost(operation, field, value):
    assert refused(operation, **{field: value}) == Invalid(field, checks.LONE_SURROGATE)


@pytest.mark.parametrize("unknown", ["created_at", "userId", "jane@example.com"])
def test_fields_that_the_server_ignores_are_refused(operation, unknown):
    assert refused(operation, **{unknown: "x"}) == Invalid(fields.WHOLE, fields.UNKNOWN_FIELD)
    assert refused(operation, user={unknown: "x"}) == Invalid("user", fields.UNKNOWN_FIELD)


@pytest.mark.parametrize("external_id", ["User-1", "josé", "user ", "USER"])
def test_ids_that_may_differ_in_case_or_accent_only_are_refused_where_the_option_says_so(
    operation, external_id
):
    strict = ClientEvents(ManualClock(), ClientEventsOptions(canonical_ids=True))
    assert refused(strict, external_id=external_id) == Invalid("external_id", NOT_CANONICAL)
    assert sent(strict, external_id="user-1", anonymous_id="Anon")["external_id"] == "user-1"
    assert sent(operation, external_id=external_id)["external_id"] == external_id


def test_an_event_that_no_body_can_hold_is_refused():
    operation = ClientEvents(ManualClock(), ClientEventsOptions(max_body_bytes=1024))
    pad = 1022 - len(encoded(operation, data={"a": "x"})) + 1
    largest = encoded(operation, data={"a": "x" * pad})
    assert len(operation.body([largest])) == 1024
    assert refused(operation, data={"a": "x" * (pad + 1)}).reason == fields.TOO_LARGE


# ------------------------------------------------------------------------------------------------ the request


def test_a_request_is_an_array_with_the_key_as_bearer(operation):
    assert operation.path == "/api/client/events"
    assert operation.body([b'{"a":1}', b'{"b":2}']) == b'[{"a":1},{"b":2}]'
    assert operation.headers("pk_1")["authorization"] == "Bearer pk_1"
    assert operation.headers("pk_1")["content-type"] == "application/json"


def test_an_empty_array_is_never_sent(operation):
    with pytest.raises(ValueError, match="at least one event"):
        operation.body([])


def test_the_limits_of_an_array_are_options():
    options = ClientEventsOptions(max_items=7, max_body_bytes=4096)
    operation = ClientEvents(ManualClock(), options)
    assert (operation.max_items, operation.max_body_bytes) == (7, 4096)
    assert ClientEvents(ManualClock()).max_body_bytes < 1_048_576


# ----------------------------------------------------------------------------------------- the response table


def test_only_204_acknowledges(operation):
    assert operation.classify(answer(204)) == Delivered()


@pytest.mark.parametrize("status", [200, 201, 202, 203, 205, 207])
def test_any_other_2xx_halts(operation, status):
    assert operation.classify(answer(status)) == Halted("undocumented success")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_no_acknowledgement(operation, status):
    assert operation.classify(answer(status)) == Halted("redirect")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("Must have required property 'name'", "Must have required property 'name'"),
        ("Must have required property 'anonymous_id'", "Must have required property 'anonymous_id'"),
        ("Must have required property 'external_id'", "Must have required property 'external_id'"),
        ("Must NOT have additional properties", "Must NOT have additional properties"),
        (
            "The timezone value must be in the IANA format.",
            "The timezone value must be in the IANA format.",
        ),
        ("The value of `3/name` must be a string.", WRONG_TYPE),
        ("The value of `11/data` must be a object.", WRONG_TYPE),
        ("john.doe@example.com is odd", "validation error"),
        (None, "validation error"),
    ],
)
def test_a_validation_error_refuses_the_array_and_repeats_documented_text_only(operation, error, reason):
    assert operation.classify(answer(422, error)) == Rejected(reason, 422)


@pytest.mark.parametrize("error", ["The value of `` must be a array.", "Must NOT have fewer than 1 items"])
def test_a_body_that_was_changed_on_the_way_is_not_the_records_fault(operation, error):
    assert isinstance(operation.classify(answer(422, error)), Halted)


def test_the_generic_400_is_unclear(operation):
    error = "An error occurred with this request."
    assert operation.classify(answer(400, error)) == Unclear("generic 400")


@pytest.mark.parametrize(
    "body",
    [b"", b"Bad Request", b'{"error":"jane@example.com"}', b'{"error":"\xff"}', b'{"error":' + b"[" * 60_000],
)
def test_any_other_400_is_unclear_and_its_text_is_not_repeated(operation, body):
    assert operation.classify(Answer(400, {}, body)) == Unclear("undocumented 400")


def test_401_halts_and_does_not_claim_that_the_key_is_wrong(operation):
    outcome = operation.classify(answer(401, "Authorization error.", 1000))
    assert isinstance(outcome, Halted)
    assert "database" in outcome.reason
    assert isinstance(operation.classify(answer(401)), Halted)


def test_an_unknown_key_is_told_from_an_unknown_path_and_both_halt(operation):
    key = operation.classify(answer(404, "The requested project does not exist.", 6000))
    path = operation.classify(Answer(404, {}, b"Not Found"))
    assert key == Halted("404 code 6000: no project for this key")
    assert path == Halted("404 unknown path")


@pytest.mark.parametrize("status", [403, 405, 501, 505])
def test_what_every_record_would_be_told_halts(operation, status):
    assert isinstance(operation.classify(answer(status)), Halted)


@pytest.mark.parametrize("status", [408, 409, 425, 429])
def test_not_now_is_retried_with_the_wait_that_was_asked_for(operation, status):
    outcome = operation.classify(answer(status, retry_after="12"))
    assert isinstance(outcome, Retry)
    assert outcome.after_s == 12.0


def test_an_array_that_is_too_large_for_something_on_the_way_can_be_halved(operation):
    assert operation.classify(answer(413)) == Rejected("413 content too large", 413)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_unclear_and_keeps_the_wait(operation, status):
    outcome = operation.classify(answer(status, retry_after="3"))
    assert isinstance(outcome, Unclear)
    assert outcome.after_s == 3.0
