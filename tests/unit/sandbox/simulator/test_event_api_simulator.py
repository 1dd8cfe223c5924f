"""The simulator's event/ API: its answers, and what a real server would discard."""

import pytest

from consumer.clock import ManualClock
from consumer.sandbox.simulator.event_limits import CLOSE_OPEN, REPEATED_ORDER, EventLimits


def _confirmation(order_id="ord-1", **fields):
    return {"confirmation": {"generic": {"orderId": order_id, "total": 9.9}, "items": []} | fields}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"update": {"firstname": "alexandru", "tags": ["vip", "-trial"]}}, "update"),
        ({"login": {"city": "Lyon"}}, "login"),
        ({"generic": {"generic": {"event_name": "my_event"}}}, "generic/my_event"),
        (_confirmation(items=[{"id": "sku-1", "quantity": 2}]), "confirmation"),
        ({"emailOpen": {}}, "emailOpen"),
    ],
)
def test_an_event_is_created(sender, remote, event, name):
    response = sender.event(event)
    assert response.status_code == 200
    assert response.json() == {
        "results": {"message": "Event created", "email": "Event was created for the specified user"}
    }
    (item,) = remote.items("event_api")
    assert (item.operation, item.name, item.user) == ("event", name, "john.doe@example.com")
    assert remote.report().event_api.harmed == {}


@pytest.mark.parametrize("event", [None, {}, [], "update", {"update": "firstname"}])
def test_a_missing_event_is_the_documented_400(sender, remote, event):
    response = sender.event(event, user={"name": "nobody"})
    assert response.status_code == 400
    assert response.json() == {
        "errors": [
            {
                "message": "Missing event information",
                "description": "Please send event information along with user",
            }
        ]
    }
    assert remote.books()["event_api"]["refused"] == 1


def test_names_are_case_sensitive(sender):
    content = b'{"User": {"email": "john.doe@example.com"}, "event": {"update": {}}}'
    response = sender.event(None, content=content)
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == "Missing user information"


@pytest.mark.parametrize("user", [{"name": "nobody"}, {"email": ""}, {"email": None, "_id": 7}, "john"])
def test_a_user_needs_an_identifier(sender, user):
    assert sender.event({"update": {}}, user=user).status_code == 400


@pytest.mark.parametrize("user", [{"email": "someone@unknown.invalid"}, {"_id": "unknown-7"}])
def test_an_unknown_user_is_not_found_until_registered(sender, remote, user):
    response = sender.event({"update": {}}, user=user)
    assert response.status_code == 404
    assert response.json() == {
        "errors": [{"message": "User not found", "description": "This email does not exist in our database."}]
    }
    remote.register(user.values())
    assert sender.event({"update": {}}, user=user).status_code == 200


@pytest.mark.parametrize("authorization", [None, "Bearer event-key", "Event-Key"])
def test_the_key_is_sent_bare_and_checked_before_all_else(sender, remote, authorization):
    response = sender.event(None, headers={"authorization": authorization}, content=b"{")
    assert response.status_code == 401
    assert response.json()["errors"][0]["message"] == "Unauthorized"
    assert remote.books()["event_api"] == {"accepted": 0, "duplicates": 0, "refused": 0}


@pytest.mark.parametrize("content", [b'"user": {"email": "a@b.cd"}', b"[]", b""])
def test_the_pages_own_samples_are_no_json(sender, content):
    response = sender.event(None, content=content)
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == "Invalid request"


@pytest.mark.parametrize(
    ("event", "user", "harm"),
    [
        ({"generic": {"event_name": "my_event"}}, None, "generic event without event_name"),
        ({"update": {}, "login": {}}, None, "several events in one request"),
        ({"confirmation": {"orderId": "ord-1"}}, None, "confirmation without generic"),
        (_confirmation(), {"_id": "42"}, "confirmation without email"),
        (_confirmation(items=[{"id": "sku-1"}]), None, "confirmation item without id and quantity"),
    ],
)
def test_what_a_server_would_make_nothing_of_is_counted_as_harm(sender, remote, event, user, harm):
    assert sender.event(event, user=user).status_code == 200
    assert remote.report().event_api.harmed == {harm: 1}


def test_the_second_confirmation_of_an_order_is_accepted_and_discarded(sender, remote):
    for order_id in ("ord-1", "ord-1", "ord-2", None, None):
        assert sender.event(_confirmation(order_id)).status_code == 200
    assert remote.report().event_api.harmed == {REPEATED_ORDER: 1}
    remote.reset()
    sender.event(_confirmation("ord-1"))
    assert remote.report().event_api.harmed == {}


def test_opens_within_20_minutes_of_the_first_are_discarded_and_prolong_nothing():
    clock = ManualClock()
    limits = EventLimits(clock, open_names={"open"})
    taken = []
    for _ in range(4):
        taken.append(limits.take_open("open", "john"))
        clock.advance(600)
    assert taken == [None, CLOSE_OPEN, None, CLOSE_OPEN]
    assert limits.take_open("open", "jane") is None
    assert limits.take_open("update", "jane") is None
