"""event/ API: any other standard event, by the name that the route maps."""

from typing import Annotated, Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import (
    IDENTIFIER_RULES,
    PROPERTY_RULES,
    EventOperation,
    EventOptions,
    properties_of,
)
from consumer.endpoints.fields import Rule, Rules

OWN_OPERATION = "has an operation of its own: update, login, generic and confirmation have rules"
NOT_LISTED = "is not among the operation's events; names are case-sensitive"

_OWN = frozenset({"update", "login", "generic", "confirmation"})


class StandardOptions(EventOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    events: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...] = ()
    """The names that may be sent; none: any. The receiver ignores a misspelt one, and says that it took it."""


class EventStandard(EventOperation):
    """`{event: {properties…}}`; what is nested deeper is the route's to build."""

    name = "standard"
    rules = Rules(
        *IDENTIFIER_RULES,
        Rule("event", checks.text, required=True),
        *PROPERTY_RULES,
    )
    fields = rules.names
    required = rules.required

    def __init__(self, clock: Clock, options: StandardOptions | None = None) -> None:
        options = options or StandardOptions()
        super().__init__(clock, options)
        self._listed = frozenset(options.events)

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        name = item["event"]
        if name in _OWN:
            return Invalid("event", OWN_OPERATION)
        if self._listed and name not in self._listed:
            return Invalid("event", NOT_LISTED)
        return {name: properties_of(item)}
