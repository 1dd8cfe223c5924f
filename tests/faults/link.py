"""One connection through a `FaultProxy`: two streams, and what is done to them."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Protocol

from tests.faults.network import (
    BlackHole,
    Clear,
    Cut,
    Delay,
    Fault,
    HalfOpen,
    Reset,
    Throttle,
    Towards,
    Truncate,
)

_PIECE_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_THROTTLE_TURN_S = 0.05

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Tap(Protocol):
    """Sees, and may change, what passes on one connection: for faults of the protocol above TCP."""

    def passing(self, data: bytes, towards: Towards) -> bytes:
        """What goes on instead of `data` (perhaps nothing yet: the tap keeps what it needs to see whole)."""
        ...


class _Untouched:
    def passing(self, data: bytes, _towards: Towards) -> bytes:
        return data


class Link:
    """Lives on the proxy's event loop; `inflict` of the proxy is what tests call."""

    def __init__(self, client: Streams, fault: Fault, tap: Tap | None) -> None:
        self._client = client
        self._server: Streams | None = None
        self._tap: Tap = tap or _Untouched()
        self._fault: Fault = Clear()
        self._changed = asyncio.Event()
        self._left_bytes = 0
        self._ended = False
        self.passed_bytes = dict.fromkeys(Towards, 0)
        self.inflict(fault)

    def inflict(self, fault: Fault) -> None:
        """From the next byte on; a dead connection stays dead."""
        if self._dead:
            return
        self._fault = fault
        match fault:
            case Cut():
                self.end(reset=True)
            case HalfOpen():
                self._close_server()
            case Reset(after_bytes=count) | Truncate(after_bytes=count):
                self._left_bytes = count
            case _:
                pass
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def run(self, host: str, port: int) -> None:
        """Pass bytes both ways until an end closes. Where nothing listens, the client is reset."""
        if self._ended:
            return
        if self._dead:
            await self._swallow()
            return
        try:
            server = await asyncio.open_connection(host, port)
        except OSError:
            self.end(reset=True)
            return
        if self._ended or self._dead:  # meanwhile
            server[1].transport.abort()
            await self._swallow()
            return
        self._server = server
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(self._pump(self._client[0], self._server[1], Towards.SERVER))
            pumps.create_task(self._pump(self._server[0], self._client[1], Towards.CLIENT))
        self.end()

    def end(self, *, reset: bool = False) -> None:
        """Close both ends now: in order, or by a reset. Idempotent."""
        if self._ended:
            return
        self._ended = True
        self._changed.set()
        for _, writer in filter(None, (self._client, self._server)):
            if reset:
                end = writer.get_extra_info("socket")
                with suppress(OSError):  # the other side was quicker
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                writer.transport.abort()
            else:
                writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, towards: Towards
    ) -> None:
        try:
            while piece := await self._read(reader):
                await self._pass(self._tap.passing(piece, towards), writer, towards)
            await self._hold(towards)  # a black hole swallows the close as well
            if not self._ended and not self._dead:
                writer.write_eof()
        except OSError:
            if not self._dead:
                self.end(reset=True)
        if self._dead and towards is Towards.SERVER:
            await self._swallow()

    @property
    def _dead(self) -> bool:
        return isinstance(self._fault, HalfOpen)

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        return b"" if self._ended else await reader.read(_PIECE_BYTES)

    async def _pass(self, piece: bytes, writer: asyncio.StreamWriter, towards: Towards) -> None:
        while piece and not self._ended:
            await self._hold(towards)
            match self._fault:
                case HalfOpen():
                    return
                case Delay(seconds, ways) if towards in ways:
                    await asyncio.sleep(seconds)
                    allowed = len(piece)
                case Throttle(rate, ways) if towards in ways:
                    allowed = max(1, int(rate * _THROTTLE_TURN_S))
                    await asyncio.sleep(allowed / rate)
                case (Reset() | Truncate()) as fault if fault.towards is towards:
                    allowed = self._left_bytes
                    self._left_bytes -= min(allowed, len(piece))
                case _:
                    allowed = len(piece)
            await self._write(piece[:allowed], writer, towards)
            piece = piece[allowed:]
            if isinstance(self._fault, Reset | Truncate) and piece:
                self.end(reset=isinstance(self._fault, Reset))

    async def _write(self, piece: bytes, writer: asyncio.StreamWriter, towards: Towards) -> None:
        if piece and not self._ended:
            self.passed_bytes[towards] += len(piece)
            writer.write(piece)
            await writer.drain()

    async def _hold(self, towards: Towards) -> None:
        """While a black hole is there."""
        while isinstance(self._fault, BlackHole) and towards in self._fault.ways and not self._ended:
            await self._changed.wait()

    async def _swallow(self) -> None:
        """What the client sends to nobody, until it gives up."""
        with suppress(OSError):
            while await self._client[0].read(_PIECE_BYTES):
                pass
        self.end()

    def _close_server(self) -> None:
        if self._server is not None:
            self._server[1].transport.abort()
