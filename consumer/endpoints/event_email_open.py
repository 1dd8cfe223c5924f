"""event/ API: an email was opened. The receiver counts one in 20 minutes, and filters no bots."""

from typing import Annotated, Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.event_api import (
    IDENTIFIER_RULES,
    PROPERTY_RULES,
    EventOperation,
    EventOptions,
    properties_of,
)
from consumer.endpoints.fields import Rules


class EmailOpenOptions(EventOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    event: Annotated[str, msgspec.Meta(min_length=1)] = "email_open"
    """The key that the event stands under: no page of the vendor names it, so ask which one is yours."""


class EventEmailOpen(EventOperation):
    """`{"email_open": {properties…}}`, under the key that the options name."""

    name = "email_open"
    rules = Rules(*IDENTIFIER_RULES, *PROPERTY_RULES)
    fields = rules.names
    required = rules.required

    def __init__(self, clock: Clock, options: EmailOpenOptions | None = None) -> None:
        options = options or EmailOpenOptions()
        super().__init__(clock, options)
        self._key = options.event

    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        return {self._key: properties_of(item)}
