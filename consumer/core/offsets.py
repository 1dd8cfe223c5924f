"""Which offset of a partition may be committed."""


class OffsetTracker:
    """The contiguous settled prefix of one partition in one assignment; it only rises.

    Offsets are sparse (compaction, transactions), so records are numbered in the order of their delivery:
    `track` gives the numbers, `settle` takes a number and its offset back. Settled records above a gap are kept
    as ranges: what a slow record costs is a range a neighbour, not a record each.
    """

    __slots__ = ("_committable", "_end", "_ends", "_head", "_kept", "_next", "_starts")

    def __init__(self, position: int) -> None:
        """Nothing is tracked yet; `position` is where the assignment starts to read."""
        self._committable = position
        self._end = position
        self._head = 0
        self._next = 0
        self._kept = 0
        # Settled ranges above the head, each known from both sides: first → (last, its offset) and last → first.
        self._starts: dict[int, tuple[int, int]] = {}
        self._ends: dict[int, int] = {}

    def track(self, count: int) -> int:
        """Number the next `count` records in their order; gives the first number."""
        self._committable = self.committable
        self._end = 0  # The partition went on.
        first = self._next
        self._next = first + count
        return first

    def settle(self, number: int, offset: int) -> None:
        """The record of this number, at this offset, is settled at every destination. Once for each record."""
        if number != self._head:
            self._keep(number, offset)
            return
        self._head = number + 1
        self._committable = offset + 1
        joined = self._starts.pop(self._head, None)
        if joined is not None:
            last, last_offset = joined
            del self._ends[last]
            self._kept -= last + 1 - self._head
            self._head = last + 1
            self._committable = last_offset + 1

    def _keep(self, number: int, offset: int) -> None:
        first = self._ends.pop(number - 1, number)
        last, last_offset = self._starts.pop(number + 1, (number, offset))
        self._starts[first] = (last, last_offset)
        self._ends[last] = first
        self._kept += 1

    def skip_to(self, offset: int) -> None:
        """The partition was read to `offset`, its end for now: below it lie the tracked records and nothing else.

        Once all of them are settled it may be committed, over the control records or gaps that lie between.
        """
        self._end = max(self._end, offset)

    @property
    def committable(self) -> int:
        """The offset to commit: the first that may still be needed. Monotonic."""
        return max(self._committable, self._end) if self._head == self._next else self._committable

    @property
    def oldest(self) -> int:
        """The number of the first record that is not settled; of the next to come where all are."""
        return self._head

    @property
    def tracked(self) -> int:
        """How many records were numbered."""
        return self._next

    @property
    def unsettled(self) -> int:
        """How many tracked records are not settled."""
        return self._next - self._head - self._kept

    @property
    def ranges(self) -> int:
        """How many settled ranges lie above the first unsettled record."""
        return len(self._starts)
