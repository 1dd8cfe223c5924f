"""event/ API: generic events, by a name of the sender's own."""

from typing import Any

from consumer.endpoints import checks
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import IDENTIFIER_RULES, PROPERTY_RULES, EventOperation, properties_of
from consumer.endpoints.fields import Rule, Rules

NAME_TWICE = "holds event_name, which is a field of its own"


class EventGeneric(EventOperation):
    """`{"generic": {"generic": {"event_name": …, properties…}}}`."""

    name = "generic"
    rules = Rules(
        *IDENTIFIER_RULES,
        Rule("event_name", checks.text, required=True),
        *PROPERTY_RULES,
    )
    fields = rules.names
    required = rules.required

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        properties = properties_of(item)
        if "event_name" in properties:
            return Invalid("properties", NAME_TWICE)
        return {"generic": {"generic": {"event_name": item["event_name"], **properties}}}
