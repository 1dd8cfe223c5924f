"""event/ API: `update` and `login`, which both set attributes of the user."""

from typing import Any

from consumer.endpoints import checks
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import IDENTIFIER_RULES, OBJECT, EventOperation
from consumer.endpoints.fields import WHOLE, Rule, Rules

NOTHING_TO_UPDATE = "needs attributes or tags, and has neither"
TAGS_TWICE = "holds tags, which are mapped as a field of their own"


class EventLogin(EventOperation):
    """`{"login": {attributes…, "tags": […]}}`: the user logged in, and may have told something."""

    name = "login"
    rules = Rules(
        *IDENTIFIER_RULES,
        Rule("attributes", OBJECT),
        # The receiver lowers their case and strips all but letters and digits; one that begins with - is removed.
        Rule("tags", checks.texts),
    )
    fields = rules.names
    required = rules.required

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        attributes = item.get("attributes", {})
        if "tags" in item:
            if "tags" in attributes:
                return Invalid("attributes", TAGS_TWICE)
            attributes = attributes | {"tags": item["tags"]}
        return {self.name: attributes}


class EventUpdate(EventLogin):
    """`{"update": {attributes…, "tags": […]}}`: attributes of the user changed."""

    name = "update"

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        if "attributes" not in item and "tags" not in item:
            return Invalid(WHOLE, NOTHING_TO_UPDATE)
        return super()._event(item)
