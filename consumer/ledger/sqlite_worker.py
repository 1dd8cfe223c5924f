"""The one thread that touches the ledger file, and the queue whose waiting operations share a transaction."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from consumer.errors import LedgerUnavailable
from consumer.ledger.sqlite_store import Operation, SqliteStore

_MOST_ROWS = 8192
"""Above this a transaction takes no further operation: other processes wait for its end."""


class _Call(msgspec.Struct, frozen=True):
    operation: Operation
    answer: asyncio.Future[Any]


class GroupCommit:
    """Takes operations from one event loop and answers them from one thread, a transaction's worth at a time.

    While one transaction is written, the operations of the next one gather. An idle ledger begins at once.
    """

    def __init__(self, store: SqliteStore, idle_s: float) -> None:
        """`idle_s`: how often the store gets its tick."""
        self._store = store
        self._idle_s = idle_s
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Start the thread and open the store in it. Raises what opening raises."""
        if self._loop is not None:
            return
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._loop, self._ended = loop, loop.create_future()
        # A daemon, so that a process that fails without closing can end.
        futures = opened, self._ended
        threading.Thread(target=self._work, args=(loop, *futures), name="ledger", daemon=True).start()
        try:
            await opened
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Answer what waits, close the store and end the thread. Idempotent."""
        ended, self._ended = self._ended, None
        if ended is not None:
            self._waiting.put(None)
            await ended
            self._loop = None

    async def call(self, operation: Operation) -> Any:
        """Run one operation and give its result, or raise its exception.

        A caller that is cancelled leaves its operation behind: it is still done.
        """
        if self._loop is None or self._ended is None:
            raise LedgerUnavailable("the ledger is closed: open it first")
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.put(_Call(operation, answer))
        return await answer

    def _work(
        self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None], ended: asyncio.Future[None]
    ) -> None:
        try:
            self._store.open()
        except Exception as error:
            _post(loop, _answer, [opened], [error])
        else:
            _post(loop, _answer, [opened], [None])
        more, ticked_s = True, time.monotonic()
        while more:
            calls, more = self._gather()
            if calls:
                results = self._store.run([call.operation for call in calls])
                _post(loop, _answer, [call.answer for call in calls], results)
            if time.monotonic() - ticked_s >= self._idle_s:
                ticked_s = time.monotonic()
                # A tick that fails is no news: the next call meets the same store, and tells.
                with suppress(Exception):
                    self._store.tick()
        self._store.close()
        _post(loop, _answer, [ended], [None])

    def _gather(self) -> tuple[list[_Call], bool]:
        """What waits, at least one call unless the time is up; and whether more may come."""
        calls: list[_Call] = []
        rows = 0
        try:
            call = self._waiting.get(timeout=self._idle_s)
            while call is not None:
                calls.append(call)
                rows += call.operation.weight
                if rows >= _MOST_ROWS:
                    return calls, True
                call = self._waiting.get_nowait()
        except Empty:
            return calls, True
        return calls, False


def _post(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    # The loop may be closed already: then nobody waits for the answer.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *arguments)


def _answer(futures: Sequence[asyncio.Future[Any]], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
