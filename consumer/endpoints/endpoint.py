"""What the pipeline knows of an API: operations that encode items, build bodies and read answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from consumer.endpoints.outcome import Outcome
from consumer.http.sender import Answer


class Invalid(msgspec.Struct, frozen=True):
    """The item must not be sent: `field` is a path in the mapped object, `reason` says what is wrong, no
    values.
    """

    field: str
    reason: str


class Operation(Protocol):
    """One operation of an API at one account. Pure but for what its constructor was given."""

    name: str
    """As a route names it: `user_analytics`, `events` …"""
    path: str
    """Appended to the destination's base URL."""
    max_items: int
    """1: one object a request; above: an array of at most that many (or, see `Collapsing`, one object of them)."""
    max_body_bytes: int
    fields: frozenset[str]
    """The fields that a route may map."""
    required: frozenset[str]
    """The fields that a route must map."""

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One item's JSON, checked by every documented rule; absent optional fields are omitted."""
        ...

    def body(self, items: Sequence[bytes]) -> bytes:
        """The request's body from encoded items (exactly one where `max_items` is 1)."""
        ...

    def headers(self, credential: str) -> dict[str, str]:
        """Authentication and content type."""
        ...

    def classify(self, answer: Answer) -> Outcome:
        """The response table of the vendor's page."""
        ...
