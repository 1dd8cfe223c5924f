"""Where a request goes: the host to connect to, and the first lines of its head."""

from urllib.parse import urlsplit

import msgspec

from consumer.http.urls import require_sendable_url

_PORTS = {"http": 80, "https": 443}


class Origin(msgspec.Struct, frozen=True):
    """Whom a connection is with."""

    host: str
    port: int
    is_https: bool


class Target(msgspec.Struct, frozen=True):
    """One URL, taken apart. `start` is the request line and the Host header of a POST to it."""

    origin: Origin
    start: str


def parse_target(url: str) -> Target:
    """Raises ValueError, which does not quote it, for what no request can be sent to."""
    require_sendable_url(url)
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    port = parts.port or _PORTS[scheme]
    name = f"[{host}]" if ":" in host else host
    where = name if port == _PORTS[scheme] else f"{name}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    start = f"POST {path} HTTP/1.1\r\nhost: {where}\r\n"
    return Target(Origin(host, port, scheme == "https"), start)
