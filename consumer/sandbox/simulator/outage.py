"""An answer forced upon every request of an API, until it is cleared or used up."""

from typing import Any

import msgspec

_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599


class Outage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing takes effect while it lasts: a revoked key, a redirect, a server that is down."""

    status: int = 503
    body: Any = None
    """A string is sent as plain text, anything else as JSON; None: what the API answers with this status."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Further headers, such as location or retry-after."""
    drop: bool = False
    """Close the connection instead of answering."""
    count: int | None = None
    """How many requests it meets; None: all, until it is cleared."""

    def __post_init__(self) -> None:
        if not _LOWEST_STATUS <= self.status <= _HIGHEST_STATUS:
            raise ValueError("an outage's status must be between 200 and 599")
        if self.count is not None and self.count < 1:
            raise ValueError("an outage's count must be at least 1: leave it out for an outage without end")
