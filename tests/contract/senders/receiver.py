"""A receiver that speaks HTTP/1.1 by hand, so that it can misbehave in any way a test wants, and counts."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import Self

from tests.listener import Listener


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that was read to its end."""

    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Wire:
    """The receiver's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_request(self) -> Seen | None:
        """The next request, or None where the sender closed instead."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        request_line, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Seen(request_line.split(" ")[1], headers, body)

    async def write(self, data: bytes) -> None:
        try:
            self.writer.write(data)
            await self.writer.drain()
        except RuntimeError as gone:  # uvloop's word for a connection that has gone
            if self.is_closing:
                raise ConnectionResetError from gone
            raise

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    @property
    def is_closing(self) -> bool:
        return self.writer.is_closing()


Behaviour = Callable[[Wire, Seen], Awaitable[None]]
Greeting = Callable[[Wire], Awaitable[None]]


def response(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """A response's bytes; `length` overrides the true Content-Length."""
    announced = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {announced}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def answering(data: bytes, *, then_close: bool = False) -> Behaviour:
    """Write these bytes after each request."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(data)
        if then_close:
            wire.writer.close()

    return behave


@dataclass(slots=True)
class Receiver:
    """A server on a free loopback port. `behaviour` runs after each request, `greeting` before the first."""

    behaviour: Behaviour
    greeting: Greeting | None = None
    tls: ssl.SSLContext | None = None
    at_port: int = 0
    """0: any that is free."""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    faults: list[BaseException] = field(default_factory=list)
    _listener: Listener | None = None

    async def start(self) -> Self:
        self._listener = Listener(self._serve)
        # Without it a connection takes half a minute to close under a client that does not say goodbye.
        shutdown_s = None if self.tls is None else 0.1
        await self._listener.start(self.at_port, backlog=512, ssl=self.tls, ssl_shutdown_timeout=shutdown_s)
        self.at_port = self._listener.port
        return self

    async def stop_listening(self) -> None:
        """Take no new connection; the ones that are there are served on."""
        assert self._listener is not None
        await self._listener.stop_listening()

    async def close(self) -> None:
        if self._listener is not None:
            await self._listener.close()
        assert self.faults == [], "the receiver of this test is itself broken"

    @property
    def port(self) -> int:
        return self.at_port

    def url(self, path: str = "/v1/events", host: str = "127.0.0.1") -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.seen]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is true of this receiver."""
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - what a test waits for is any of the counts, no one event
                await asyncio.sleep(0.002)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        self.connections += 1
        self.open_connections += 1
        try:
            await self._converse(wire)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender went away, as it may
        except Exception as fault:
            self.faults.append(fault)
        finally:
            self.open_connections -= 1
            wire.writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await wire.writer.wait_closed()

    async def _converse(self, wire: Wire) -> None:
        if self.greeting is not None:
            await self.greeting(wire)
        while not wire.is_closing and (request := await wire.read_request()) is not None:
            self.seen.append(request)
            await self.behaviour(wire, request)
