"""From Capture Analytics to User Analytics: what becomes of each type, and what `check` is told."""

import json
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.capture_analytics import CaptureAnalytics
from consumer.endpoints.capture_migration import NO_EXPERIENCE_ID, NO_PAIR
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.checks import LONE_SURROGATE
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.outcome import Delivered, Halted
from consumer.errors import ConfigurationError
from consumer.http.sender import Answer

SUCCESSOR = "/api/v1/user/analytics"
TABLE = {"migrate": True, "experiences": {"fifa-cwc-2025": "47Gop5"}}
VISIT = {
    "experienceValue": "fifa-cwc-2025",
    "type": "REGISTRATION_PAGE_VISIT",
    "eventValue": "event-1",
    "recordCapturedAt": "2026-04-27T13:35:00Z",
    "sessionId": "session-1",
    "registrationPageValue": "page-1",
    "metadata": {"event_id": "e-1"},
}
PHOTO = {
    "experienceValue": "fifa-cwc-2025",
    "eventValue": "event-1",
    "recordCapturedAt": "2026-04-27T13:35:00Z",
    "email": "john.doe@example.com",
    "metadata": {"event_id": "e-1"},
}


def migrating(**options: Any) -> CaptureAnalytics:
    operation = APIS["distinct_capture"]["capture"].build(ManualClock(), TABLE | options)
    assert isinstance(operation, CaptureAnalytics)
    return operation


def sent(operation: CaptureAnalytics, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    item = operation.encode(given)
    assert isinstance(item, bytes), item
    body = json.loads(operation.body([item]))
    assert isinstance(body, dict)
    return operation.address(item).path, body


@pytest.mark.parametrize(
    ("kind", "action"), [("PHOTO_VIEWED_BY_USER", "viewed"), ("PHOTO_DOWNLOADED_BY_USER", "downloaded")]
)
def test_a_photo_viewed_or_downloaded_becomes_a_collectible(kind, action):
    assert sent(migrating(), PHOTO | {"type": kind}) == (
        SUCCESSOR,
        {
            "email": "john.doe@example.com",
            "feature": "user_collectible",
            "action": action,
            "experienceId": "47Gop5",
            "capturedAt": "2026-04-27T13:35:00Z",
            "metadata": {"event_id": "e-1", "eventValue": "event-1"},
        },
    )


@pytest.mark.parametrize(
    "identifier", [{"email": "a@x.example"}, {"userId": "u-1"}, {"phone": "+14155552671"}]
)
def test_a_page_visit_of_somebody_known_becomes_a_page_visit_with_session_and_page(identifier):
    path, body = sent(migrating(), VISIT | identifier)

    assert path == SUCCESSOR
    assert (body["feature"], body["action"]) == ("page_visit", "viewed")
    assert identifier.items() <= body.items()
    assert body["metadata"] == {
        "event_id": "e-1",
        "eventValue": "event-1",
        "sessionId": "session-1",
        "registrationPageValue": "page-1",
    }


def test_a_page_visit_of_nobody_known_stays_on_capture():
    path, body = sent(migrating(), VISIT)

    assert path == "/api/v1/analytics/capture/fifa-cwc-2025"
    assert body["type"] == "REGISTRATION_PAGE_VISIT"


def test_without_the_switch_nothing_is_migrated_although_there_is_a_table():
    path, _ = sent(migrating(migrate=False), PHOTO | {"type": "PHOTO_VIEWED_BY_USER"})

    assert path == "/api/v1/analytics/capture/fifa-cwc-2025"


def test_a_photo_assigned_is_a_dead_letter_by_default():
    assert migrating().encode(PHOTO | {"type": "PHOTO_ASSIGNED_TO_USER"}) == Invalid("type", NO_PAIR)


def test_a_photo_assigned_becomes_the_pair_that_the_vendor_has_set_up():
    operation = migrating(photo_assigned={"feature": "user_photo", "action": "assigned"})

    path, body = sent(operation, PHOTO | {"type": "PHOTO_ASSIGNED_TO_USER"})

    assert (path, body["feature"], body["action"]) == (SUCCESSOR, "user_photo", "assigned")


def test_a_photo_assigned_may_stay_on_capture():
    path, body = sent(migrating(photo_assigned="keep"), PHOTO | {"type": "PHOTO_ASSIGNED_TO_USER"})

    assert path == "/api/v1/analytics/capture/fifa-cwc-2025"
    assert body["email"] == "john.doe@example.com"


def test_an_experience_that_is_not_in_the_table_is_a_dead_letter():
    given = PHOTO | {"type": "PHOTO_VIEWED_BY_USER", "experienceValue": "other"}

    assert migrating().encode(given) == Invalid("experienceValue", NO_EXPERIENCE_ID)


def test_what_user_analytics_would_refuse_is_told_by_the_field_that_the_route_maps():
    given = PHOTO | {"type": "PHOTO_VIEWED_BY_USER", "metadata": {"a": "\ud800"}}

    assert migrating().encode(given) == Invalid("metadata", LONE_SURROGATE)
    assert migrating().encode(without_email(PHOTO) | {"type": "PHOTO_VIEWED_BY_USER"}) == Invalid(
        "", "needs one of userId, email, phone, and has none"
    )


def without_email(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "email"}


def test_a_migrated_events_answer_is_read_as_user_analytics():
    operation = migrating()
    item = operation.encode(PHOTO | {"type": "PHOTO_VIEWED_BY_USER"})
    assert isinstance(item, bytes)
    address = operation.address(item)

    assert address.deprecated == ""
    assert address.classify(Answer(200, {}, b'{"statusCode":200}')) == Delivered()
    # Its path holds no experience: a 404 is nobody's record's.
    body = b'{"statusCode":404,"message":"Experience not found.","data":null}'
    assert address.classify(Answer(404, {}, body)) == Halted("404 unknown path")


# --------------------------------------------------------------------------------------------------- the options


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"migrate": True, "experiences": {}}, "experiences"),
        ({"migrate": True}, "experiences"),
        ({"experiences": {"fifa": ""}}, "experiences"),
        ({"photo_assigned": "drop"}, "photo_assigned"),
        ({"photo_assigned": {"feature": "x"}}, "photo_assigned"),
        ({"photo_assigned": {"feature": "x", "action": "y", "use": "z"}}, "photo_assigned"),
    ],
)
def test_a_wrong_option_is_named(options, named):
    with pytest.raises(ConfigurationError, match=named):
        APIS["distinct_capture"]["capture"].build(ManualClock(), options)


