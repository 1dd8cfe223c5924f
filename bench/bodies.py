"""The requests' items, made of events by hand: what `bench/topology/` says, as a script would write it."""

from collections.abc import Callable
from typing import Any

Item = dict[str, Any]


def _present(**fields: Any) -> Item:
    return {name: value for name, value in fields.items() if value is not None}


def _engagement(payload: Item) -> tuple[str, Item]:
    return f"{payload['feature']}/{payload['action']}", {
        "feature": payload["feature"],
        "action": payload["action"],
        "experience_id": payload["experience_id"],
        "details": payload["metadata"],
    }


def _email_opened(payload: Item) -> tuple[str, Item]:
    return "Email Opened", _present(
        experience_id=payload["experience_id"],
        message_id=payload["message_id"],
        campaign_id=payload["campaign_id"],
    )


def _page_visited(payload: Item) -> tuple[str, Item]:
    return "Page Visited", _present(**payload)


def _captured(payload: Item) -> tuple[str, Item]:
    return payload["type"], _present(
        experience_value=payload["experience_value"],
        event_value=payload["event_value"],
        session_id=payload["session_id"],
        page=payload["registration_page_value"],
    )


def _device_registered(payload: Item) -> tuple[str, Item]:
    return "Device Registered", {
        "device_id": payload["device_id"],
        "os": payload["os"],
        "model": payload["model"],
        "app_build": payload["app_build"],
        "app_version": payload["app_version"],
    }


def _as_it_is(name: str) -> Callable[[Item], tuple[str, Item]]:
    return lambda payload: (name, _present(**payload))


_EVENTS: dict[str, Callable[[Item], tuple[str, Item]]] = {
    "Engagement": _engagement,
    "EmailOpened": _email_opened,
    "PageVisited": _page_visited,
    "CaptureEvent": _captured,
    "DeviceRegistered": _device_registered,
    "Identified": _as_it_is("Identified"),
    "Aliased": _as_it_is("Aliased"),
    "PurchaseConfirmed": _as_it_is("Purchase Confirmed"),
    "ProfileUpdated": _as_it_is("Profile Updated"),
    "LoggedIn": _as_it_is("Logged In"),
    "CustomEvent": lambda payload: (payload["name"], {"properties": payload["properties"]}),
}


def client_event(event: Item) -> Item:
    """An item of an array to the Client API's events."""
    kind, payload = event["payload"]
    name, data = _EVENTS[kind.rpartition(".")[2]](payload)
    user = event["user"]
    item: Item = {"name": name}
    if user["external_id"] is not None:
        item["external_id"] = user["external_id"]
    if user["anonymous_id"] is not None:
        item["anonymous_id"] = user["anonymous_id"]
    item["data"] = {"event_id": event["id"], "occurred_at": event["occurred_at"], **data}
    return item


def analytics_event(event: Item) -> Item:
    """The object of a request to User Analytics, of an Engagement or an EmailOpened."""
    kind, payload = event["payload"]
    user = event["user"]
    item = _present(userId=user["user_id"], email=user["email"], phone=user["phone"])
    if kind.endswith("EmailOpened"):
        item["feature"], item["action"] = "registration_email", "opened"
        metadata = {"event_id": event["id"], "message_id": payload["message_id"]}
        if payload["campaign_id"] is not None:
            metadata["campaign_id"] = payload["campaign_id"]
    else:
        item["feature"], item["action"] = payload["feature"], payload["action"]
        metadata = {"event_id": event["id"], "details": payload["metadata"]}
    item["experienceId"] = payload["experience_id"]
    item["capturedAt"] = event["occurred_at"]
    item["metadata"] = metadata
    return item
