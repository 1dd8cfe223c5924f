"""How far all workers are: a line now and then, and their counters, in case that one is killed."""

import asyncio
from collections.abc import Sequence

from consumer.clock import Clock
from consumer.pipeline.watch import View, Watch
from consumer.workers.looks import Looks
from consumer.workers.slot import Slot, of_all

EVERY_S = 1.0
METRICS_EVERY = 15
"""A look at the metrics takes a worker milliseconds, and some dozens with a thousand partitions."""


class Progress:
    """Changes nothing but what the slots know."""

    def __init__(self, slots: Sequence[Slot], looks: Looks, group: str, clock: Clock) -> None:
        self._slots = slots
        self._looks = looks
        self._watch = Watch(group, clock)

    async def run(self) -> None:
        """Until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(EVERY_S)
            turn += 1
            if turn % METRICS_EVERY == 0:
                await self._looks.at("/metrics")
            self._watch.look(self._view())

    def _view(self) -> View:
        """What holds up the flow, and who has which partitions, is told by the worker that it concerns."""
        books = of_all(self._slots)
        lags = [slot.lag for slot in self._slots if slot.lag is not None]
        return View(
            joined=False,
            partitions=frozenset(),
            troubles={},
            consumed=books.consumed,
            settled=books.settled,
            in_flight=books.in_flight,
            lag=sum(lags) if lags else None,
        )
