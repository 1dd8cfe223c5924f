"""Client API events: POST /api/client/events, an array of at least one, taken or refused as a whole."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.client_api import (
    IDENTIFIER_RULES,
    IDENTIFIERS,
    SERVER_BODY_BYTES,
    TEXT,
    TRAIT_RULES,
    ClientResponses,
    identifier_fault,
    request_headers,
)
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.fields import Rule, Rules, to_json
from consumer.endpoints.outcome import Outcome
from consumer.endpoints.plain import PlainItem
from consumer.http.sender import Answer


def _a_mapping(value: Any) -> str | None:
    return None if type(value) is dict else checks.NOT_OBJECT


PLAIN_RULES = Rules(
    # The page calls the name optional; the server refuses an event without one, and stores an empty one.
    Rule("name", TEXT, required=True),
    *IDENTIFIER_RULES,
    # Levels: 1 the array, 2 the event, 3 its data and user, 4 the user's data.
    Rule("data", checks.json_object(level=3)),
)
RULES = Rules(*PLAIN_RULES.rules, Rule("user", _a_mapping))
USER_RULES = Rules(*TRAIT_RULES, Rule("data", checks.json_object(level=4)))
"""Not on the page: the server merges an event's `user` into the user, its `data` shallowly."""

_BRACKETS_BYTES = 2


class ClientEventsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    max_items: Annotated[int, msgspec.Meta(ge=1)] = 100
    """The server has no maximum. One lost answer can duplicate as many events as this."""
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1024, le=SERVER_BODY_BYTES)] = 786_432
    """Well under what the server takes: a byte too many gets an answer that looks like its own fault."""
    canonical_ids: bool = False
    """Refuse external ids with capitals or non-ASCII, whose records may be lost (`identifier_fault`)."""
    max_retry_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0


class ClientEvents:
    """The operation, at one account."""

    name = "events"
    path = "/api/client/events"
    fields = RULES.names
    required = RULES.required

    def __init__(self, clock: Clock, options: ClientEventsOptions | None = None) -> None:
        options = options or ClientEventsOptions()
        self.max_items = options.max_items
        self.max_body_bytes = options.max_body_bytes
        self._canonical_ids = options.canonical_ids
        self._responses = ClientResponses(clock, options.max_retry_after_s)

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One event. The server overwrites its time: carry that in `data`, under a name of its own."""
        item = RULES.checked(fields)
        if isinstance(item, Invalid):
            return item
        fault = identifier_fault(item, self._canonical_ids)
        if fault is not None:
            return fault
        if "user" in item:
            user = USER_RULES.checked(item["user"])
            if isinstance(user, Invalid):
                return Invalid(f"user.{user.field}" if user.field else "user", user.reason)
            if user:
                item["user"] = user
            else:
                del item["user"]
        return to_json(item, self.max_body_bytes - _BRACKETS_BYTES)

    def plain_item(self) -> PlainItem | None:
        if self._canonical_ids:
            return None
        return PlainItem(PLAIN_RULES, IDENTIFIERS, self.max_body_bytes - _BRACKETS_BYTES)

    def body(self, items: Sequence[bytes]) -> bytes:
        """The array. Raises ValueError for none: the server refuses an empty one."""
        if not items:
            raise ValueError("a request to the Client API's events needs at least one event")
        return b"[" + b",".join(items) + b"]"

    def headers(self, credential: str) -> dict[str, str]:
        return request_headers(credential)

    def classify(self, answer: Answer) -> Outcome:
        return self._responses.classify(answer)
