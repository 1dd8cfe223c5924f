"""A real ledger beside a loop whose time is played: its threads and sockets run in a loop of their own, and each call
of it takes no time at all."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from consumer.clock import Clock
from consumer.core.claims import KeyState
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Held, Intent, Ledger, Reservation
from consumer.types import Assigned, Origin, TopicPartition
from tests.unit.pipeline.virtual_time import NOON_S, START_S, VirtualLoop

R = TypeVar("R")
LONGEST_S = 60.0


class PlayedClock(Clock):
    """The time of the played loop, for whoever asks from another thread."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic_s(self) -> float:
        return self._loop.now_s

    def wall_s(self) -> float:
        return NOON_S + self._loop.now_s - START_S


class Aside:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ledgers", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Blocks until it is done."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(LONGEST_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class LedgerBeside:
    """A `Ledger` for the played loop. The heart beats in its time."""

    def __init__(self, ledger: Ledger, aside: Aside, lease_s: float) -> None:
        self._ledger = ledger
        self._call = aside.call
        self._lease_s = lease_s
        self._pulse: asyncio.Task[None] | None = None

    @property
    def advice(self) -> Sequence[str]:
        return self._ledger.advice

    def watch(self, on_loss: Callable[[str], None]) -> None:
        self._ledger.watch(on_loss)

    async def open(self) -> None:
        self._call(self._ledger.open())
        self._pulse = asyncio.create_task(self._beat())

    async def close(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.gather(self._pulse, return_exceptions=True)
            self._pulse = None
            self._call(self._ledger.close())

    async def _beat(self) -> None:
        """Any call that writes is a heartbeat, where one is due."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with suppress(LedgerUnavailable):
                self._call(self._ledger.advance({}))

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        return self._call(self._ledger.assign(partitions))

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return self._call(self._ledger.starts(topic, chosen))

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        return self._call(self._ledger.reserve(intents))

    async def confirm(self, intents: Sequence[Intent]) -> None:
        self._call(self._ledger.confirm(intents))

    async def release(self, held: Sequence[Held]) -> None:
        self._call(self._ledger.release(held))

    async def bury(self, held: Sequence[Held]) -> None:
        self._call(self._ledger.bury(held))

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        return self._call(self._ledger.states(intents))

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        return self._call(self._ledger.mapped_by(intents))

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        self._call(self._ledger.advance(positions))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        self._call(self._ledger.venture(horizons))
