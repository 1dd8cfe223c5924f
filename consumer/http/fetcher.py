"""What operations know of HTTP: ask for something that a receiver has, and get an answer or a failure back.

Apart from `Sender`, which delivers: asking changes nothing, so whoever asks may ask again.
"""

from collections.abc import Mapping
from typing import Protocol

from consumer.http.sender import Answer, Failure


class Fetcher(Protocol):
    """A pool of connections, made, used and closed in one event loop. HttpxSender is one."""

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer | Failure:
        """Ask exactly once, and wait for the answer, at most the policy's `total_timeout_s`.

        Follows no redirect, and never raises for what the network or the receiver does. Raises ValueError for
        a URL or a header that cannot be sent (without naming its value), RuntimeError after close().
        """
        ...

    async def close(self) -> None:
        """Close all connections. Closing again does nothing."""
        ...
