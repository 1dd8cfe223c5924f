"""How old the oldest unsettled record of a partition is, to within a chunk."""

from collections import deque


class Ages:
    """When the chunks of one assignment came into being. Costs a chunk an entry, for as long as one of its records is
    unsettled and the commit waits for it; which number is the first unsettled one, `OffsetTracker.oldest` knows.
    """

    __slots__ = ("_chunks",)

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, int]] = deque()

    def add(self, first: int, timestamp_ms: int, now_ms: int, oldest: int) -> None:
        """A chunk whose first record has this number and timestamp. A record without one (a broker's -1) counts from
        now on, when it is taken in."""
        self._forget(oldest)
        self._chunks.append((first, timestamp_ms if timestamp_ms > 0 else now_ms))

    def age_s(self, oldest: int, now_ms: int) -> float:
        """The age of the record of this number, tracked and unsettled; 0 for one from the future."""
        self._forget(oldest)
        return max(0.0, (now_ms - self._chunks[0][1]) / 1000) if self._chunks else 0.0

    def _forget(self, oldest: int) -> None:
        chunks = self._chunks
        while len(chunks) > 1 and chunks[1][0] <= oldest:
            chunks.popleft()
