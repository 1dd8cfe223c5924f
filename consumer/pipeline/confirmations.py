"""What was acknowledged, told to the ledger in as few calls as there can be without waiting for company."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background


class Confirmations:
    """Gathers what comes while the call before is under way: the next call takes all of it.

    With one object a request, a call for each would cost as much as the request itself.
    """

    def __init__(
        self, confirm: Callable[[Sequence[Intent]], Awaitable[None]], background: Background
    ) -> None:
        """`confirm` does it; it is not called again before it has returned."""
        self._confirm = confirm
        self._background = background
        self._intents: list[Intent] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._writing = False

    async def add(self, intents: Sequence[Intent]) -> None:
        """Returns when these are confirmed; raises what the call that took them raised.

        A caller that is cancelled leaves them behind: they are confirmed all the same, as they were acknowledged.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._intents += intents
        self._waiting.append(done)
        if not self._writing:
            self._writing = True
            self._background.spawn(self._write())
        await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                intents, self._intents = self._intents, []
                waiting, self._waiting = self._waiting, []
                try:
                    await self._confirm(intents)
                except Exception as error:
                    _end(waiting, error)
                else:
                    _end(waiting, None)
        finally:
            self._writing = False


def _end(waiting: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
