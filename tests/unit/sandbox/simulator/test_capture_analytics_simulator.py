"""The simulator's Capture Analytics: both shapes, and the order in which it objects."""

import pytest
from msgspec.structs import replace

_VISIT = {
    "type": "REGISTRATION_PAGE_VISIT",
    "sessionId": "ses-1",
    "registrationPageValue": "register-now",
    "email": None,
}


@pytest.mark.parametrize(
    "fields",
    [
        _VISIT,
        {"type": "PHOTO_ASSIGNED_TO_USER"},
        {"type": "PHOTO_DOWNLOADED_BY_USER"},
        {"type": "PHOTO_VIEWED_BY_USER", "recordCapturedAt": "2026-04-27T15:35:00.123+02:00"},
    ],
)
def test_every_documented_type_is_captured(sender, fields):
    response = sender.capture(**fields)
    assert response.status_code == 200
    assert response.json() == {"statusCode": 200, "message": "Analytics captured successfully.", "data": None}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": None, "type": "PHOTO_SHARED"}, "User not found."),
        ({"email": ""}, "User not found."),
        ({"type": "PHOTO_SHARED"}, "Invalid event type."),
        ({"type": "photo_viewed_by_user"}, "Invalid event type."),
        ({"type": None}, "Invalid event type."),
        ({"email": "someone@unknown.invalid"}, "User not found."),
        ({"eventValue": None}, "eventValue is required for PHOTO_VIEWED_BY_USER."),
        ({"eventValue": ""}, "eventValue must be a non-empty string: omit it where there is no value."),
        ({"recordCapturedAt": None}, "recordCapturedAt must be an ISO 8601 timestamp with an offset."),
        (
            {"recordCapturedAt": "27.04.2026"},
            "recordCapturedAt must be an ISO 8601 timestamp with an offset.",
        ),
        (_VISIT | {"sessionId": None}, "sessionId is required for REGISTRATION_PAGE_VISIT."),
        (
            _VISIT | {"registrationPageValue": None},
            "registrationPageValue is required for REGISTRATION_PAGE_VISIT.",
        ),
        (
            _VISIT | {"email": "john.doe@example.com"},
            "email must not be sent with REGISTRATION_PAGE_VISIT.",
        ),
    ],
)
def test_what_the_page_forbids_is_refused_and_counted(sender, remote, fields, message):
    response = sender.capture(**fields)
    assert response.status_code == 400
    assert response.json() == {"statusCode": 400, "message": message, "data": None}
    assert remote.books()["capture_analytics"] == {"accepted": 0, "duplicates": 0, "refused": 1}


@pytest.mark.parametrize("experience_value", ["unknown-cup", "not%20a%20slug"])
def test_an_unknown_experience_is_a_404_in_json(sender, experience_value):
    response = sender.capture(experience_value, email="someone@unknown.invalid", eventValue=None)
    assert response.status_code == 404
    assert response.json() == {"statusCode": 404, "message": "Experience not found.", "data": None}


def test_the_valid_experiences_may_be_named(config, serving):
    with serving(replace(config, experience_values=frozenset({"harbour"}))) as sender:
        assert [sender.capture(name).status_code for name in ("harbour", "fifa-cwc-2025")] == [200, 404]


@pytest.mark.parametrize("path", ["", "a/b"])
def test_a_path_without_one_experience_is_no_api(sender, remote, path):
    response = sender.capture(path)
    assert (response.status_code, response.text) == (404, "Not Found")
    assert remote.report().unknown_paths == 1


@pytest.mark.parametrize("key", [None, "admin-key"])
def test_only_the_shared_key_is_good(sender, key):
    response = sender.capture("unknown-cup", headers={"x-distinct-api-key": key})
    assert response.status_code == 401
    assert response.json() == {"statusCode": 401, "message": "Unauthorized.", "data": None}


def test_an_undocumented_field_is_accepted_and_counted_as_harm(sender, remote):
    assert sender.capture(sessionId="ses-1").status_code == 200
    assert remote.report().capture_analytics.harmed == {"undocumented field": 1}


def test_repeats_are_told_by_the_idempotency_key_and_the_ledger_says_who_did_what(sender, remote):
    for _ in range(2):
        sender.capture(headers={"idempotency-key": "k-1"})
    sender.capture(**_VISIT)
    assert remote.books()["capture_analytics"] == {"accepted": 3, "duplicates": 1, "refused": 0}
    items = list(remote.items("capture_analytics"))
    assert [(item.user, item.name, item.time) for item in items[1:]] == [
        ("john.doe@example.com", "PHOTO_VIEWED_BY_USER", "2026-04-27T13:35:00Z"),
        ("ses-1", "REGISTRATION_PAGE_VISIT", "2026-04-27T13:35:00Z"),
    ]
