"""Distinct User Analytics: what is sent, and what must not be."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import checks, fields, phones
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.user_analytics import (
    NO_IDENTIFIER,
    NOT_REGISTERED,
    UserAnalytics,
    UserAnalyticsOptions,
)

OPENED = {
    "email": "john.doe@example.com",
    "feature": "registration_email",
    "action": "opened",
    "experienceId": "47Gop5",
    "capturedAt": "2026-04-27T13:35:00Z",
}


@pytest.fixture
def operation() -> UserAnalytics:
    return UserAnalytics(ManualClock())


def encoded(operation: UserAnalytics, **changes: Any) -> bytes:
    item = operation.encode(OPENED | changes)
    assert isinstance(item, bytes), item
    return item


def sent(operation: UserAnalytics, **changes: Any) -> Any:
    return json.loads(encoded(operation, **changes))


def refused(operation: UserAnalytics, **changes: Any) -> Invalid:
    outcome = operation.encode(OPENED | changes)
    assert isinstance(outcome, Invalid), outcome
    return outcome


# ----------------------------------------------------------------------------------------------- what is sent


def test_the_examples_of_the_page_are_sent_as_they_are(operation):
    by_phone = {
        "phone": "+14155552671",
        "feature": "registration_sms",
        "action": "delivered",
        "experienceId": "47Gop5",
        "capturedAt": "2026-04-27T13:35:00Z",
    }
    assert json.loads(operation.encode(OPENED)) == OPENED
    assert json.loads(operation.encode(by_phone)) == by_phone


def test_all_fields_together(operation):
    everything = {"userId": "u-1", "phone": "+14155552671", "metadata": {"event_id": "e-1", "n": [1, None]}}
    assert sent(operation, **everything) == OPENED | everything


@pytest.mark.parametrize(
    ("captured_at", "expected"),
    [
        (datetime(2026, 4, 27, 13, 35, tzinfo=UTC), "2026-04-27T13:35:00Z"),
        (datetime(2026, 4, 27, 13, 35, 0, 1500, tzinfo=UTC), "2026-04-27T13:35:00.001500Z"),
        (datetime(2026, 4, 27, 13, 35, tzinfo=timezone(timedelta(hours=3))), "2026-04-27T13:35:00+03:00"),
    ],
)
def test_datetimes_are_sent_as_iso_8601_with_their_offset(operation, captured_at, expected):
    assert sent(operation, capturedAt=captured_at)["capturedAt"] == expected


def test_values_that_json_does_not_know_have_one_form_each(operation):
    metadata = {"at": datetime(2026, 4, 27, tzinfo=UTC), "id": UUID(int=1), "price": Decimal("49.90")}
    assert encoded(operation, metadata=metadata).endswith(
        b'"metadata":{"at":"2026-04-27T00:00:00Z","id":"00000000-0000-0000-0000-000000000001","price":49.90}}'
    )


@pytest.mark.parametrize("nothing", [None, "", "  "])
@pytest.mark.parametrize("field", ["userId", "phone"])
def test_optional_fields_without_a_value_are_left_out(operation, field, nothing):
    assert field not in sent(operation, **{field: nothing})


@pytest.mark.parametrize("nothing", [None, {}])
def test_empty_metadata_is_left_out(operation, nothing):
    assert "metadata" not in sent(operation, metadata=nothing)


def test_feature_and_action_are_compared_without_case_and_sent_as_given(operation):
    body = sent(operation, feature="USER_COLLECTIBLE", action="Viewed")
    assert (body["feature"], body["action"]) == ("USER_COLLECTIBLE", "Viewed")


@pytest.mark.parametrize(
    ("feature", "actions"),
    [
        ("registration_email", ["delivered", "opened", "sent"]),
        ("registration_sms", ["sent", "delivered", "failed"]),
        ("user_collectible", ["viewed", "downloaded"]),
        ("page_visit", ["viewed"]),
    ],
)
def test_every_pair_of_the_page_passes(operation, feature, actions):
    for action in actions:
        assert sent(operation, feature=feature, action=action)["action"] == action


def test_the_registry_can_be_extended_and_keeps_the_pairs_of_the_page():
    operation = UserAnalytics(ManualClock(), UserAnalyticsOptions(pairs={"Quiz": ["Started", "done"]}))
    assert sent(operation, feature="quiz", action="STARTED")
    assert sent(operation, feature="registration_email", action="opened")
    assert refused(operation, feature="quiz", action="opened").reason == NOT_REGISTERED


# ------------------------------------------------------------------------------------------- what must not be


@pytest.mark.parametrize("nothing", [None, "", " \t"])
def test_without_an_identifier_nothing_is_sent(operation, nothing):
    assert refused(operation, email=nothing, userId=nothing, phone=nothing).reason == NO_IDENTIFIER


@pytest.mark.parametrize("nothing", [None, "", "  "])
@pytest.mark.parametrize("field", ["feature", "action", "experienceId"])
def test_required_fields_must_have_a_value(operation, field, nothing):
    assert refused(operation, **{field: nothing}) == Invalid(field, fields.REQUIRED)


@pytest.mark.parametrize("field", ["feature", "action", "experienceId", "capturedAt"])
def test_required_fields_must_be_there(operation, field):
    given = {name: value for name, value in OPENED.items() if name != field}
    assert operation.encode(given) == Invalid(field, fields.REQUIRED)


@pytest.mark.parametrize("field", ["userId", "email", "phone", "feature", "action", "experienceId"])
@pytest.mark.parametrize("value", [7, True, b"text", ["text"], {"a": 1}])
def test_text_fields_take_text_only(operation, field, value):
    assert refused(operation, **{field: value}) == Invalid(field, checks.NOT_TEXT)


def test_words_that_are_registered_but_not_together_are_no_pair(operation):
    assert refused(operation, feature="registration_sms", action="opened") == Invalid(
        "action", NOT_REGISTERED
    )


def test_an_invalid_phone_number_is_not_sent_although_another_identifier_is_there(operation):
    assert refused(operation, phone="+1 415 555 2671") == Invalid("phone", checks.NOT_E164)
    assert refused(operation, phone="+1415555267") == Invalid("phone", phones.NOT_POSSIBLE)


@pytest.mark.parametrize(
    ("captured_at", "reason"),
    [
        ("yesterday", checks.NOT_A_TIMESTAMP),
        ("2026-04-27T13:35:00", checks.NOT_A_TIMESTAMP),
        (1777296900, checks.NOT_A_TIMESTAMP),
        (datetime(2026, 4, 27, 13, 35), checks.NO_ZONE),
    ],
)
def test_captured_at_must_be_an_instant(operation, captured_at, reason):
    assert refused(operation, capturedAt=captured_at) == Invalid("capturedAt", reason)


@pytest.mark.parametrize("metadata", [["a"], "{}", 3])
def test_metadata_must_be_an_object(operation, metadata):
    assert refused(operation, metadata=metadata) == Invalid("metadata", checks.NOT_OBJECT)


def test_metadata_is_checked_to_its_leaves(operation):
    assert refused(operation, metadata={"a": [{"b": float("nan")}]}) == Invalid(
        "metadata", checks.NOT_A_NUMBER
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "\ud800@example.com"), ("metadata", {"a": ["\udfff"]}), ("metadata", {"\ud800": 1})],
)
def test_a_lone_surrogate_is_found_and_its_field_named(operation, field, value):
    assert refused(operation, **{field: value}) == Invalid(field, checks.LONE_SURROGATE)


def test_a_field_that_the_page_does_not_have_is_refused_and_its_name_not_repeated(operation):
    fault = refused(operation, **{"jane@example.com": "x"})
    assert fault == Invalid(fields.WHOLE, fields.UNKNOWN_FIELD)


def test_an_object_beyond_the_limit_is_refused_and_one_of_exactly_the_limit_passes():
    operation = UserAnalytics(ManualClock(), UserAnalyticsOptions(max_body_bytes=1024))
    pad = 1024 - len(encoded(operation, metadata={"a": "x"})) + 1
    assert len(encoded(operation, metadata={"a": "x" * pad})) == 1024
    assert refused(operation, metadata={"a": "x" * (pad + 1)}).reason == fields.TOO_LARGE


# ------------------------------------------------------------------------------------------------ the request


def test_a_request_carries_one_object_and_the_shared_key(operation):
    assert operation.path == "/api/v1/user/analytics"
    assert operation.max_items == 1
    assert operation.body([b'{"a":1}']) == b'{"a":1}'
    assert operation.headers("key")["x-distinct-api-key"] == "key"
    assert operation.headers("key")["content-type"] == "application/json"


@pytest.mark.parametrize("items", [[], [b"{}", b"{}"]])
def test_any_other_number_of_objects_is_a_fault_of_ours(operation, items):
    with pytest.raises(ValueError, match="unpack"):
        operation.body(items)
