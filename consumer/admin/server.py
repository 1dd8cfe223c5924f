"""The admin port over HTTP/1.1: small requests, one a connection, every wait bounded.

By hand on asyncio and h11 rather than on a web server: these have no bound on how slowly a request may come
in, and take the process's signal handlers.
"""

import asyncio
import contextlib
import os
from email.utils import formatdate
from typing import Protocol

import h11
import msgspec

from consumer.admin.answers import Reply
from consumer.errors import ConfigurationError
from consumer.listening import stop_listening

_READ_BYTES = 16 * 1024


class AdminPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a client of the admin port may take.

    `timeout_s` bounds a whole exchange, from connection to answer. `max_head_bytes` bounds a request's line
    and headers, `max_connections` what is open at once: for one more the oldest is closed, so that clients that say
    nothing cannot keep a probe out. `linger_s` bounds how long the rest of a refused request is read, so that its
    sender gets to see the refusal.
    """

    timeout_s: float = 10.0
    max_head_bytes: int = 8 * 1024
    max_connections: int = 64
    linger_s: float = 0.5


class Replies(Protocol):
    """What answers: `Answers`, or the parent of several workers."""

    async def to(self, method: str, target: str, accept: str) -> Reply:
        """The answer to a request. Never raises; bounds its own wait."""
        ...


class AdminServer:
    """Serves from `start` to `stop`, on the event loop that called `start`."""

    def __init__(self, answers: Replies, host: str, port: int, policy: AdminPolicy | None = None) -> None:
        """`port` 0 takes a free one."""
        self._answers = answers
        self._host = host
        self._port = port
        self._policy = policy or AdminPolicy()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], None] = {}
        """In the order in which they came."""

    async def start(self) -> tuple[str, int]:
        """Listen; gives the address that it is bound to. Raises ConfigurationError where it can't be had."""
        try:
            self._server = await asyncio.start_server(
                self._connected, self._host, self._port, limit=_READ_BYTES
            )
        except OSError as error:
            # The loop's own text repeats the address.
            number = error.errno or 0
            problem = os.strerror(number) if number > 0 else error.strerror or "not an address"
            where = f"{self._host}:{self._port}"
            raise ConfigurationError(
                [f"ADMIN_LISTEN: {where}: {problem}; choose another host:port"]
            ) from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Stop listening and end what is open. Idempotent."""
        if self._server is None:
            return
        await stop_listening(self._server)
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        await self._server.wait_closed()
        self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._policy.max_connections:
            oldest = next(iter(self._open))
            oldest.cancel()
            self._open.pop(oldest)
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._open[task] = None
        task.add_done_callback(lambda done: self._ended(done, writer))

    def _ended(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        # Here and not in the task: one that is cancelled before it has begun runs none of its lines.
        self._open.pop(task, None)
        writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away, hangs or drips is nobody's fault here.
        with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(self._policy.timeout_s):
                await self._exchange(reader, writer)
                await self._linger(reader, writer)
                writer.close()  # which still sends what the client has not read yet
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=self._policy.max_head_bytes)
        body_too = True
        try:
            request = await _read_request(connection, reader)
        except h11.RemoteProtocolError as error:
            reply = Reply(error.error_status_hint, "text/plain", b"not a request that is answered here\n")
        else:
            if request is None:
                return
            accept = b", ".join(value for name, value in request.headers if name == b"accept")
            method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
            body_too = method != "HEAD"
            reply = await self._answers.to(method, target, accept.decode("latin-1"))
        writer.write(_encode(connection, reply, body_too))
        await writer.drain()

    async def _linger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Closing with unread bytes resets the connection, and takes the answer away from a client that still
        # sends.
        if writer.can_write_eof():
            writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._policy.linger_s):
                while await reader.read(_READ_BYTES):
                    pass


async def _read_request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The head of a request; None where the client left. A body is not waited for: none is needed."""
    while True:
        match connection.next_event():
            case h11.Request() as request:
                return request
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(_READ_BYTES))
            case _:
                return None


def _encode(connection: h11.Connection, reply: Reply, body_too: bool) -> bytes:
    headers = [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", reply.content_type),
        ("Content-Length", str(len(reply.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
        *reply.headers,
    ]
    events = [h11.Response(status_code=reply.status, headers=headers), h11.EndOfMessage()]
    if body_too:
        events.insert(1, h11.Data(data=reply.body))
    return b"".join(connection.send(event) or b"" for event in events)
