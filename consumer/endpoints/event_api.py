"""The event/ API: POST /v1/event/, one user and one event a request; what all of its operations have in common.

Follows the vendor's page "How to send events via API". An event stands in the body under its kind, as in the
vendor's JavaScript: `{"user": {…}, "event": {"update": {…}}}`. The user must exist already. Names are
case-sensitive, and fields that the receiver does not know are ignored without a word.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.checks import LONE_SURROGATE
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.fields import WHOLE, Rule, Rules, to_json
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Refused, Rejected, Unclear
from consumer.endpoints.response_table import UNDOCUMENTED_SUCCESS, ResponseTable
from consumer.http.sender import Answer

IDENTIFIER_RULES = (Rule("email", checks.text), Rule("_id", checks.text))
IDENTIFIERS = frozenset(rule.name for rule in IDENTIFIER_RULES)
NO_IDENTIFIER = "needs one of email, _id, and has none"

OBJECT = checks.json_object(level=4)
"""Levels: 1 the body, 2 its event, 3 what is under the event's kind, 4 what that may hold."""

PROPERTY_RULES = (Rule("properties", OBJECT), Rule("extra", OBJECT))
"""`properties` are the record's own, `extra` is what a route adds, such as the event's id."""

BY_TEXT: Mapping[tuple[int, str], Outcome] = {
    (400, "Missing event information"): Rejected("Missing event information", 400),
    # From the vendor's sister API. The user may be registered only a moment later.
    (404, "User not found"): Rejected("User not found", 404, Refused.UNKNOWN_USER),
}
BY_STATUS: Mapping[int, Outcome] = {
    400: Unclear("undocumented 400"),
    # Which body these have is documented nowhere.
    401: Halted("401 unauthorized: key not accepted"),
    403: Halted("403 forbidden: key not accepted"),
    404: Halted("404 unknown path"),
}


def properties_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Both in one object, side by side: where they share a name, the record's own value stands."""
    return {**item.get("extra", {}), **item.get("properties", {})}


class EventOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for each of the operations."""

    max_body_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 1_048_576
    """Our own bound; the page has none."""
    max_retry_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0


class _Fault(msgspec.Struct, gc=False):
    message: Any = None


class _Reply(msgspec.Struct, gc=False):
    results: Any = None
    errors: Any = None


class _Faults(msgspec.Struct, gc=False):
    errors: list[_Fault] = []


_REPLY = msgspec.json.Decoder(_Reply)
_FAULTS = msgspec.json.Decoder(_Faults)


def _message(body: bytes) -> str | None:
    """The text of the first error; None where there is none."""
    try:
        faults = _FAULTS.decode(body).errors
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return faults[0].message if faults and isinstance(faults[0].message, str) else None


def _is_acknowledged(body: bytes) -> bool:
    try:
        reply = _REPLY.decode(body.decode())  # what is passed over must be text, too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(reply.results) and not reply.errors


class EventOperation(ABC):
    """One kind of event, at one account."""

    name: str
    path = "/v1/event/"
    max_items = 1
    rules: ClassVar[Rules]
    fields: frozenset[str]
    required: frozenset[str]

    def __init__(self, clock: Clock, options: EventOptions | None = None) -> None:
        options = options or EventOptions()
        self.max_body_bytes = options.max_body_bytes
        self._table = ResponseTable(BY_TEXT, BY_STATUS, _message, clock, options.max_retry_after_s)

    @abstractmethod
    def _event(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        """The body's `event` of an item that passed its rules."""

    def _user(self, item: dict[str, Any]) -> dict[str, Any] | Invalid:
        user: dict[str, Any] = {name: item[name] for name in ("email", "_id") if name in item}
        return user or Invalid(WHOLE, NO_IDENTIFIER)

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One body: the user, and the event under its kind."""
        item = self.rules.checked(fields)
        if isinstance(item, Invalid):
            return item
        user = self._user(item)
        if isinstance(user, Invalid):
            return user
        event = self._event(item)
        if isinstance(event, Invalid):
            return event
        encoded = to_json({"user": user, "event": event}, self.max_body_bytes)
        if isinstance(encoded, Invalid) and encoded.reason is LONE_SURROGATE:
            return to_json(item, self.max_body_bytes)  # names the route's field, not the body's
        return encoded

    def body(self, items: Sequence[bytes]) -> bytes:
        """The one item is the body. Raises ValueError for any other number of them."""
        (item,) = items
        return item

    def headers(self, credential: str) -> dict[str, str]:
        """The key stands alone: this API has no `Bearer`."""
        return {"authorization": credential, "content-type": "application/json"}

    def classify(self, answer: Answer) -> Outcome:
        """Acknowledged by 200 with `results` and without `errors` alone."""
        if answer.status == 200:
            return Delivered() if _is_acknowledged(answer.body) else UNDOCUMENTED_SUCCESS
        return self._table.outcome(answer)
