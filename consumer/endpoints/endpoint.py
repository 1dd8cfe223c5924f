"""What the pipeline knows of an API: operations that encode items, build bodies and read answers."""

from abc import ABC, abstractmethod
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
    """1: one object a request; above: an array of at most that many, or so many collapsed into one object."""
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


class Settling:
    """An operation that the receiver needs a moment for, before it and after it: its lane rests so long each time.

    A base class and no protocol, as is `Collapsing`: the pipeline asks for every request, and this costs it least.
    """

    settle_delay_s: float
    """0: no rest."""


class Collapsing(ABC):
    """An operation that may take several consecutive items of one lane as one object, where its `max_items` is above
    1. They stay deliveries of their own: `body` is made of those that are left, and once the object is refused each
    is sent by itself."""

    @abstractmethod
    def joint(self, items: Sequence[bytes]) -> int:
        """How many of these, from the first on, may become one request: at least 1."""
