"""The simulator's User Analytics, row by row of the vendor's page."""

import msgspec
import pytest

from consumer.sandbox.simulator import SimulatorThread


def test_a_good_event_gets_the_documented_success(sender):
    response = sender.analytics()
    assert response.status_code == 200
    assert response.json() == {
        "statusCode": 200,
        "message": "User analytics added successfully.",
        "data": None,
    }
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"userId": None}, 400, "User not found."),
        ({"userId": "unknown-7"}, 400, "User not found."),
        ({"userId": None, "email": "someone@UNKNOWN.invalid"}, 400, "User not found."),
        ({"userId": None, "phone": "+19912345678"}, 400, "User not found."),
        ({"action": "clicked"}, 400, "Invalid feature/action."),
        ({"feature": "registration_sms", "action": "opened"}, 400, "Invalid feature/action."),
        ({"feature": None}, 400, "Invalid feature/action."),
        ({"action": 7}, 400, "Invalid feature/action."),
        ({"experienceId": None}, 400, "Invalid experience id."),
        ({"experienceId": "not an id"}, 400, "Invalid experience id."),
        ({"experienceId": 475}, 400, "Invalid experience id."),
    ],
)
def test_every_documented_refusal_has_its_documented_body(sender, change, status, message):
    response = sender.analytics(**change)
    assert response.status_code == status
    assert response.json() == {"statusCode": status, "message": message, "data": None}


@pytest.mark.parametrize("key", [None, "", "another-key", "Shared-Key"])
def test_a_missing_or_wrong_key_is_unauthorized(sender, key):
    response = sender.analytics(headers={"x-distinct-api-key": key})
    assert response.status_code == 401
    assert response.json() == {"statusCode": 401, "message": "Unauthorized.", "data": None}


@pytest.mark.parametrize(
    "pair",
    [
        ("registration_email", "delivered"),
        ("registration_email", "opened"),
        ("registration_email", "sent"),
        ("registration_sms", "sent"),
        ("registration_sms", "delivered"),
        ("registration_sms", "failed"),
        ("user_collectible", "viewed"),
        ("user_collectible", "downloaded"),
        ("page_visit", "viewed"),
        ("USER_COLLECTIBLE", "Viewed"),
    ],
)
def test_the_registered_pairs_are_accepted_without_case(sender, pair):
    assert sender.analytics(feature=pair[0], action=pair[1]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"phone": "+1 415 555 2671"},
        {"phone": "+1-415-555-2671"},
        {"phone": "14155552671"},
        {"phone": "+04155552671"},
        {"phone": "+1234567890123456"},
        {"phone": "+1415555267\u0661"},
        {"phone": 14155552671},
        {"email": ""},
        {"email": 5},
        {"capturedAt": None},
        {"capturedAt": 1777296900},
        {"capturedAt": "2026-04-27"},
        {"capturedAt": "2026-04-27 13:35:00Z"},
        {"capturedAt": "2026-04-27T13:35:00"},
        {"capturedAt": "2026-04-27T13:35:00z"},
        {"capturedAt": "2026-04-27T13:35:00+0200"},
        {"capturedAt": "2026-02-30T13:35:00Z"},
        {"capturedAt": "2026-04-27T25:00:00Z"},
        {"capturedAt": "27 April 2026"},
        {"metadata": "text"},
        {"metadata": []},
    ],
)
def test_a_value_that_breaks_the_pages_notes_is_refused(sender, remote, change):
    response = sender.analytics(**change)
    assert response.status_code == 400
    assert response.json()["statusCode"] == 400
    assert next(iter(change)) in response.json()["message"]
    assert remote.report().user_analytics.accepted == 0


@pytest.mark.parametrize("field", ["email", "phone", "metadata"])
def test_null_instead_of_leaving_an_optional_field_out_is_refused(sender, field):
    event = {
        "userId": "user-1",
        "feature": "page_visit",
        "action": "viewed",
        "experienceId": "47Gop5",
        "capturedAt": "2026-04-27T13:35:00Z",
        field: None,
    }
    response = sender.raw_analytics(event)
    assert response.status_code == 400
    assert field in response.json()["message"]


