"""The end of every delivery and record: counted once, and only here."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from consumer.core.books import Books, DestinationBooks
from consumer.core.pressure import Pressure
from consumer.pipeline.work import Delivery, Phase, Work


class Ending(Enum):
    """What became of a delivery; the value is its column in the books."""

    DELIVERED = "delivered"
    SUPPRESSED = "suppressed"
    WINDOWED = "windowed"
    DROPPED = "dropped"
    DEAD_LETTERED = "dead_lettered"
    ABANDONED = "abandoned"


class Settlement:
    """Ends deliveries; a record whose last delivery ended is settled, or abandoned if one of them was."""

    def __init__(self, books: Books, pressure: Pressure) -> None:
        self._books = books
        self._pressure = pressure
        self.progress = asyncio.Event()
        """Set whenever something ended: a drain waits on it."""
        self.on_relief: Callable[[], None] = lambda: None
        """Called when something ended while polling is paused."""

    def end(self, books: DestinationBooks, deliveries: Sequence[Delivery], ending: Ending) -> None:
        """These deliveries of one destination ended; each is ended once."""
        name = ending.value
        setattr(books, name, getattr(books, name) + len(deliveries))
        abandoned = ending is Ending.ABANDONED
        for delivery in deliveries:
            work = delivery.work
            work.open -= 1
            if abandoned:
                work.abandoned = True
            if not work.open:
                self._finish(work)
        self._tell()

    def conclude(self, works: Iterable[Work]) -> None:
        """These records have no open delivery: settled, or abandoned where they are marked so."""
        for work in works:
            self._finish(work)
        self._tell()

    def _tell(self) -> None:
        self.progress.set()
        if self._pressure.resting:
            self.on_relief()

    def _finish(self, work: Work) -> None:
        assignment = work.assignment
        if work.abandoned:
            assignment.abandoned += 1
            self._books.abandoned += 1
        else:
            self._books.settled += 1
            if assignment.phase is not Phase.ENDED:
                assignment.tracker.settle(work.number, work.record.offset)
            else:
                # Acknowledged after its assignment ended: in the books and the ledger, never in the offsets.
                assignment.abandoned += 1
        assignment.load.add(-1, -work.record.size_bytes)
        if work.trace is not None:
            work.trace.one_done("abandoned" if work.abandoned else None)
            if not work.abandoned:
                assignment.traced.append(work.trace.span)
