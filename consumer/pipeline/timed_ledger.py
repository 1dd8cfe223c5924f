"""How long the pipeline waits for its ledger, by operation: the first thing to look at when it is slow."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import TypeVar

from consumer.ledger.ledger import Held, Intent, KeyState, Ledger, Reservation
from consumer.telemetry.histogram import Observe
from consumer.telemetry.metrics import Metrics
from consumer.types import Assigned, Origin, TopicPartition

R = TypeVar("R")


class TimedLedger:
    """A `Ledger` that observes another one's calls; a call that fails counts with the time until it failed."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        self._ledger = ledger
        names = (
            "assign",
            "starts",
            "reserve",
            "confirm",
            "release",
            "bury",
            "states",
            "mapped_by",
            "advance",
            "venture",
        )
        self._observe: Mapping[str, Observe] = {name: metrics.ledger_wait(name) for name in names}
        self._under_way: dict[object, float] = {}

    def oldest_call_s(self) -> float | None:
        """When the call began that has waited longest; None where none waits. For any thread."""
        return next(iter(list(self._under_way.values())), None)

    @property
    def advice(self) -> Sequence[str]:
        return self._ledger.advice

    def watch(self, on_loss: Callable[[str], None]) -> None:
        self._ledger.watch(on_loss)

    async def open(self) -> None:
        await self._ledger.open()

    async def close(self) -> None:
        await self._ledger.close()

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        return await self._timed("assign", self._ledger.assign(partitions))

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return await self._timed("starts", self._ledger.starts(topic, chosen))

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        return await self._timed("reserve", self._ledger.reserve(intents))

    async def confirm(self, intents: Sequence[Intent]) -> None:
        await self._timed("confirm", self._ledger.confirm(intents))

    async def release(self, held: Sequence[Held]) -> None:
        await self._timed("release", self._ledger.release(held))

    async def bury(self, held: Sequence[Held]) -> None:
        await self._timed("bury", self._ledger.bury(held))

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        return await self._timed("states", self._ledger.states(intents))

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        return await self._timed("mapped_by", self._ledger.mapped_by(intents))

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._timed("advance", self._ledger.advance(positions))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        await self._timed("venture", self._ledger.venture(horizons))

    async def _timed(self, operation: str, call: Awaitable[R]) -> R:
        started_s = perf_counter()
        call_id = object()
        self._under_way[call_id] = started_s
        try:
            return await call
        finally:
            del self._under_way[call_id]
            self._observe[operation](perf_counter() - started_s)
