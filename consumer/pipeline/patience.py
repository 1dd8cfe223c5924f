"""The ledger calls that must not be given up: repeated until the ledger has taken them."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from consumer.core.retries import Backoff, Random
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Held, Intent, KeyState, Ledger
from consumer.types import Origin, TopicPartition

R = TypeVar("R")


class PatientLedger:
    """Repeats idempotent calls while the ledger cannot answer; meanwhile what they stand for stays unsettled."""

    def __init__(
        self,
        ledger: Ledger,
        backoff: Backoff,
        random: Random,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._backoff = backoff
        self._random = random
        self._on_trouble = on_trouble
        self.trouble: str | None = None
        """The last failure, until a call succeeds."""
        self._releasing = 0
        self._released = asyncio.Event()

    async def confirm(self, intents: Sequence[Intent]) -> None:
        """See `Ledger.confirm`."""
        await self._insist(lambda: self._ledger.confirm(intents))

    def release(self, held: Sequence[Held]) -> Coroutine[Any, Any, None]:
        """See `Ledger.release`. Under way from the call on, not only once it is awaited: see `all_released`."""
        self._releasing += 1
        return self._release(held)

    async def all_released(self) -> None:
        """Wait until the ledger has taken every release that is under way."""
        while self._releasing:
            self._released.clear()
            await self._released.wait()

    async def bury(self, held: Sequence[Held]) -> None:
        """See `Ledger.bury`."""
        await self._insist(lambda: self._ledger.bury(held))

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        """See `Ledger.states`."""
        return await self._insist(lambda: self._ledger.states(intents))

    async def advance(self, positions: dict[TopicPartition, int]) -> None:
        """See `Ledger.advance`."""
        await self._insist(lambda: self._ledger.advance(positions))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """See `Ledger.venture`."""
        await self._insist(lambda: self._ledger.venture(horizons))

    async def _release(self, held: Sequence[Held]) -> None:
        try:
            await self._insist(lambda: self._ledger.release(held))
        finally:
            self._releasing -= 1
            self._released.set()

    async def _insist(self, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
        attempt = 0
        while True:
            try:
                answer = await call()
            except LedgerUnavailable as error:
                attempt += 1
                self.trouble = str(error)
                self._on_trouble(str(error))
                await asyncio.sleep(max(0.05, self._backoff.delay_s(attempt, self._random)))
            else:
                self.trouble = None
                return answer
