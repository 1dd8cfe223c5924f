"""The Client API (its server is Parcelvoy): alias, identify, devices and events.

Source: the vendor's page "Client API" and what its server was found to do: the body is read first (400), then
the key is checked (401 without a usable one, 404 for an unknown or revoked one), then the body is validated
(422). An array is accepted or refused as a whole. A 204 means queued: what the real server then loses is
counted as harm.

Of the server's later steps only what they drop is simulated, as harm: an alias or a device of an unknown user is
accepted like any other.
"""

from collections.abc import Mapping
from typing import Any

from consumer.sandbox.simulator.answer import Answer, phrase_of
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.client_body import Body, UnreadableBody, read_body
from consumer.sandbox.simulator.client_harm import harms_of
from consumer.sandbox.simulator.client_people import ClientPeople
from consumer.sandbox.simulator.client_schema import (
    ALIAS,
    DEVICE,
    EMPTY_ARRAY,
    EVENT,
    IDENTIFY,
    Objection,
    ObjectSchema,
    wrong_type,
)
from consumer.sandbox.simulator.ordinary_events import OrdinaryEvent, read_ordinary_events
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted, Received, Refused, Verdict

_PREFIX = "/api/client/"
_EVENTS = _PREFIX + "events"
_OBJECTS: dict[str, ObjectSchema] = {
    _PREFIX + "alias": ALIAS,
    _PREFIX + "identify": IDENTIFY,
    _PREFIX + "devices": DEVICE,
}
_KEY_PREFIXES = ("pk_", "sk_")


def _error(status: int, text: str, code: int | None = None) -> Answer:
    body: dict[str, Any] = {"status": "error", "error": text}
    if code is not None:
        body["code"] = code
    return Answer.json(status, body)


_QUEUED = Answer.empty(204)
_NO_KEY = Refused(_error(401, "Authorization error.", 1000), "Authorization error.")
_UNKNOWN_KEY = Refused(
    _error(404, "The requested project does not exist.", 6000), "The requested project does not exist."
)
_UNREADABLE = Refused(
    _error(400, "An error occurred with this request."), "An error occurred with this request."
)
_FAILURES = {400: _UNREADABLE.answer, 401: _NO_KEY.answer, 404: _UNKNOWN_KEY.answer}


class ClientApi:
    """Success is 204 without a body."""

    name: ApiName = "client_api"
    method = "POST"
    paths = frozenset({_EVENTS, *_OBJECTS})
    folders: frozenset[str] = frozenset()

    def __init__(self, *, api_key: str, time_key: str, people: ClientPeople | None = None) -> None:
        """time_key: where in an event's data the sender puts the event's time.

        people: who is on record; without, a verdict is about its request alone.
        """
        self._people = people
        self._api_key = api_key
        self._time_key = time_key

    def judge(self, request: Request) -> Verdict:
        """The answer of the real server, and the harm that it would not tell of."""
        if request.path == _EVENTS:
            ordinary = read_ordinary_events(request)
            if ordinary is not None:
                return self._refusal_of_key(request.headers) or self._accept(ordinary)
        return self.judge_by_full_rules(request)

    def judge_by_full_rules(self, request: Request) -> Verdict:
        """The same verdict without the quick way for ordinary events."""
        try:
            body = read_body(request.headers, request.body)
        except UnreadableBody:
            return _UNREADABLE
        refused = self._refusal_of_key(request.headers)
        if refused is not None:
            return refused
        if request.path == _EVENTS:
            return self._judge_events(body)
        return self._judge_object(request.path.removeprefix(_PREFIX), _OBJECTS[request.path], body)

    def failure(self, status: int) -> Answer:
        """The body known of this status, else the status's phrase, as a proxy in front of it would answer."""
        known = _FAILURES.get(status)
        if known is not None:
            return known
        return Answer.text(status, phrase_of(status))

    def _refusal_of_key(self, headers: Mapping[bytes, bytes]) -> Refused | None:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme != "Bearer" or not token.startswith(_KEY_PREFIXES):
            return _NO_KEY
        return None if token == self._api_key else _UNKNOWN_KEY

    def _accept(self, events: list[OrdinaryEvent]) -> Accepted:
        time_key = self._time_key
        if self._people is not None:
            external = [event.external_id for event in events]
            self._people.meet(external, [event.anonymous_id for event in events])
        items = []
        for event in events:
            data = event.data
            user = event.external_id or event.anonymous_id or ""
            event_id, time = _text(data.get("event_id")), _text(data.get(time_key))
            items.append(Received("events", event_id, user, event.name, time))
        return Accepted(_QUEUED, items)

    def _judge_events(self, body: Body) -> Verdict:
        events = body.value
        if type(events) is not list:
            return _refused("events", wrong_type("", "array"))
        if not events:
            return _refused("events", EMPTY_ARRAY)
        items: list[Received] = []
        harms: list[str] = []
        stored: list[dict[str, Any]] = []
        for index, event in enumerate(events):
            objection = EVENT.objection(event)
            if objection is not None:
                return _refused_array(EVENT.objection(event, str(index)) or objection, events)
            found = harms_of("events", event, suspect=body.suspect)
            harms += found
            if not found:
                stored.append(event)
            items.append(_printable(self._received(event)) if body.suspect else self._received(event))
        if self._people is not None:
            external = [event.get("external_id") for event in stored]
            self._people.meet(external, [event.get("anonymous_id") for event in stored])
        return Accepted(_QUEUED, items, harms)

    def _judge_object(self, operation: str, schema: ObjectSchema, body: Body) -> Verdict:
        objection = schema.objection(body.value)
        if objection is not None:
            return _refused(operation, objection, [None])
        harms = harms_of(operation, body.value, suspect=body.suspect)
        if self._people is not None and not harms:
            harms = self._people.harms_of(operation, body.value)
        received = Received(operation, None, _user(body.value), operation, None)
        return Accepted(_QUEUED, [_printable(received) if body.suspect else received], harms)

    def _received(self, event: dict[str, Any]) -> Received:
        data = event.get("data") or {}
        time = _text(data.get(self._time_key))
        return Received("events", _event_id(event), _user(event), event["name"], time)


def _user(item: dict[str, Any]) -> str:
    return item.get("external_id") or item.get("anonymous_id") or ""


def _event_id(event: object) -> str | None:
    """Also of an event that was refused, whatever it looks like."""
    data = event.get("data") if type(event) is dict else None
    return _text(data.get("event_id")) if type(data) is dict else None


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _printable(received: Received) -> Received:
    """The ledger is told as JSON, which cannot carry the lone surrogates that the server accepts."""
    operation, event_id, user, name, time = received
    return Received(operation, _whole(event_id), _whole(user) or "", _whole(name) or "", _whole(time))


def _whole(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refused_array(first: Objection, events: list[Any]) -> Refused:
    """The server names one item at most; the ledger wants every item that is guilty by itself."""
    guilty = [_event_id(event) for event in events if EVENT.objection(event) is not None]
    return _refused("events", first, guilty)


def _refused(operation: str, objection: Objection, guilty: list[str | None] | None = None) -> Refused:
    return Refused(_error(422, objection.text), objection.reason, operation, guilty or [])
