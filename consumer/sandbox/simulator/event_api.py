"""The event/ API, as its page and the vendor's neighbouring pages have it.

Source: the vendor's page "How to send events via API". Documented are the success, the 400 "Missing event
information" and, on the sister API's page, the 404 "User not found". Of our own, in the same shape: the 401,
the 400 of a malformed body and of a missing user, and the order: key, JSON, event, user, look-up.

"Both are mandatory": without user or event it is a refusal. What else a server would make nothing of is
accepted and counted as harm, as is what it says it discards.
"""

from typing import Any

import orjson

from consumer.sandbox.simulator.answer import Answer, phrase_of
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.event_limits import EventLimits
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted, Received, Refused, Verdict
from consumer.sandbox.simulator.world import World

_OPERATION = "event"
_FIELDS = frozenset({"user", "event"})


def _errors(status: int, message: str, description: str) -> Answer:
    return Answer.json(status, {"errors": [{"message": message, "description": description}]})


def _refused(status: int, message: str, description: str, *, guilty: bool = True) -> Refused:
    return Refused(_errors(status, message, description), message, _OPERATION, [None] if guilty else [])


_CREATED = Answer.json(
    200, {"results": {"message": "Event created", "email": "Event was created for the specified user"}}
)
_UNAUTHORIZED = _refused(401, "Unauthorized", "The API key is missing or not valid.", guilty=False)
_MALFORMED = _refused(400, "Invalid request", "The body is not a valid JSON object.", guilty=False)
_NO_EVENT = _refused(
    400, "Missing event information", "Please send event information along with user"
)  # fmt: skip
_NO_USER = _refused(400, "Missing user information", "Please send an email or an _id in user.")
_UNKNOWN_USER = _refused(404, "User not found", "This email does not exist in our database.")
_FAILURES = {401: _UNAUTHORIZED.answer, 404: _UNKNOWN_USER.answer}


class EventApi:
    """One object a request; success is 200 with `results`."""

    name: ApiName = "event_api"
    method = "POST"
    paths = frozenset({"/v1/event/"})
    folders: frozenset[str] = frozenset()

    def __init__(self, *, api_key: str, world: World, limits: EventLimits) -> None:
        self._api_key = api_key.encode()
        self._world = world
        self._limits = limits

    def judge(self, request: Request) -> Verdict:
        """The documented answer; the limits remember what was accepted."""
        if request.headers.get(b"authorization") != self._api_key:
            return _UNAUTHORIZED
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _MALFORMED
        if type(body) is not dict:
            return _MALFORMED
        return self._judge_body(body)

    def failure(self, status: int) -> Answer:
        """The body known of this status, else its phrase in the shape of the others."""
        known = _FAILURES.get(status)
        return known if known is not None else _errors(status, phrase_of(status), f"HTTP {status}")

    def _judge_body(self, body: dict[str, Any]) -> Verdict:
        event, user = body.get("event"), body.get("user")
        if type(event) is not dict or not event or not all(type(one) is dict for one in event.values()):
            return _NO_EVENT
        if type(user) is not dict:
            return _NO_USER
        email, internal_id = _text(user, "email"), _text(user, "_id")
        if email is None and internal_id is None:
            return _NO_USER
        known = self._world.known_identifier(internal_id, email, None)
        if known is None:
            return _UNKNOWN_USER
        name, fields = next(iter(event.items()))
        harms = [] if body.keys() <= _FIELDS else ["undocumented field"]
        if len(event) > 1:
            harms.append("several events in one request")
        harms += self._harms(name, fields, user, known)
        label, details = _inner(name, fields)
        received = Received(_OPERATION, _text(details, "event_id"), known, label, None)
        return Accepted(_CREATED, [received], harms)

    def _harms(self, name: str, fields: dict[str, Any], user: dict[str, Any], known: str) -> list[str]:
        if name == "confirmation":
            return self._harms_of_confirmation(fields, user)
        if name == "generic":
            nested = fields.get("generic")
            named = type(nested) is dict and _text(nested, "event_name") is not None
            return [] if named else ["generic event without event_name"]
        discarded = self._limits.take_open(name, known)
        return [] if discarded is None else [discarded]

    def _harms_of_confirmation(self, fields: dict[str, Any], user: dict[str, Any]) -> list[str]:
        harms = [] if _text(user, "email") is not None else ["confirmation without email"]
        order = fields.get("generic")
        if type(order) is not dict:
            return [*harms, "confirmation without generic"]
        items = fields.get("items", [])
        if type(items) is not list or not all(_is_item(item) for item in items):
            harms.append("confirmation item without id and quantity")
        discarded = self._limits.take_order(order.get("orderId"))
        return harms if discarded is None else [*harms, discarded]


def _inner(name: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the ledger calls it, and where its details stand: one level deeper in generic and confirmation."""
    nested = fields.get("generic")
    if name not in ("generic", "confirmation") or type(nested) is not dict:
        return name, fields
    label = f"{name}/{_text(nested, 'event_name') or ''}" if name == "generic" else name
    return label, nested


def _is_item(item: object) -> bool:
    return type(item) is dict and "id" in item and "quantity" in item


def _text(values: dict[str, Any], field: str) -> str | None:
    """A text that is there and not empty."""
    value = values.get(field)
    return value if type(value) is str and value else None
