"""The event/ API's kinds of events: what each one's body looks like, and what it refuses."""

import json
from decimal import Decimal
from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints import (
    checks,
    event_confirmation,
    event_generic,
    event_profile,
    event_standard,
    fields,
)
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import EventOperation
from consumer.endpoints.event_confirmation import EventConfirmation
from consumer.endpoints.event_email_open import EmailOpenOptions, EventEmailOpen
from consumer.endpoints.event_generic import EventGeneric
from consumer.endpoints.event_profile import EventLogin, EventUpdate
from consumer.endpoints.event_standard import EventStandard, StandardOptions

EMAIL = {"email": "john.doe@example.com"}
CLOCK = ManualClock()


def event_of(operation: EventOperation, **given: Any) -> Any:
    item = operation.encode(EMAIL | given)
    assert isinstance(item, bytes), item
    return json.loads(item)["event"]


def refused(operation: EventOperation, **given: Any) -> Invalid:
    outcome = operation.encode(EMAIL | given)
    assert isinstance(outcome, Invalid), outcome
    return outcome


# -------------------------------------------------------------------------------------------- update and login


def test_the_pages_example_of_an_update():
    body = EventUpdate(CLOCK).encode(EMAIL | {"attributes": {"firstname": "alexandru"}})
    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "user": {"email": "john.doe@example.com"},
        "event": {"update": {"firstname": "alexandru"}},
    }


def test_login_sets_attributes_in_the_same_way_and_needs_none():
    assert event_of(EventLogin(CLOCK), attributes={"city": "Lyon"}) == {"login": {"city": "Lyon"}}
    assert event_of(EventLogin(CLOCK)) == {"login": {}}


def test_tags_stand_among_the_attributes():
    assert event_of(EventUpdate(CLOCK), attributes={"city": "Lyon"}, tags=["VIP", "-trial"]) == {
        "update": {"city": "Lyon", "tags": ["VIP", "-trial"]}
    }
    assert event_of(EventUpdate(CLOCK), tags=["VIP"]) == {"update": {"tags": ["VIP"]}}
    assert event_of(EventLogin(CLOCK), tags=["VIP"]) == {"login": {"tags": ["VIP"]}}


@pytest.mark.parametrize("nothing", [{}, {"attributes": {}}, {"attributes": None, "tags": []}])
def test_an_update_of_nothing_is_refused(nothing):
    assert refused(EventUpdate(CLOCK), **nothing) == Invalid(fields.WHOLE, event_profile.NOTHING_TO_UPDATE)


@pytest.mark.parametrize("tags", ["vip", [1], ["vip", None], {"vip": True}])
def test_tags_are_a_list_of_strings(tags):
    assert refused(EventUpdate(CLOCK), tags=tags) == Invalid("tags", checks.NOT_A_LIST_OF_TEXTS)


def test_tags_that_would_overwrite_others_are_refused():
    assert refused(EventLogin(CLOCK), attributes={"tags": "vip"}, tags=["new"]) == Invalid(
        "attributes", event_profile.TAGS_TWICE
    )


def test_attributes_must_be_an_object_and_are_not_changed_by_the_tags():
    attributes = {"city": "Lyon"}
    event_of(EventUpdate(CLOCK), attributes=attributes, tags=["vip"])
    assert attributes == {"city": "Lyon"}
    assert refused(EventUpdate(CLOCK), attributes=["city"]) == Invalid("attributes", checks.NOT_OBJECT)


# ----------------------------------------------------------------------------------------------------- generic


def test_the_pages_example_of_a_generic_event():
    assert event_of(EventGeneric(CLOCK), event_name="my_event", properties={"firstname": "alexandru"}) == {
        "generic": {"generic": {"event_name": "my_event", "firstname": "alexandru"}}
    }


def test_a_generic_event_needs_a_name_and_nothing_else():
    assert event_of(EventGeneric(CLOCK), event_name="my_event") == {
        "generic": {"generic": {"event_name": "my_event"}}
    }
    assert refused(EventGeneric(CLOCK), properties={"a": 1}) == Invalid("event_name", fields.REQUIRED)
    assert refused(EventGeneric(CLOCK), event_name=" ") == Invalid("event_name", fields.REQUIRED)


def test_properties_never_replace_the_events_name():
    assert refused(EventGeneric(CLOCK), event_name="a", properties={"event_name": "b"}) == Invalid(
        "properties", event_generic.NAME_TWICE
    )


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (EventGeneric(CLOCK), {"event_name": "my_event"}),
        (EventEmailOpen(CLOCK), {}),
        (EventStandard(CLOCK), {"event": "product"}),
    ],
)
def test_what_a_route_adds_stands_beside_the_records_own_properties_which_win(operation, name):
    event = event_of(operation, **name, properties={"a": 1, "b": 2}, extra={"event_id": "e-1", "a": 9})
    (inner,) = event.values()
    inner = inner.get("generic", inner)
    assert {"a": 1, "b": 2, "event_id": "e-1"}.items() <= inner.items()
    assert "extra" not in inner


