"""A receiver on a socket whose capacity changes: it refuses what is too much by 429, at once, or lets it queue."""

import asyncio

from tests.listener import Listener

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"


class Receiver:
    """`capacity`: how many it works on at a time, each for `service_s`. The rest is refused, or waits for its turn."""

    def __init__(self, capacity: int, service_s: float, refuses: bool) -> None:
        self.capacity = capacity
        self._service_s = service_s
        self._refuses = refuses
        self._working = 0
        self._turn = asyncio.Condition()
        self._listener = Listener(self._connected)

    async def start(self) -> "Receiver":
        await self._listener.start()
        return self

    @property
    def url(self) -> str:
        return f"http://{self._listener.address}/"

    async def close(self) -> None:
        await self._listener.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                _, _, rest = head.partition(b"content-length:")
                await reader.readexactly(int(rest.split(b"\r\n")[0]))
                writer.write(await self._answer())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self) -> bytes:
        if self._refuses and self._working >= self.capacity:
            return _TOO_MANY
        async with self._turn:
            await self._turn.wait_for(lambda: self._working < self.capacity)
            self._working += 1
        await asyncio.sleep(self._service_s)
        self._working -= 1
        async with self._turn:
            self._turn.notify()
        return _OK
