"""event/ API: the confirmation of a purchase. The receiver discards a second one with the same orderId."""

from typing import Any

from consumer.endpoints import checks
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import EventOperation
from consumer.endpoints.fields import WHOLE, Rule, Rules

NO_ORDER = "needs something of the order itself: orderId, total, status …"
NOT_ITEMS = "must be a list of objects, each with id (a string or a whole number) and quantity (a number)"

_USER = ("email", "_id", "tel", "firstname", "lastname", "country", "city")
_ORDER = ("orderId", "total", "status", "coupons", "phone", "currency", "total_shipping")


def _items(value: Any) -> str | None:
    if type(value) not in (list, tuple):
        return NOT_ITEMS
    for one in value:
        if type(one) is not dict or checks.identifier(one.get("id")) or checks.number(one.get("quantity")):
            return NOT_ITEMS
    return None if value else checks.BLANK


class EventConfirmation(EventOperation):
    """`{"confirmation": {"generic": {orderId, total …}, "items": [{id, quantity}]}}`."""

    name = "confirmation"
    rules = Rules(
        Rule("email", checks.text, required=True),
        *(Rule(name, checks.text) for name in _USER[1:]),
        Rule("orderId", checks.identifier),
        Rule("total", checks.number),
        Rule("status", checks.text),
        Rule("coupons", checks.text),
        Rule("phone", checks.text),
        Rule("currency", checks.text),
        Rule("total_shipping", checks.number),
        Rule("items", _items),
    )
    fields = rules.names
    required = rules.required

    def _user(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        return {name: item[name] for name in _USER if name in item}

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        order = {name: item[name] for name in _ORDER if name in item}
        if not order:
            return Invalid(WHOLE, NO_ORDER)
        confirmation: dict[str, Any] = {"generic": order}
        if "items" in item:
            # Only what the page lists of an item: what a record holds beside it is not for the receiver.
            confirmation["items"] = [{"id": one["id"], "quantity": one["quantity"]} for one in item["items"]]
        return {"confirmation": confirmation}
