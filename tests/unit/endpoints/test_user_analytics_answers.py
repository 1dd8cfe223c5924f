"""Distinct User Analytics: each row of the response table, and what no page documents."""

import json

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.outcome import Delivered, Halted, Refused, Rejected, Retry, Unclear
from consumer.endpoints.user_analytics import UserAnalytics, UserAnalyticsOptions
from consumer.http.sender import Answer


@pytest.fixture
def operation() -> UserAnalytics:
    return UserAnalytics(ManualClock(wall_s=784_111_777.0))


def answer(status: int, message: str | None = None, **headers: str) -> Answer:
    body = b""
    if message is not None:
        body = json.dumps({"statusCode": status, "message": message, "data": None}).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_only_the_documented_success_acknowledges(operation):
    assert operation.classify(answer(200, "User analytics added successfully.")) == Delivered()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"null",
        b"200",
        b"[]",
        b"{}",
        b"<html>sign in</html>",
        b'{"statusCode":"200"}',
        b'{"statusCode":true}',
        b'{"statusCode":400,"message":"User not found."}',
        b'{"statusCode":200',
        b'{"statusCode":200}{"statusCode":200}',
        b'{"statusCode":200,"message":"\xff"}',
        b'{"statusCode":200,"data":' + b"[" * 60_000,
    ],
)
def test_any_other_200_halts(operation, body):
    assert operation.classify(Answer(200, {}, body)) == Halted("undocumented success")


@pytest.mark.parametrize("status", [201, 202, 204, 206, 299])
def test_any_other_2xx_halts_although_its_body_says_200(operation, status):
    body = b'{"statusCode":200,"message":"User analytics added successfully.","data":null}'
    assert operation.classify(Answer(status, {}, body)) == Halted("undocumented success")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_no_acknowledgement(operation, status):
    assert operation.classify(Answer(status, {}, b'{"statusCode":200}')) == Halted("redirect")


def test_an_unknown_user_may_be_worth_a_delayed_attempt(operation):
    outcome = operation.classify(answer(400, "User not found."))
    assert outcome == Rejected("User not found.", 400, Refused.UNKNOWN_USER)


@pytest.mark.parametrize("message", ["Invalid feature/action.", "Invalid experience id."])
def test_the_other_documented_refusals_are_for_good(operation, message):
    assert operation.classify(answer(400, message)) == Rejected(message, 400, Refused.FOR_GOOD)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Bad Request",
        b'{"statusCode":400,"message":"john.doe@example.com is odd"}',
        b'{"statusCode":400,"message":"user not found"}',
        b'{"statusCode":400,"message":["User not found."]}',
        b'"User not found."',
        b'{"statusCode":400,"message":' + b"[" * 60_000,
        b'{"statusCode":400,"message":"\xff"}',
    ],
)
def test_a_400_without_a_documented_text_is_unclear_and_its_text_is_not_repeated(operation, body):
    assert operation.classify(Answer(400, {}, body)) == Unclear("undocumented 400")


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "Unauthorized."), (401, None), (403, None), (404, "User not found."), (404, None), (405, None)],
)
def test_credentials_addresses_and_paths_are_not_the_records_fault(operation, status, message):
    assert isinstance(operation.classify(answer(status, message)), Halted)


@pytest.mark.parametrize("status", [402, 406, 407, 410, 411, 414, 415, 421, 426, 431, 451])
def test_what_every_record_would_be_told_halts(operation, status):
    assert isinstance(operation.classify(answer(status)), Halted)


@pytest.mark.parametrize("status", [408, 409, 425, 429])
def test_not_now_is_retried_with_the_wait_that_was_asked_for(operation, status):
    outcome = operation.classify(answer(status, retry_after="12"))
    assert isinstance(outcome, Retry)
    assert outcome.after_s == 12.0


def test_not_now_without_a_wait_leaves_it_to_the_policy(operation):
    assert operation.classify(answer(429)) == Retry("429 too many requests", None)


def test_a_wait_given_as_a_date_is_measured_on_the_clock_that_was_handed_in(operation):
    outcome = operation.classify(answer(429, retry_after="Sun, 06 Nov 1994 08:50:37 GMT"))
    assert outcome == Retry("429 too many requests", 60.0)


def test_a_wait_is_capped_by_the_option():
    operation = UserAnalytics(ManualClock(), UserAnalyticsOptions(max_retry_after_s=30.0))
    assert operation.classify(answer(429, retry_after="86400")) == Retry("429 too many requests", 30.0)


def test_an_object_that_is_too_large_is_the_records_own(operation):
    assert operation.classify(answer(413)) == Rejected("413 content too large", 413)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 520, 599])
def test_a_server_error_is_unclear(operation, status):
    assert isinstance(operation.classify(answer(status, "Internal server error.")), Unclear)


def test_a_503_is_unclear_and_keeps_the_wait_that_was_asked_for(operation):
    assert operation.classify(answer(503, retry_after="5")) == Unclear("503 server error", 5.0)


@pytest.mark.parametrize("status", [501, 505])
def test_what_the_server_cannot_do_at_all_halts(operation, status):
    assert isinstance(operation.classify(answer(status)), Halted)


@pytest.mark.parametrize("status", [418, 422, 460, 499, 100, 600])
def test_what_nobody_documents_is_unclear(operation, status):
    assert operation.classify(answer(status, "john.doe@example.com")) == Unclear(f"undocumented {status}")
