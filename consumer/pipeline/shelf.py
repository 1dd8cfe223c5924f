"""Where batches stand that are taken from their lanes and neither being reserved nor on the wire."""

from collections import deque
from heapq import heapify, heappop, heappush

from consumer.pipeline.batch import Batch


class Shelf:
    """Three places: reserved, and next at the gate; parts of bisected arrays, due at once; and those that wait for
    their next attempt, by time."""

    def __init__(self) -> None:
        self.reserved: deque[Batch] = deque()
        self.parts: deque[Batch] = deque()
        self._waiting: list[tuple[float, int, Batch]] = []
        self._ticket = 0

    def wait(self, batch: Batch, at_s: float) -> None:
        """Not before `at_s`; of several that are due, the one that waits longest comes first."""
        self._ticket += 1
        heappush(self._waiting, (at_s, self._ticket, batch))

    def due(self, now_s: float, room: int) -> list[Batch]:
        """Take up to `room` batches that may be reserved again now: those whose wait is over, then parts."""
        out: list[Batch] = []
        while len(out) < room and self._waiting and self._waiting[0][0] <= now_s:
            out.append(heappop(self._waiting)[2])
        while len(out) < room and self.parts:
            out.append(self.parts.popleft())
        return out

    @property
    def next_at_s(self) -> float | None:
        """When the first wait is over."""
        return self._waiting[0][0] if self._waiting else None

    def waits(self) -> dict[Batch, float]:
        """Those that wait for their next attempt, each with its time."""
        return {batch: at_s for at_s, _, batch in self._waiting}

    def batches(self) -> list[Batch]:
        """All that stand here."""
        return [*self.reserved, *self.parts, *(batch for _, _, batch in self._waiting)]

    def prune(self) -> None:
        """Drop those that no member is left of."""
        self.reserved = deque(batch for batch in self.reserved if batch.members)
        self.parts = deque(batch for batch in self.parts if batch.members)
        self._waiting = [entry for entry in self._waiting if entry[2].members]
        heapify(self._waiting)
