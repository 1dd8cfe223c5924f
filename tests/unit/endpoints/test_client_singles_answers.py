"""What each answer means to alias, identify and devices: a case for each documented row of their response table."""

import json

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.client_alias import ClientAlias
from consumer.endpoints.client_api import WRONG_TYPE
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_identify import ClientIdentify
from consumer.endpoints.outcome import Delivered, Halted, Rejected, Retry, Unclear
from consumer.http.sender import Answer

pytestmark = pytest.mark.parametrize(
    "operation",
    [make(ManualClock()) for make in (ClientAlias, ClientIdentify, ClientDevices)],
    ids=lambda one: one.name,
)


def answer(status: int, error: str, code: int | None = None) -> Answer:
    reply: dict[str, object] = {"status": "error", "error": error}
    if code is not None:
        reply["code"] = code
    return Answer(status, {}, json.dumps(reply).encode())


def test_only_204_acknowledges(operation):
    assert operation.classify(Answer(204, {}, b"")) == Delivered()
    for status in (200, 201, 202, 206):
        assert operation.classify(Answer(status, {}, b"{}")) == Halted("undocumented success")
    assert operation.classify(Answer(302, {}, b"")) == Halted("redirect")


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"Must have required property '{name}'"
            for name in (
                "anonymous_id",
                "external_id",
                "device_id",
                "os",
                "model",
                "app_build",
                "app_version",
            )
        ),
        "Must NOT have additional properties",
        "The timezone value must be in the IANA format.",
    ],
)
def test_a_documented_validation_error_is_the_records_and_keeps_its_text(operation, text):
    assert operation.classify(answer(422, text)) == Rejected(text, 422)


@pytest.mark.parametrize("field", ["external_id", "app_build", "data"])
def test_a_wrong_type_is_the_records_without_the_field_that_the_server_names(operation, field):
    text = f"The value of `{field}` must be a string."
    assert operation.classify(answer(422, text)) == Rejected(WRONG_TYPE, 422)


def test_any_other_validation_error_is_the_records_and_is_not_repeated(operation):
    assert operation.classify(answer(422, "jane@example.com is odd")) == Rejected("validation error", 422)


@pytest.mark.parametrize("kind", ["array", "object"])
def test_a_body_that_was_not_read_as_json_is_not_the_records_fault(operation, kind):
    outcome = operation.classify(answer(422, f"The value of `` must be a {kind}."))
    assert outcome == Halted("422 body not read as JSON: content type lost on the way")


def test_the_generic_400_is_unclear_for_the_queue_may_be_full(operation):
    text = "An error occurred with this request."
    assert operation.classify(answer(400, text)) == Unclear("generic 400")
    assert operation.classify(Answer(400, {}, b"Bad Request")) == Unclear("undocumented 400")


def test_401_halts_and_does_not_claim_that_the_key_is_wrong(operation):
    outcome = operation.classify(answer(401, "Authorization error.", 1000))
    assert outcome == Halted("401 code 1000: key not accepted, or the vendor's database is down")


def test_an_unknown_or_revoked_key_is_told_from_an_unknown_path_and_both_halt(operation):
    key = answer(404, "The requested project does not exist.", 6000)
    assert operation.classify(key) == Halted("404 code 6000: no project for this key")
    assert operation.classify(Answer(404, {}, b"Not Found")) == Halted("404 unknown path")
    assert isinstance(operation.classify(Answer(405, {}, b"Method Not Allowed")), Halted)


def test_not_now_is_retried_and_a_server_error_is_unclear_each_with_the_wait_that_was_asked_for(operation):
    assert operation.classify(Answer(429, {"retry-after": "12"}, b"")) == Retry("429 too many requests", 12.0)
    assert operation.classify(Answer(503, {"retry-after": "3"}, b"")) == Unclear("503 server error", 3.0)
