"""A server of the tests that leaves nothing open when it is closed.

asyncio's own (Python 3.11) forgets two kinds of connections, which are then told as leaks in whatever test runs when
they are collected: one that is being accepted when the server is closed, and one whose task is cancelled before it has
begun.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_TURNS = 5
"""Of the event loop, from a connection's being accepted to its being served, and from its abort to its close."""


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

    async def stop_listening(self) -> None:
        """Take no new connection; those that are there, or are being accepted, are served on. Idempotent."""
        if self._server is None:
            return
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await _turns()
        self._server.close()
        self._server = None

    async def close(self) -> None:
        """Stop listening, cancel what serves, reset what is open. Idempotent."""
        await self.stop_listening()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            transport.abort()
        self._transports.clear()
        await _turns()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.append(writer.transport)
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
