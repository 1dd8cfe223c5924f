"""One worker's operating-system process: started, listened to, signalled, awaited."""

import asyncio
import contextlib
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from signal import Signals
from typing import Any

import msgspec

from consumer.workers.reports import Beat, Ended, Started, decode

_LOG = logging.getLogger("consumer.workers")
_LINE_BYTES = 16 * 1024 * 1024
"""The bound of a report: its books have a row a destination."""
_LAST_WORD_S = 2.0


class End(msgspec.Struct, frozen=True):
    """How a worker's process ended."""

    code: int
    """Its exit code, or minus the signal that ended it."""
    started: bool = True
    """Whether it had come so far that there could be something to drain."""
    findings: list[str] = []
    """Why, in its own words, if it had any."""
    books: dict[str, Any] | None = None
    """Its last, if it had any."""


class WorkerProcess:
    """A fresh interpreter. Made inside of the running loop that it will use; starts at once.

    What it is told goes in by its standard input, which stays open: when that ends, the parent is gone, however it
    went, and the worker drains. It has a process group of its own, so that Ctrl-C in a terminal comes from the
    parent alone, which decides what it means.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        told: bytes,
        on_report: Callable[[Started | Beat], None],
    ) -> None:
        """`told`: one line, less than what a pipe holds. Raises OSError where no process can be had."""
        self.started: Started | None = None
        """Where its admin port is, once it has said so."""
        self._last_word: Ended | None = None
        self._on_report = on_report
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), process_group=0
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already: its exit code says more
            self._process.stdin.write(told)
            self._process.stdin.flush()
        loop = asyncio.get_running_loop()
        self._code: asyncio.Future[int] = loop.create_future()
        self._listening = loop.create_task(self._listen())
        threading.Thread(target=self._reap, args=(loop,), name="reap-worker", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self._code.done()

    async def over(self, within_s: float) -> bool:
        """Whether it has ended by then; waits no longer."""
        await asyncio.wait([self._code], timeout=within_s)
        return not self.running

    def signal(self, number: Signals) -> None:
        """Send it a signal; nothing where it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def ended(self) -> End:
        """How it ended. May be awaited once only."""
        code = await asyncio.shield(self._code)
        # Its pipe may be held open by a child of its own: its end is no sign, and is not waited for.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD_S):
                await self._listening
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        word = self._last_word or Ended(code)
        return End(code, self.started is not None, word.findings, word.books)

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
            loop.call_soon_threadsafe(self._code.set_result, code)

    async def _listen(self) -> None:
        reader = asyncio.StreamReader(limit=_LINE_BYTES)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                self._hear(line)
                if self._last_word is not None:
                    return
        except ValueError:
            _LOG.error(f"a worker (process {self.pid}) said more than {_LINE_BYTES} bytes at once")
        finally:
            transport.close()

    def _hear(self, line: bytes) -> None:
        try:
            report = decode(line)
        except msgspec.MsgspecError as error:
            _LOG.error(f"a worker (process {self.pid}) said what is no report: {error}")
            return
        match report:
            case Started():
                self.started = report
                self._on_report(report)
            case Beat():
                self._on_report(report)
            case Ended():
                self._last_word = report
