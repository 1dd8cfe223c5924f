"""What the pipeline knows of an API: operations that encode items, build bodies and read answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

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


class Address(NamedTuple):
    """Where one item goes, and how the answer from there is read."""

    path: str
    """Appended to the destination's base URL; percent-encoded, without '..'."""
    classify: Callable[[Answer], Outcome]
    deprecated: str = ""
    """What to do instead of using this path, where its vendor is going to remove it."""


@runtime_checkable
class Addressed(Protocol):
    """An operation with `max_items` 1 whose items do not all go to its one `path`."""

    def address(self, item: bytes) -> Address:
        """The same at every attempt: it depends on nothing but the encoded item."""
        ...


Known = Mapping[str, frozenset[str] | None]
"""A route's mapped fields, each with the only texts that it can have; None: it may have any value."""


@runtime_checkable
class Advising(Protocol):
    """An operation that has something to say about a sound route to it."""

    def advice(self, mapped: Known) -> list[str]:
        """Notes for whoever checks the topology, without any value of a record."""
        ...
