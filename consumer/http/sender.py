"""What the pipeline knows of HTTP: POST some bytes, get an answer or a failure back.

Redirects, proxies, cookies, credentials from files, retries: a sender does none of them. Each would either
hand a key to a third party or make one delivery into two, and both are decided elsewhere.
"""

import math
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

import msgspec

from consumer import __version__

# What an answer keeps of its headers. Building a mapping of all of them would cost more than all the rest.
KEPT_HEADERS = ("content-type", "retry-after")


class FailureKind(Enum):
    """Why there is no answer. The values are stable: they are metric labels."""

    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"  # the connection ended before the answer was complete
    PROTOCOL = "protocol"  # what came is not HTTP, or not as it was announced
    BODY_TOO_LARGE = "body_too_large"
    LATE = "late"  # what it was to begin by had passed: nothing was sent


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A complete HTTP answer, of any status, redirects included; what it means is the endpoint's to say.

    `headers` holds those of KEPT_HEADERS that were there, by lower-case name. `body` is whole and decoded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(msgspec.Struct, frozen=True, gc=False):
    """No usable answer.

    `reason` is for people: it holds no URL, header or body. `sent` is False only where it is certain that no
    byte of the request has left; otherwise the receiver may have taken it, now or later.
    """

    kind: FailureKind
    reason: str
    sent: bool


LATE = Failure(FailureKind.LATE, "it was to begin earlier", sent=False)


class SenderPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender may take: seconds, connections and bytes.

    `connect_timeout_s` bounds name resolution, TCP and TLS together, and before them the wait for a turn.
    `total_timeout_s` bounds a whole post(), all of that included. `max_connections` is how many posts are
    under way at once; more wait their turn. `max_body_bytes` bounds an answer's body, decoded. `ca_file`
    names PEM certificates that are trusted beside the system's.

    `idle_timeout_s` closes idle connections before common receivers do (the shortest default in the field is
    five seconds): a request that meets a closing connection ends without a clear answer, and costs a possible
    duplicate.

    `max_connection_age_s` bounds how long a busy connection is kept: a name is looked up only when one is opened,
    so without it a steady stream would stay with an address that the name has left, for as long as that answers.

    Raises ValueError for a value that makes no sense.
    """

    connect_timeout_s: float = 5.0
    total_timeout_s: float = 30.0
    idle_timeout_s: float = 4.0
    max_connection_age_s: float = 60.0
    max_connections: int = 64
    max_body_bytes: int = 64 * 1024
    user_agent: str = f"distinct-consumer/{__version__}"
    ca_file: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.connect_timeout_s <= self.total_timeout_s:
            raise ValueError("connect_timeout_s must be above 0 and at most total_timeout_s")
        if self.idle_timeout_s <= 0 or self.max_connection_age_s <= 0:
            raise ValueError("idle_timeout_s and max_connection_age_s must be above 0")
        if self.max_connections < 1 or self.max_body_bytes < 1:
            raise ValueError("max_connections and max_body_bytes must be above 0")
        require_sendable_headers({"user-agent": self.user_agent})


class Sender(Protocol):
    """A pool of HTTP/1.1 connections. Made, used and closed in one event loop, and never before a fork.

    What a receiver sends beyond its answer ends the connection, if it comes before the next request is
    written to it. A surplus answer that comes later is taken for that request's own: HTTP/1.1 has nothing to
    tell them apart by.
    """

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = math.inf
    ) -> Answer | Failure:
        """Send one request exactly once, and wait for its answer, at most `total_timeout_s`.

        After `begin_by_s`, of `time.monotonic`, it sends nothing and fails as LATE. That is looked at immediately
        before the first byte: a process may be stopped at any line, and others go on without it.

        Never raises for what the network or the receiver does. Raises ValueError for a URL or a header that
        cannot be sent (without naming its value), RuntimeError after close(). Cancelling it stops the waiting
        only: unless it was still waiting for a connection, the receiver may have the request, or get it yet.
        """
        ...

    async def close(self) -> None:
        """Close all connections. Posts under way end with a failure: one that still connects, when that is over.
        Closing again does nothing."""
        ...


def require_sendable_headers(headers: Mapping[str, str]) -> None:
    """Raise ValueError, naming the header but not its value, if one could not be sent as it is.

    A value with a line break would start a header of its own (or a request), and the two clients differ on
    what else they let through: so both send printable ASCII only.
    """
    text, names = "".join(headers.values()) + "".join(headers), "".join(headers).replace("-", "")
    if text.isascii() and text.isprintable() and names.isalnum() and "" not in headers:
        return  # All of them at once: this stands before every request.
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"header {name!r}: its value must be printable ASCII")
        if not (name.isascii() and name.replace("-", "").isalnum()):
            raise ValueError(f"header {name!r}: its name must be letters, digits and hyphens")
