"""What must hold at every turn of the loop, and whenever something is sent or ends."""

from collections import defaultdict, deque
from collections.abc import Hashable, Sequence

from consumer.core.books import Books, DestinationBooks
from consumer.core.pressure import Pressure
from consumer.pipeline.batch import Batch
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.work import Assignment, Delivery, Phase, Work
from tests.unit.pipeline.edges import Journal


class CheckedSettlement(Settlement):
    """Looks on: each delivery ends once, and each record is settled or abandoned once, as its deliveries say."""

    def __init__(self, journal: Journal, books: Books, pressure: Pressure) -> None:
        super().__init__(books, pressure)
        self._journal = journal
        self._of_work: dict[Work, list[Ending]] = defaultdict(list)
        self.endings: dict[Delivery, Ending] = {}
        self.settled: dict[Assignment, set[int]] = defaultdict(set)

    def end(self, books: DestinationBooks, deliveries: Sequence[Delivery], ending: Ending) -> None:
        for one in deliveries:
            assert one not in self.endings, f"{one.intent.origin} ended twice: {self.endings[one]}, {ending}"
            self.endings[one] = ending
            self._of_work[one.work].append(ending)
            self._journal.append((ending.value, one.intent.origin))
        super().end(books, deliveries, ending)

    def _finish(self, work: Work) -> None:
        assert work.open == 0
        endings = self._of_work.pop(work, [])
        assert not endings or work.abandoned == (Ending.ABANDONED in endings)
        offsets = self.settled[work.assignment]
        assert work.record.offset not in offsets
        if not work.abandoned and work.assignment.phase is not Phase.ENDED:
            offsets.add(work.record.offset)
        super()._finish(work)


class Invariants:
    """The order of what is sent, and what may be committed: by what one process was handed, and what ended."""

    def __init__(self, settlement: CheckedSettlement) -> None:
        self._settlement = settlement
        self.lanes: dict[tuple[str, Hashable], deque[Delivery]] = defaultdict(deque)
        """What was offered, by destination and lane."""
        self.handed: dict[Assignment, deque[int]] = defaultdict(deque)
        """The offsets that were polled."""
        self._committable: dict[Assignment, int] = {}

    def committable(self, assignment: Assignment) -> None:
        handed, settled = self.handed[assignment], self._settlement.settled[assignment]
        while handed and handed[0] in settled:
            handed.popleft()
        committable = assignment.tracker.committable
        assert not handed or committable <= handed[0], "the commit would pass an unsettled record"
        assert committable >= self._committable.get(assignment, 0), "it went back"
        self._committable[assignment] = committable

    def order(self, destination: str, batch: Batch) -> None:
        """A record goes only when those before it in its lane ended, or are before it in the same array."""
        for index, one in enumerate(batch.members):
            keyed = one.intent.key is not None or one.intent.once is not None
            assert one.token or not keyed, f"{one.intent.origin} is sent without a reservation"
            assert not one.work.assignment.phase, f"{one.intent.origin} is sent after its assignment ended"
            lane = self.lanes[destination, one.lane.key]
            while lane and lane[0] in self._settlement.endings:
                lane.popleft()
            for other in lane:
                if other is one:
                    break
                ended = other in self._settlement.endings or other in batch.members[:index]
                assert ended, f"{one.intent.origin} overtakes {other.intent.origin} at {destination}"