@pytest.mark.parametrize(
    "captured_at",
    [
        "2026-04-27T13:35:00Z",
        "2026-04-27T13:35:00.123Z",
        "2026-04-27T13:35:00.123456789Z",
        "2026-04-27T15:35:00+02:00",
        "2028-02-29T00:00:00-11:30",
    ],
)
def test_timestamps_with_an_offset_are_accepted(sender, captured_at):
    assert sender.analytics(capturedAt=captured_at).status_code == 200


def test_one_known_identifier_suffices(sender, remote):
    """The page stores against the user that matches any one of them; tried as userId, email, phone."""
    assert sender.analytics(userId="unknown-1", email="known@example.org").status_code == 200
    assert sender.analytics(email="unknown-1@unknown.invalid", phone="+14155552671").status_code == 200
    assert [item.user for item in remote.items("user_analytics")] == ["known@example.org", "user-1"]


def test_a_user_who_registers_later_is_found_then(sender, remote):
    assert sender.analytics(userId="unknown-1").status_code == 400
    remote.register(["unknown-1"])
    assert sender.analytics(userId="unknown-1").status_code == 200


def test_the_first_thing_wrong_decides(sender):
    """Key, JSON, identifiers, pair, experience, formats, look-up."""

    def message(**change):
        return sender.analytics(**change).json()["message"]

    everything = {"userId": None, "action": "no", "experienceId": "no way", "capturedAt": "never"}
    assert sender.raw_analytics(None, content=b"{", headers={"x-distinct-api-key": "no"}).status_code == 401
    assert message(**everything) == "User not found."
    assert message(**everything | {"userId": "unknown-1"}) == "Invalid feature/action."
    assert message(**everything | {"userId": "unknown-1", "action": "sent"}) == "Invalid experience id."
    assert "capturedAt" in message(userId="unknown-1", capturedAt="never")
    assert message(userId="unknown-1") == "User not found."


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"userId": NaN}', b'{"a": "\\ud800"}']
)
def test_a_body_that_is_no_json_object_is_refused(sender, content):
    response = sender.raw_analytics(None, content=content)
    assert response.status_code == 400
    assert response.json()["statusCode"] == 400


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(sender, content_type):
    response = sender.analytics(headers={"content-type": content_type})
    assert response.status_code == 400
    assert "Content-Type" in response.json()["message"]


def test_a_content_type_with_a_charset_is_accepted(sender):
    assert sender.analytics(headers={"content-type": "application/json; charset=utf-8"}).status_code == 200


def test_fields_that_the_page_does_not_list_count_as_harm(sender, remote):
    assert sender.analytics(userID="a typo").status_code == 200
    assert remote.report().user_analytics.harmed == {"undocumented field": 1}


def test_unknown_paths_are_404_and_other_methods_405(sender, remote):
    assert sender.http.post("/api/v1/user/analytic").status_code == 404
    assert sender.http.post("/api/v1/user/analytics/").status_code == 404
    assert sender.http.get("/api/v1/user/analytics").status_code == 405
    assert sender.http.head("/api/v1/user/analytics").status_code == 405
    assert sender.http.put("/api/v1/user/analytics").headers["allow"] == "POST"
    assert remote.report().unknown_paths == 2


def test_an_address_that_is_not_on_the_allow_list_is_forbidden(config, sender):
    with SimulatorThread(msgspec.structs.replace(config, allowed_ips=frozenset({"192.0.2.1"}))) as closed:
        sender.http.base_url = closed.base_url
        assert sender.analytics().status_code == 403
        assert sender.analytics(headers={"x-distinct-api-key": "no"}).status_code == 401
    with SimulatorThread(msgspec.structs.replace(config, allowed_ips=frozenset({"127.0.0.1"}))) as open_to_us:
        sender.http.base_url = open_to_us.base_url
        assert sender.analytics().status_code == 200


def test_experiences_can_be_a_closed_set(config, sender):
    with SimulatorThread(msgspec.structs.replace(config, experiences=frozenset({"9AbcDE"}))) as simulator:
        sender.http.base_url = simulator.base_url
        assert sender.analytics(experienceId="9AbcDE").status_code == 200
        assert sender.analytics(experienceId="47Gop5").json()["message"] == "Invalid experience id."
