"""What was acknowledged, told to the ledger in as few calls as there can be without waiting for company."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch


class Confirmations:
    """Gathers what comes while the call before is under way: the next call takes all of it, and all of it ends at once.

    With one object a request, a call for each, or only a task that waits for each, would cost as much as the
    request itself.
    """

    def __init__(
        self,
        confirm: Callable[[Sequence[Intent]], Awaitable[None]],
        done: Callable[[list[Batch]], None],
        given_up: Callable[[list[Batch]], None],
        background: Background,
    ) -> None:
        """`confirm` does it, and is not called again before it has returned; `done` hears of what it took, and
        `given_up` of what will not be confirmed because everything ends.
        """
        self._confirm = confirm
        self._done = done
        self._given_up = given_up
        self._background = background
        self._waiting: list[Batch] = []
        self._under_way: list[Batch] = []
        self._writing = False

    def add(self, batch: Batch) -> None:
        """Confirm its members; does not wait."""
        self._waiting.append(batch)
        if not self._writing:
            self._writing = True
            self._background.spawn(self._write()).add_done_callback(self._ended)

    async def _write(self) -> None:
        while self._waiting:
            self._under_way, self._waiting = self._waiting, []
            await self._confirm([one.intent for batch in self._under_way for one in batch.members])
            self._done(self._under_way)
            self._under_way = []

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._writing = False
        if task.cancelled():  # also one that never began, which no `except` of its own would tell
            batches = [*self._under_way, *self._waiting]
            self._under_way, self._waiting = [], []
            self._given_up(batches)
        elif self._waiting and task.exception() is None:
            self.add(self._waiting.pop())
