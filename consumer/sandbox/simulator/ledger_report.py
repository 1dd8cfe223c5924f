"""The ledger as it is told to others: its JSON."""

import msgspec

from consumer.sandbox.simulator.api import API_NAMES, ApiName


class LedgerItem(msgspec.Struct, frozen=True, gc=False):
    """One accepted item. Its `seq` is its place in the order of acceptance of its API, from 0."""

    seq: int
    at_ms: int
    """When it took effect, in milliseconds since 1970 UTC."""
    request: int
    """Which request of its API brought it, from 1: the members of one array share it."""
    operation: str
    """user_analytics, capture, event; experience, user or touchpoint; events, alias, identify or devices."""
    event_id: str | None
    idempotency_key: str | None
    user: str
    """The identifier that matched (userId, email or phone), or external_id, else anonymous_id."""
    name: str
    """feature/action in lower case, the event's name, or the operation."""
    time: str | None
    """capturedAt, or the time in the event's data."""
    duplicate: bool
    """An item of the same operation and identity was accepted before."""


class BookReport(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one API."""

    requests: int
    """All that reached it, also those that a fault ended."""
    accepted: int
    """Items that took effect, repeats included: the real servers do not deduplicate."""
    duplicates: int
    """How many of the accepted ones were repeats of an accepted one."""
    no_id: int
    """How many of the accepted ones had neither event id nor Idempotency-Key, so that repeats go unseen."""
    refused: int
    """Different items that were refused for their own sake and never accepted."""
    dropped: int
    """Requests whose connection was closed before they took effect."""
    lost_responses: int
    """Requests that took effect (or were refused) and whose answer was not sent."""
    harmed: dict[str, int]
    """Accepted items that a real server would lose or be harmed by, by reason."""
    answers: dict[str, dict[str, int]]
    """Requests by status, then by reason; lost answers included."""


class LedgerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of all APIs."""

    user_analytics: BookReport
    capture_analytics: BookReport
    touchpoint_metrics: BookReport
    event_api: BookReport
    client_api: BookReport
    unknown_paths: int
    """Requests for paths that no API has."""

    def books(self) -> dict[str, dict[str, int]]:
        """The part that is compared with the sender's books."""
        books: dict[ApiName, BookReport] = {api: getattr(self, api) for api in API_NAMES}
        return {
            api: {"accepted": book.accepted, "duplicates": book.duplicates, "refused": book.refused}
            for api, book in books.items()
        }
