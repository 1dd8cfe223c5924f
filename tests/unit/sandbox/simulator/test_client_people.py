"""What the Client API's server drops because of whom it has on record: accepted, and counted as harm."""

from consumer.sandbox.simulator.client_people import EARLY_ALIAS, LATE_ALIAS, UNKNOWN_DEVICE, ClientPeople

_DEVICE = {"device_id": "d", "os": "iOS", "model": "iPhone", "app_build": "1", "app_version": "1"}
_ALIAS = {"anonymous_id": "visitor", "external_id": "ada"}


def test_a_visitor_becomes_a_user_by_an_alias_after_the_first_event(sender, remote):
    sender.client("events", [{"anonymous_id": "visitor", "name": "Page Visited"}])
    sender.client("alias", _ALIAS)
    sender.client("devices", {**_DEVICE, "external_id": "ada"})
    sender.client("events", [{"external_id": "ada", "name": "Opened", "user": {"email": "ada@example.com"}}])
    assert remote.report().client_api.harmed == {}


def test_an_alias_before_any_event_of_the_visitor_is_dropped(sender, remote):
    assert sender.client("alias", _ALIAS).status_code == 204
    sender.client("events", [{"anonymous_id": "visitor", "name": "Page Visited"}])
    sender.client("alias", _ALIAS)
    assert remote.report().client_api.harmed == {EARLY_ALIAS: 1}


def test_an_alias_to_a_user_that_exists_is_dropped(sender, remote):
    sender.client("events", [{"anonymous_id": "visitor", "name": "Page Visited"}])
    sender.client("identify", {"external_id": "ada"})
    assert sender.client("alias", _ALIAS).status_code == 204
    assert remote.report().client_api.harmed == {LATE_ALIAS: 1}


def test_a_device_of_an_unknown_user_is_dropped(sender, remote):
    assert sender.client("devices", {**_DEVICE, "external_id": "ada"}).status_code == 204
    assert remote.report().client_api.harmed == {UNKNOWN_DEVICE: 1}
    remote.reset()
    sender.client("identify", {"external_id": "ada"})
    sender.client("devices", {**_DEVICE, "external_id": "ada"})
    assert remote.report().client_api.harmed == {}


def test_what_was_refused_makes_nobody_known(sender, remote):
    sender.client("events", [{"external_id": "ada", "name": "Opened"}, {"external_id": "bo"}])
    sender.client("devices", {**_DEVICE, "external_id": "ada"})
    assert remote.report().client_api.harmed == {UNKNOWN_DEVICE: 1}


def test_of_whom_it_may_have_forgotten_it_claims_nothing():
    people = ClientPeople(keep=1)
    people.meet(["ada", "bo"], [None, None])
    assert people.harms_of("devices", {"external_id": "ada"}) == []
