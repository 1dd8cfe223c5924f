"""A TCP proxy between a client and a server of the tests, which does to connections what networks do."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from tests.faults.link import Link, Tap
from tests.faults.network import Clear, Fault, Towards
from tests.listener import Listener

R = TypeVar("R")
_ANSWER_S = 10.0


class FaultProxy:
    """Listens on loopback from `start` to `close`, on a thread of its own; its methods are for any other thread.

        with FaultProxy("127.0.0.1:8080") as proxy:      # clients are sent to proxy.address
            proxy.inflict(BlackHole(ANSWERS))            # requests arrive, answers are held
            proxy.clear()                                # the held answers arrive late

    A fault counts for the connections that are open and those to come, until another replaces it.
    """

    def __init__(self, target: str, *, port: int = 0, tap: Callable[[], Tap] | None = None) -> None:
        """`target`: host:port of the server. `port`: where to listen, where a server advertises it; 0: any.
        `tap` makes what looks into each new connection."""
        host, _, number = target.rpartition(":")
        self._target = (host, int(number))
        self._port = port
        self._tap = tap
        self._fault: Fault = Clear()
        self._links: dict[int, Link] = {}
        self._made = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._listener = Listener(self._accept)

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self._port}"

    @property
    def connections(self) -> list[int]:
        """The numbers of the open connections, in the order of their opening (the first ever is 1)."""
        return self._call(lambda: list(self._links))

    @property
    def made(self) -> int:
        """How many connections there ever were."""
        return self._made

    def passed_bytes(self, towards: Towards) -> int:
        """What passed that way on the connections that are open now."""
        return self._call(lambda: sum(link.passed_bytes[towards] for link in self._links.values()))

    def inflict(self, fault: Fault) -> None:
        """On every connection, the open ones and those to come."""

        def change() -> None:
            self._fault = fault
            for link in list(self._links.values()):
                link.inflict(fault)

        self._call(change)

    def inflict_on_new(self, fault: Fault) -> None:
        """On connections to come; what is open goes on as it is."""

        def change() -> None:
            self._fault = fault

        self._call(change)

    def inflict_on(self, number: int, fault: Fault) -> None:
        """On one open connection. Raises KeyError where it is closed."""
        self._call(lambda: self._links[number].inflict(fault))

    def clear(self) -> None:
        """Let everything pass again."""
        self.inflict(Clear())

    def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._thread.start()
        try:
            listening = self._listener.start(self._port)
            asyncio.run_coroutine_threadsafe(listening, self._loop).result(_ANSWER_S)
        except OSError:
            self._end_thread()
            raise
        self._port = self._listener.port

    def close(self) -> None:
        """Reset what is open and stop listening. Idempotent."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._listener.close(), self._loop).result(_ANSWER_S)
        self._end_thread()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._made += 1
        number = self._made
        link = self._links[number] = Link((reader, writer), self._fault, self._tap() if self._tap else None)
        try:
            await link.run(*self._target)
        except asyncio.CancelledError:
            link.end(reset=True)
        finally:
            del self._links[number]

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Callable[[], R]) -> R:
        """Run on the loop and wait for the answer."""
        answer: Future[R] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)

        with suppress(RuntimeError):  # the loop is closed: the answer never comes, and the time-out says so
            self._loop.call_soon_threadsafe(run)
        return answer.result(_ANSWER_S)
