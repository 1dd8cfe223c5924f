"""Since when something has not moved."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Standstill(Generic[K]):
    """Compares each thing's mark with the one it had at the last look.

    What is not shown at one look begins anew at the next: so a thing that has a reason to wait, and is therefore not
    shown, is never said to have stood still meanwhile.
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[K, tuple[Hashable, float]] = {}

    def look(self, marks: Mapping[K, Hashable], now_s: float) -> dict[K, float]:
        """For how many seconds each has had the mark that it has now."""
        seen: dict[K, tuple[Hashable, float]] = {}
        for key, mark in marks.items():
            before = self._seen.get(key)
            seen[key] = before if before is not None and before[0] == mark else (mark, now_s)
        self._seen = seen
        return {key: now_s - since_s for key, (_, since_s) in seen.items()}
