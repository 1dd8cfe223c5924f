"""What a group has not read yet, in bytes."""

from collections import deque
from collections.abc import Callable, Mapping

Positions = Callable[[], Mapping[int, int]]
"""By partition, the offset that the group would read next after a restart. May block for a round trip."""

_OVERHEAD_BYTES = 120
"""Key, headers and framing of a record, on the safe side."""


class Backlog:
    """Knows for each partition how much was produced beyond the group's position.

    The embedded broker keeps 5 MiB a partition and then drops the oldest, read or not: who produces to it
    has to wait for the reader. Committed positions count, not fetched ones: a reader that restarts goes
    back to them.
    """

    def __init__(self, limit_bytes: int, positions: Positions) -> None:
        self._limit_bytes = limit_bytes
        self._positions = positions
        self._unread: dict[int, deque[tuple[int, int]]] = {}
        self._unread_bytes: dict[int, int] = {}

    def add(self, partition: int, offset: int, value_bytes: int) -> None:
        """A record was acknowledged there. Never blocks."""
        size_bytes = value_bytes + _OVERHEAD_BYTES
        self._unread.setdefault(partition, deque()).append((offset, size_bytes))
        self._unread_bytes[partition] = self._unread_bytes.get(partition, 0) + size_bytes

    @property
    def full(self) -> bool:
        """Whether some partition holds more than the limit, as of the last `refresh`. Never blocks."""
        return any(size_bytes > self._limit_bytes for size_bytes in self._unread_bytes.values())

    def refresh(self) -> bool:
        """Ask for the group's positions; whether it read anything since. May block as Positions does."""
        advanced = False
        for partition, position in self._positions().items():
            unread = self._unread.get(partition)
            while unread and unread[0][0] < position:
                self._unread_bytes[partition] -= unread.popleft()[1]
                advanced = True
        return advanced
