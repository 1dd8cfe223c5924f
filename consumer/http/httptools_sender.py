"""The default sender: HTTP/1.1 on the event loop itself, read by llhttp (httptools).

An answer wakes the task that waits for it without another thread in between, which is most of what a small request
costs with any client that has threads of its own. See docs/performance.md for the figures.
"""

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from time import monotonic

from consumer.http.connecting import connect
from consumer.http.connection import Connection
from consumer.http.deadlines import Deadlines
from consumer.http.sender import LATE, Answer, Failure, FailureKind, SenderPolicy, require_sendable_headers
from consumer.http.target import Origin, Target, parse_target
from consumer.http.trust import tls_context
from consumer.http.turns import Turns

_MAX_TARGETS = 256  # there are a few a destination; ids in paths must not make this grow for ever
_LOSING_S = 1.0
_OURS = frozenset(("host", "content-length", "transfer-encoding", "connection"))
_CLOSED = Failure(FailureKind.CONNECT, "connecting: the sender was closed", sent=False)
_ENDED = Failure(FailureKind.CONNECT, "connecting: the receiver ended the connection", sent=False)


class HttptoolsSender:
    """A Sender of our own on asyncio's transports. Making one reads certificates; raises ConfigurationError for
    `ca_file`."""

    def __init__(self, policy: SenderPolicy) -> None:
        self._policy = policy
        self._closed = False
        self._turns = Turns(policy)
        self._tls = tls_context(policy.ca_file)
        self._defaults = lru_cache(_MAX_TARGETS)(partial(_defaults, policy.user_agent))
        self._targets: dict[str, Target] = {}
        self._connections: set[Connection] = set()
        self._idle: dict[Origin, list[Connection]] = {}
        self._all_lost = asyncio.Event()
        self._deadlines: Deadlines[Connection] | None = None

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = math.inf
    ) -> Answer | Failure:
        """See Sender.post."""
        if self._closed:
            raise RuntimeError("post() after close()")
        require_sendable_headers(headers)
        target = self._targets.get(url) or self._parse(url)
        given = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        ours = self._defaults(tuple(headers))
        head = f"{target.start}{ours}{given}content-length: {len(body)}\r\n\r\n".encode("ascii")
        left_s = self._policy.total_timeout_s if self._turns.take() else await self._turns.wait()
        if isinstance(left_s, Failure):
            return left_s
        try:
            until_s = asyncio.get_running_loop().time() + left_s
            connection = self._take_idle(target.origin) or await self._connect(target.origin, left_s)
            if isinstance(connection, Failure):
                return connection
            return await self._exchange(target, connection, head, body, until_s, begin_by_s)
        finally:
            self._turns.give_back()

    async def close(self) -> None:
        """See Sender.close."""
        self._closed = True
        if self._deadlines is not None:
            self._deadlines.close()
        for connection in list(self._connections):
            connection.fail(FailureKind.RESET, "the sender was closed")
        if self._connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOSING_S):
                    await self._all_lost.wait()

    def _parse(self, url: str) -> Target:
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()
        target = self._targets[url] = parse_target(url)
        return target

    # --- connections ---

    def _take_idle(self, origin: Origin) -> Connection | None:
        """The one that was used last: what is not needed ages, and ends."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin, left_s: float) -> Connection | Failure:
        if self._closed:
            return _CLOSED
        connection = await connect(origin, self._tls, self._make, min(self._policy.connect_timeout_s, left_s))
        if isinstance(connection, Failure):
            return connection
        if self._closed or not connection.usable:
            connection.abort()
            return _CLOSED if self._closed else _ENDED
        self._connections.add(connection)
        return connection

    def _make(self) -> Connection:
        return Connection(self._policy.max_body_bytes, self._lost)

    async def _exchange(
        self,
        target: Target,
        connection: Connection,
        head: bytes,
        body: bytes,
        until_s: float,
        begin_by_s: float,
    ) -> Answer | Failure:
        self._watch(connection, until_s)
        if monotonic() > begin_by_s:  # not the loop's time, which stands still until its next turn
            self._keep(target.origin, connection)
            return LATE
        try:
            result = await connection.exchange(head, body)
        except asyncio.CancelledError:
            connection.abort()
            raise
        if connection.usable:
            self._keep(target.origin, connection)
        return result

    def _keep(self, origin: Origin, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - connection.opened_s >= self._policy.max_connection_age_s:
            connection.close()
        else:
            self._idle.setdefault(origin, []).append(connection)
            self._watch(connection, now_s + self._policy.idle_timeout_s)

    def _watch(self, connection: Connection, until_s: float) -> None:
        if self._deadlines is None:
            self._deadlines = Deadlines(self._overdue)
        self._deadlines.set(connection, until_s)

    def _overdue(self, connection: Connection) -> None:
        """The answer did not come in time, or no request did."""
        if connection.usable:
            connection.close()
        else:
            connection.fail(FailureKind.TIMEOUT, "timed out")

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._closed and not self._connections:
            self._all_lost.set()
        if self._deadlines is not None:
            self._deadlines.clear(connection)
        for idle in self._idle.values():
            if connection in idle:
                idle.remove(connection)


def _defaults(user_agent: str, given: tuple[str, ...]) -> str:
    """The lines of those headers that are ours unless they are given. Raises ValueError for those that cannot be."""
    ours = {"accept": "*/*", "accept-encoding": "identity", "user-agent": user_agent}
    names = {name.lower() for name in given}
    if not names.isdisjoint(_OURS):
        raise ValueError(f"headers {', '.join(sorted(names & _OURS))}: these are the sender's to set")
    return "".join([f"{name}: {value}\r\n" for name, value in ours.items() if name not in names])
