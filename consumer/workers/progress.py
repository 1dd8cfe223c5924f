"""Looks at the workers by itself, now and then: for the sums, and for the line that says how far they are."""

import asyncio
from collections.abc import Sequence

from consumer.clock import Clock
from consumer.pipeline.watch import View, Watch
from consumer.workers.looks import Looks
from consumer.workers.slot import Slot, of_all

EVERY_S = 1.0
"""What a worker that is killed has done since the last look is missing in the books."""
METRICS_EVERY = 5
"""A look at the metrics takes a worker some milliseconds."""


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
            await self._looks.at("/status")
            if not all(slot.was_ready for slot in self._slots):
                await self._looks.at("/ready")
            if turn % METRICS_EVERY == 0:
                await self._looks.at("/metrics")
            self._watch.look(self._view())

    def _view(self) -> View:
        """What holds up the flow is told by the worker that it holds up."""
        books = of_all(self._slots)
        statuses = [slot.status for slot in self._slots if slot.status is not None]
        lags = [one["lag"] for status in statuses for one in status["partitions"] if one["lag"] is not None]
        return View(
            joined=False,
            partitions=frozenset(),
            troubles={},
            consumed=books.consumed,
            settled=books.settled,
            in_flight=books.in_flight,
            lag=sum(lags) if lags else None,
        )
