"""Looks at the workers: one question to all of them at a time, however many ask for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from consumer.admin.client import Answer, ask
from consumer.clock import Clock
from consumer.workers.slot import Slot

Ask = Callable[[str, int, str], Awaitable[Answer]]
"""Host, port, path. Raises OSError; bounds its own wait."""

FRESH_S = 0.2
OVER_S = 1.0
"""How long after its port has refused to talk a process's end is waited for."""
_LOG = logging.getLogger("consumer.workers")


class Looks:
    """Keeps what each worker says in its slot."""

    def __init__(self, slots: Sequence[Slot], clock: Clock, ask: Ask = ask) -> None:
        self._slots = slots
        self._clock = clock
        self._ask = ask
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._at_s: dict[str, float] = {}

    async def at(self, path: str) -> None:
        """See that each slot has an answer to this that is not older than FRESH_S, or none. Never raises.

        Clients share what is under way: so many of them ask the workers no more often than one does.
        """
        task = self._under_way.get(path)
        if task is None:
            if self._clock.monotonic_s() - self._at_s.get(path, float("-inf")) < FRESH_S:
                return
            task = self._under_way[path] = asyncio.create_task(self._all(path))
            task.add_done_callback(lambda _: self._under_way.pop(path))
        # Who asked may be gone before the answer is there: that is not the others' business.
        await asyncio.shield(task)

    async def _all(self, path: str) -> None:
        await asyncio.gather(*(self._one(slot, path) for slot in self._slots))
        self._at_s[path] = self._clock.monotonic_s()

    async def _one(self, slot: Slot, path: str) -> None:
        address, process = slot.address, slot.process
        if address is None or process is None:
            return
        answer: Answer | None = None
        try:
            answer = await self._ask(*address, path)
        except OSError as error:
            _LOG.debug(f"worker {slot.number}: {path}: {error}")
            if not isinstance(error, TimeoutError):
                # A process that is killed closes its port a moment before its end is known: it is no deaf worker.
                await process.over(OVER_S)
        try:
            slot.hear(process, path, answer)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            _LOG.warning(f"worker {slot.number}: {path}: the answer makes no sense: {error!r}")
