"""A hostile server for tests that wait: it runs in a thread of its own."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

from tests.contract.senders.receiver import Behaviour, Receiver, Seen, Wire
from tests.hostile.wire_format import yes_to


async def honest(wire: Wire, seen: Seen) -> None:
    """Acknowledge, as the request's API does."""
    await wire.write(yes_to(seen.target))


class HostileEndpoint:
    """On a free loopback port, from its construction to `close`. Plays the same to each request until told
    otherwise.
    """

    def __init__(self, behave: Behaviour = honest) -> None:
        self._behave = behave
        self._receiver = Receiver(self._play)
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="hostile-endpoint")
        self._thread.start()
        self._up.wait(10.0)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._receiver.port}"

    @property
    def seen(self) -> list[Seen]:
        """All requests so far that were read to their end."""
        return list(self._receiver.seen)

    def play(self, behave: Behaviour) -> None:
        """Do this from the next request on."""
        self._behave = behave

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10.0)

    async def _play(self, wire: Wire, seen: Seen) -> None:
        with contextlib.suppress(RuntimeError):  # uvloop's and asyncio's word for a connection that has gone
            await self._behave(wire, seen)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        await self._receiver.start()
        self._up.set()
        await self._stop.wait()
        await self._receiver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