# ---------------------------------------------------------------------------------------------------- the advice

ANY: dict[str, frozenset[str] | None] = dict.fromkeys(["experienceValue", "type", "eventValue", "email"])
ALL_OF_THE_TABLE = {"experienceValue": frozenset({"fifa-cwc-2025"})}


def test_what_cannot_be_migrated_is_named():
    assert migrating().advice(ANY) == [
        "PHOTO_ASSIGNED_TO_USER can't be migrated and becomes a dead letter: no pair is registered for it; "
        "set photo_assigned",
        "REGISTRATION_PAGE_VISIT can't be migrated and stays on Capture Analytics where a record has none of email",
        "only the experiences of the table are migrated, others become dead letters: fifa-cwc-2025",
    ]


def test_a_route_without_identifiers_migrates_no_visit():
    notes = migrating().advice({"experienceValue": None, "type": frozenset({"REGISTRATION_PAGE_VISIT"})})

    assert notes[0] == (
        "REGISTRATION_PAGE_VISIT can't be migrated and stays on Capture Analytics because the route maps none of "
        "userId, email, phone"
    )


def test_an_experience_that_a_route_is_for_and_the_table_lacks_is_named():
    mapped = ANY | {"experienceValue": frozenset({"fifa-cwc-2025", "other"}), "type": frozenset()}

    assert (
        "experience other can't be migrated and becomes a dead letter: it is not in the table experiences"
        in (migrating().advice(mapped))
    )


def test_where_all_can_be_migrated_there_is_nothing_to_say():
    viewed = ANY | ALL_OF_THE_TABLE | {"type": frozenset({"PHOTO_VIEWED_BY_USER"})}

    assert migrating().advice(viewed) == []
    assigned = ANY | ALL_OF_THE_TABLE | {"type": frozenset({"PHOTO_ASSIGNED_TO_USER"})}
    assert migrating(photo_assigned={"feature": "x", "action": "y"}).advice(assigned) == []


def test_what_is_kept_on_capture_by_choice_is_said():
    assigned = ANY | ALL_OF_THE_TABLE | {"type": frozenset({"PHOTO_ASSIGNED_TO_USER"})}

    assert migrating(photo_assigned="keep").advice(assigned) == [
        "PHOTO_ASSIGNED_TO_USER is not migrated: photo_assigned keeps it on Capture Analytics"
    ]