# ------------------------------------------------------------------------------------------------ confirmation


def test_a_purchase_with_all_of_its_fields():
    user = {
        "email": "john.doe@example.com",
        "_id": "5f0e",
        "tel": "+14155552671",
        "firstname": "John",
        "lastname": "Doe",
        "country": "US",
        "city": "Austin",
    }
    order = {
        "orderId": "o-1",
        "total": 49.9,
        "status": "paid",
        "coupons": "SPRING",
        "phone": "+14155552671",
        "currency": "EUR",
        "total_shipping": 4.9,
    }
    items = [{"id": "sku-1", "quantity": 2}, {"id": 7, "quantity": 1.5}]
    body = EventConfirmation(CLOCK).encode({**user, **order, "items": items})

    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "user": user,
        "event": {"confirmation": {"generic": order, "items": items}},
    }


def test_a_purchase_needs_the_users_email():
    assert EventConfirmation(CLOCK).encode({"_id": "5f0e", "orderId": "o-1"}) == Invalid(
        "email", fields.REQUIRED
    )


def test_an_order_without_an_id_is_sent_all_the_same():
    assert event_of(EventConfirmation(CLOCK), total=10, orderId=None) == {
        "confirmation": {"generic": {"total": 10}}
    }


@pytest.mark.parametrize("given", [{}, {"items": []}, {"items": [{"id": "sku", "quantity": 1}]}])
def test_a_purchase_needs_something_of_the_order(given):
    assert refused(EventConfirmation(CLOCK), **given) == Invalid(fields.WHOLE, event_confirmation.NO_ORDER)


def test_of_an_item_only_what_the_page_lists_is_sent():
    items = [{"id": "sku", "quantity": 1, "price": 5.0, "cost": 1}]
    assert event_of(EventConfirmation(CLOCK), total=5, items=items) == {
        "confirmation": {"generic": {"total": 5}, "items": [{"id": "sku", "quantity": 1}]}
    }


def test_a_decimal_keeps_its_digits():
    body = EventConfirmation(CLOCK).encode(EMAIL | {"orderId": 17, "total": Decimal("49.90")})
    assert isinstance(body, bytes)
    assert b'"orderId":17,"total":49.90' in body


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("total", "49.90", checks.NOT_A_NUMBER_ALONE),
        ("total", True, checks.NOT_A_NUMBER_ALONE),
        ("total", float("nan"), checks.NOT_A_NUMBER),
        ("total_shipping", 2**64, checks.TOO_LARGE_A_NUMBER),
        ("total", Decimal("Infinity"), checks.NOT_A_NUMBER),
        ("orderId", 1.5, checks.NOT_AN_ID),
        ("orderId", True, checks.NOT_AN_ID),
        ("currency", 978, checks.NOT_TEXT),
        ("items", {"id": "sku"}, event_confirmation.NOT_ITEMS),
        ("items", ["sku"], event_confirmation.NOT_ITEMS),
        ("items", [{"quantity": 1}], event_confirmation.NOT_ITEMS),
        ("items", [{"id": "", "quantity": 1}], event_confirmation.NOT_ITEMS),
        ("items", [{"id": "sku"}], event_confirmation.NOT_ITEMS),
        ("items", [{"id": "sku", "quantity": "1"}], event_confirmation.NOT_ITEMS),
    ],
)
def test_a_purchase_with_a_wrong_value_is_refused_with_its_field(field, value, reason):
    assert refused(EventConfirmation(CLOCK), **{"status": "paid", field: value}) == Invalid(field, reason)


# --------------------------------------------------------------------------------------- email open and others


def test_an_open_stands_under_the_key_that_is_configured():
    properties = {"message_id": "m-1"}
    assert event_of(EventEmailOpen(CLOCK), properties=properties) == {"email_open": properties}
    named = EventEmailOpen(CLOCK, EmailOpenOptions(event="emailOpened"))
    assert event_of(named, properties=properties) == {"emailOpened": properties}
    assert event_of(named) == {"emailOpened": {}}


def test_any_other_standard_event_goes_by_its_name():
    assert event_of(EventStandard(CLOCK), event="product", properties={"view": {"id": "sku"}}) == {
        "product": {"view": {"id": "sku"}}
    }
    assert event_of(EventStandard(CLOCK), event="logout") == {"logout": {}}
    assert refused(EventStandard(CLOCK), properties={"a": 1}) == Invalid("event", fields.REQUIRED)


@pytest.mark.parametrize("name", ["update", "login", "generic", "confirmation"])
def test_what_has_rules_of_its_own_does_not_slip_through_as_a_standard_event(name):
    assert refused(EventStandard(CLOCK), event=name) == Invalid("event", event_standard.OWN_OPERATION)


def test_only_listed_names_pass_where_there_is_a_list_and_their_case_counts():
    operation = EventStandard(CLOCK, StandardOptions(events=("product", "category")))
    assert event_of(operation, event="category") == {"category": {}}
    assert refused(operation, event="Product") == Invalid("event", event_standard.NOT_LISTED)
