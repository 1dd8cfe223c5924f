"""A server of the tests that leaves nothing open when it is closed: a leak would be told in whatever test runs when it
is collected."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

from consumer.listening import stop_listening

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """On loopback, from `start` to `close`. `serve` runs for each connection, and closes it."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        self._transports: list[asyncio.WriteTransport] = []
        self._address = ("", 0)

    async def start(self, port: int = 0, **options: Any) -> Self:
        """`port` 0: any that is free. `options` are those of `asyncio.start_server`. Raises OSError where the port is
        taken."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, **options)
        self._address = self._server.sockets[0].getsockname()[:2]
        return self

    @property
    def port(self) -> int:
        """Known once it has started."""
        return self._address[1]

    @property
    def address(self) -> str:
        """host:port"""
        return f"{self._address[0]}:{self._address[1]}"

    @property
    def open_connections(self) -> int:
        """How many are served."""
        return len(self._tasks)

    async def stop_listening(self) -> None:
        """Take no new connection; those that are there, or are being accepted, are served on. Idempotent."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await stop_listening(server)

    async def close(self) -> None:
        """Stop listening, cancel what serves, reset what is open. Idempotent."""
        await self.stop_listening()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Not left to the tasks: one that had not begun runs none of its lines.
        for transport in self._transports:
            transport.abort()
        self._transports.clear()
        await asyncio.sleep(0)  # what was aborted closes its socket in the loop's next turn

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.append(writer.transport)
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
