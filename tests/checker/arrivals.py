"""What one receiver accepted, seen from the records: first acceptances, and the repeats of them."""

import itertools
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from consumer.sandbox.simulator import LedgerItem
from tests.checker.expectation import Expectation
from tests.checker.fate import Opened

WINDOW_MS = 20 * 60 * 1000


class Repeat(NamedTuple):
    """An event that was accepted again: when the time before, and when now."""

    event_id: str
    before_ms: int
    at_ms: int


class Arrivals:
    """First acceptances by event id, repeats, and the accepted opens of each scope."""

    def __init__(self, destination: str, items: Sequence[LedgerItem], expectation: Expectation) -> None:
        self.destination = destination
        self.first: dict[str, LedgerItem] = {}
        """By event id, in the order of acceptance."""
        self.repeats: list[Repeat] = []
        self.strangers: list[LedgerItem] = []
        """Accepted items that no record of the topic stands for."""
        self._opens: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        last_ms: dict[str, int] = {}
        for item in items:
            event_id = item.event_id
            if event_id is None or event_id not in expectation.by_event:
                self.strangers.append(item)
            elif event_id in self.first:
                self.repeats.append(Repeat(event_id, last_ms[event_id], item.at_ms))
                last_ms[event_id] = item.at_ms
            else:
                self.first[event_id] = item
                last_ms[event_id] = item.at_ms
                fate = expectation.by_event[event_id][0].fates[destination]
                if isinstance(fate, Opened):
                    insort(self._opens[fate.scope], (fate.at_ms, event_id))

    def accepted_at_ms(self, event_id: str) -> int | None:
        """When the receiver first took it; None if it never did."""
        item = self.first.get(event_id)
        return None if item is None else item.at_ms

    def windowed_at_ms(self, fate: Opened) -> int | None:
        """When the first open less than 20 minutes from this one was accepted; None if there is none."""
        opens = self._opens[fate.scope]
        low = bisect_right(opens, (fate.at_ms - WINDOW_MS, "\uffff"))
        high = bisect_left(opens, (fate.at_ms + WINDOW_MS, ""))
        return min((self.first[event_id].at_ms for _, event_id in opens[low:high]), default=None)

    def too_close(self) -> list[tuple[str, str]]:
        """Neighbours among the accepted opens of a scope that are less than 20 minutes apart."""
        return [
            (one[1], other[1])
            for opens in self._opens.values()
            for one, other in itertools.pairwise(opens)
            if other[0] - one[0] < WINDOW_MS
        ]
