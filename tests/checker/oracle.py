"""What the shipped topology promises for each record, written anew from the vendors' pages and its own words.

Sources: Distinct's page "User Analytics", the page "Client API" with what its server was found to do, and the
routes in `topology/` as they read. It shares no line with the code that delivers, so that a misreading on one
side shows.
"""

import re

from tests.brokers import StoredRecord
from tests.checker.event import Event
from tests.checker.fate import CLIENT, USER_ANALYTICS, Accepted, Fate, Ignored, Opened, Refused

_REGISTERED = {
    "registration_email": {"delivered", "opened", "sent"},
    "registration_sms": {"sent", "delivered", "failed"},
    "user_collectible": {"viewed", "downloaded"},
    "page_visit": {"viewed"},
}
_E164 = re.compile(r"\+[1-9]\d{1,14}")
_BOT = re.compile(r"bot\b|externalhit", re.IGNORECASE)
_LONGEST = 255
"""Characters that the Client API's columns hold."""

_UNKNOWN_TO_DISTINCT = "unknown-"
"""How the user ids, and the addresses, begin that the simulator has no user for."""


def fates(record: StoredRecord, event: Event) -> dict[str, Fate]:
    """The record's fate at each destination."""
    return {USER_ANALYTICS: _at_user_analytics(record, event), CLIENT: _at_client(record, event)}


def _at_user_analytics(record: StoredRecord, event: Event) -> Fate:
    if event.type not in ("Engagement", "EmailOpened", "PageVisited"):
        return Ignored()
    if event.type == "PageVisited" and event.payload["experience_id"] is None:
        return Ignored()
    if _is_dropped(event):
        return Ignored()
    feature, action = _pair(event)
    user = event.user
    good = (
        action in _REGISTERED.get(feature, ())
        and bool(event.payload["experience_id"])
        and any((user["user_id"], user["email"], user["phone"]))
        and (not user["phone"] or _E164.fullmatch(user["phone"]) is not None)
        and not (user["user_id"] or user["email"] or "").startswith(_UNKNOWN_TO_DISTINCT)
    )
    return _sent(record, event) if good else Refused()


def _at_client(record: StoredRecord, event: Event) -> Fate:
    if _is_dropped(event):
        return Ignored()
    if event.type == "Aliased":
        texts = [event.payload["anonymous_id"], event.payload["external_id"]]
        return _sent(record, event) if all(map(_fits, texts)) else Refused()
    identifiers = [text for text in (event.user["external_id"], event.user["anonymous_id"]) if text]
    texts = [*identifiers, *_client_texts(event)]
    good = bool(identifiers) and all(map(_fits, texts))
    return _sent(record, event) if good else Refused()


def _fits(text: str) -> bool:
    return 0 < len(text) <= _LONGEST


def _sent(record: StoredRecord, event: Event) -> Fate:
    return Opened(_scope(record, event), event.occurred_ms) if _is_open(event) else Accepted()


def _is_open(event: Event) -> bool:
    return _pair(event) == ("registration_email", "opened")


def _is_dropped(event: Event) -> bool:
    """Machine opens, and the opens and page visits of bots; other engagements count whoever sent them."""
    if event.type == "EmailOpened" and event.payload["machine"]:
        return True
    return (_is_open(event) or event.type == "PageVisited") and _BOT.search(event.user_agent) is not None


def _pair(event: Event) -> tuple[str, str]:
    """Feature and action as Distinct compares them, without case."""
    match event.type:
        case "Engagement":
            return event.payload["feature"].lower(), event.payload["action"].lower()
        case "EmailOpened":
            return "registration_email", "opened"
        case "PageVisited":
            return "page_visit", "viewed"
    return "", ""


def _client_texts(event: Event) -> list[str]:
    """What must be there and fit into the receiver's columns, beside the ids."""
    match event.type:
        case "Engagement":
            return [f"{event.payload['feature']}/{event.payload['action']}"]
        case "CaptureEvent":
            return [str(event.payload["type"])]
        case "CustomEvent":
            return [str(event.payload["name"])]
        case "Identified":
            # The generator's time zones and phone numbers are always sound.
            return [text for text in (event.user["email"], event.payload["locale"]) if text]
        case "DeviceRegistered":
            return [str(event.payload["device_id"])]
    return []  # The name is a constant in the topology: never empty, never long.


def _scope(record: StoredRecord, event: Event) -> str:
    """Whose window it is: the record's key, and without one the first identifier that is there."""
    if record.key is not None:
        return record.key.decode()
    order = ("user_id", "email", "phone", "external_id", "anonymous_id")
    return next(value for name in order if (value := event.user[name]))
