"""The compiled topology: frozen values, and functions for the records."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from consumer.core.claims import Once
from consumer.endpoints.endpoint import Operation
from consumer.topology.credential import CredentialSource
from consumer.types import Record


class Batch(msgspec.Struct, frozen=True):
    """What one request may hold, at most; an operation's own limits count as well."""

    max_items: int
    max_bytes: int
    linger_s: float


class RetryPolicy(msgspec.Struct, frozen=True):
    """When to try again, and when to give up."""

    base_delay_s: float
    max_delay_s: float
    unclear_votes: int
    unknown_user_attempts: int
    unknown_user_delay_s: float


class Timeouts(msgspec.Struct, frozen=True):
    """Of one request."""

    connect_s: float
    total_s: float


class Destination(msgspec.Struct, frozen=True):
    """One account at a vendor. `concurrency` and `rate_per_s` are one process's."""

    name: str
    account: str
    api: str
    base_url: str
    credential: CredentialSource
    ca_file: str | None
    timeouts: Timeouts
    concurrency: int
    rate_per_s: float | None
    batch: Batch
    retry: RetryPolicy
    paused: bool
    max_refusal_ratio: float
    adaptive: bool = True
    """Whether fewer than `concurrency` may be sent at a time while that serves the receiver better."""
    breaker_after: int = 5
    """So many unclear answers with no success between them halt it."""


class Topic(msgspec.Struct, frozen=True):
    """A topic that is read. `start`: earliest, latest or an ISO 8601 time; `on_gap`: stop or earliest."""

    name: str
    partitions: int
    replication: int
    start: str
    on_gap: str
    dead_letters: str
    schema: str | None = None
    """`<schema>.avsc` is its records' schema."""
    subject: str = ""
    """Where that is registered, with which compatibility of its own (None: the registry's)."""
    compatibility: str | None = None
    configs: Mapping[str, str] = {}
    """What it is meant to have in the cluster, `retention` included; the rest is left as it is."""
    payload_field: str | None = None
    user: tuple[str, ...] = ()
    """The paths to who a record without a key is about: what its lane goes by."""


class Route(msgspec.Struct, frozen=True):
    """From a topic to an operation of a destination."""

    id: str
    topic: str
    destination: str
    operation: Operation
    ordered: bool
    types: tuple[str, ...]
    """The record types that it asks for; none: all."""
    window: str
    """Its `once` for people: `20m`, `ever` or nothing."""


class Matched(msgspec.Struct, frozen=True, gc=False):
    """To be sent: the item's JSON, its key (None: the route has none) and its claim on a window."""

    route: Route
    body: bytes
    key: bytes | None
    once: Once | None


class Dropped(msgspec.Struct, frozen=True):
    """Not to be sent, by the route's own `drop`."""

    route: Route
    reason: str


class Unmapped(msgspec.Struct, frozen=True):
    """The route can't make an item of this record. `field` is one of the item's; `reason` holds no values."""

    route: Route
    reason: str
    field: str


Routed = Matched | Dropped | Unmapped
"""A route's answer for one record."""

Datum = dict[str, Any]
"""A decoded record; a record inside a union is a pair (full name, record)."""

Router = Callable[[Datum, Record], list[Routed]]
"""The answers of all routes that a record matches; none: it is unrouted. Never raises for what it holds."""

UserOf = Callable[[Datum], bytes | None]
"""Who a record is about, where its key does not say."""


class PlainRoutes(Protocol):
    """The routes from a topic as values, for native code: see `consumer/topology/recipe.py`."""

    @property
    def type_at(self) -> tuple[str, ...] | None:
        """The path to the union whose branch is a record's type; None: the record itself is."""
        ...

    def by_type(self, names: Iterable[str]) -> Mapping[str | None, Sequence[Any]]:
        """Of each of these types, if all of its routes are plain, and of records that tell none."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A topology that passed every check. Loading another one gives another plan; this one never changes."""

    version: str
    """12 hex digits of a digest of what the files say."""
    topics: Mapping[str, Topic]
    destinations: Mapping[str, Destination]
    routes: tuple[Route, ...]
    routers: Mapping[str, Router]
    users: Mapping[str, UserOf]
    notes: tuple[str, ...] = ()
    """For whoever checks it: sound, but worth knowing."""
    plain_routes: Mapping[str, PlainRoutes] = field(default_factory=dict)
    """The routes from each topic again, for native code."""

    @property
    def longest_request_s(self) -> float:
        """What the slowest request may take: so long a reservation has to live."""
        return max((one.timeouts.total_s for one in self.destinations.values()), default=30.0)

    def router(self, topic: str) -> Router:
        """The compiled routes from a topic."""
        return self.routers[topic]

    def user(self, topic: str) -> UserOf:
        """The topic's compiled `user`."""
        return self.users[topic]
