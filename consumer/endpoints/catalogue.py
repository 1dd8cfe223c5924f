"""Which APIs there are, for the topology: adding one is a file in this folder and an entry here."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints import (
    capture_analytics,
    client_alias,
    client_api,
    client_devices,
    client_identify,
    event_api,
    user_analytics,
)
from consumer.endpoints.capture_analytics import CaptureAnalytics, CaptureAnalyticsOptions
from consumer.endpoints.client_alias import ClientAlias, ClientAliasOptions
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_events import ClientEvents, ClientEventsOptions
from consumer.endpoints.client_identify import ClientIdentify, ClientIdentifyOptions
from consumer.endpoints.client_single import ClientSingleOptions
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.event_api import EventOperation, EventOptions
from consumer.endpoints.event_confirmation import EventConfirmation
from consumer.endpoints.event_email_open import EmailOpenOptions, EventEmailOpen
from consumer.endpoints.event_generic import EventGeneric
from consumer.endpoints.event_profile import EventLogin, EventUpdate
from consumer.endpoints.event_standard import EventStandard, StandardOptions
from consumer.endpoints.user_analytics import UserAnalytics, UserAnalyticsOptions
from consumer.errors import ConfigurationError


class Entry(msgspec.Struct, frozen=True):
    """One operation as a topology sees it before it is built."""

    fields: frozenset[str]
    """The fields that a route may map."""
    required: frozenset[str]
    """The fields that a route must map."""
    one_of: frozenset[str]
    """The fields of which a route must map one at least: the identifiers."""
    options: type[msgspec.Struct]
    """What a destination may set for it: a model with defaults, unknown keys refused."""
    make: Callable[[Clock, Any], Operation]
    """From a clock and an instance of `options`."""

    def build(self, clock: Clock, options: Mapping[str, Any]) -> Operation:
        """With `options` as the file has them. Raises ConfigurationError, which names the option."""
        try:
            chosen = msgspec.convert(dict(options), self.options)
        except msgspec.ValidationError as error:
            raise ConfigurationError([f"{error}; options are {', '.join(self.option_names)}"]) from None
        return self.make(clock, chosen)

    @property
    def option_names(self) -> tuple[str, ...]:
        return self.options.__struct_fields__


def _event_entry(kind: type[EventOperation], options: type[EventOptions] = EventOptions) -> Entry:
    return Entry(
        fields=kind.fields,
        required=kind.required,
        one_of=event_api.IDENTIFIERS,
        options=options,
        make=kind,
    )


APIS: Mapping[str, Mapping[str, Entry]] = {
    "distinct": {
        UserAnalytics.name: Entry(
            fields=UserAnalytics.fields,
            required=UserAnalytics.required,
            one_of=user_analytics.IDENTIFIERS,
            options=UserAnalyticsOptions,
            make=UserAnalytics,
        ),
    },
    # Not a second operation of "distinct": who has User Analytics alone needs to know nothing of its predecessor.
    "distinct_capture": {
        CaptureAnalytics.name: Entry(
            fields=CaptureAnalytics.fields,
            required=CaptureAnalytics.required,
            one_of=capture_analytics.IDENTIFIERS,
            options=CaptureAnalyticsOptions,
            make=CaptureAnalytics,
        ),
    },
    "event_api": {
        EventUpdate.name: _event_entry(EventUpdate),
        EventLogin.name: _event_entry(EventLogin),
        EventGeneric.name: _event_entry(EventGeneric),
        EventConfirmation.name: _event_entry(EventConfirmation),
        EventEmailOpen.name: _event_entry(EventEmailOpen, EmailOpenOptions),
        EventStandard.name: _event_entry(EventStandard, StandardOptions),
    },
    "client_api": {
        ClientAlias.name: Entry(
            fields=client_alias.RULES.names,
            required=client_alias.RULES.required,
            one_of=frozenset(),  # both are required
            options=ClientAliasOptions,
            make=ClientAlias,
        ),
        ClientIdentify.name: Entry(
            fields=client_identify.RULES.names,
            required=client_identify.RULES.required,
            one_of=client_api.IDENTIFIERS,
            options=ClientIdentifyOptions,
            make=ClientIdentify,
        ),
        ClientDevices.name: Entry(
            fields=client_devices.RULES.names,
            required=client_devices.RULES.required,
            one_of=client_api.IDENTIFIERS,
            options=ClientSingleOptions,
            make=ClientDevices,
        ),
        ClientEvents.name: Entry(
            fields=ClientEvents.fields,
            required=ClientEvents.required,
            one_of=client_api.IDENTIFIERS,
            options=ClientEventsOptions,
            make=ClientEvents,
        ),
    },
}
"""API → operation → entry. One base URL and one credential serve all operations of an API."""
