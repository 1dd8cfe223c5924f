"""How a key is tried without creating anything: by a request that lacks all that its API requires."""

from collections.abc import Mapping

import msgspec


class EmptyRequest(msgspec.Struct, frozen=True):
    """A request to one operation of an API. `doubt`: why a refusal of the body does not prove the key; empty where
    it does, because the receiver looks at the key first.
    """

    operation: str
    body: bytes
    doubt: str = ""


class NoEmptyRequest(msgspec.Struct, frozen=True):
    """Why an API's keys cannot be tried without risking data."""

    reason: str


EMPTY_REQUESTS: Mapping[str, EmptyRequest | NoEmptyRequest] = {
    # Its server looks at the key before the body, and takes no item without a name and an id (Parcelvoy's source).
    "client_api": EmptyRequest("events", b"[{}]"),
    # Without an identifier nothing can be stored; the page names no order of its checks.
    "distinct": EmptyRequest(
        "user_analytics", b"{}", "the vendor's page does not say whether the key is looked at before the body"
    ),
    "distinct_capture": NoEmptyRequest(
        "each request of this API names an experience in its path; User Analytics takes the same key"
    ),
    # User and event are mandatory: without both there is nothing to store.
    "event_api": EmptyRequest("update", b"{}", "the vendor's pages name no answer to a wrong key"),
}
"""By the API's name in a topology."""

_UNKNOWN = NoEmptyRequest("no request is known that this API refuses without storing anything")


def empty_request(api: str) -> EmptyRequest | NoEmptyRequest:
    """The harmless request of an API, or why there is none."""
    return EMPTY_REQUESTS.get(api, _UNKNOWN)
