"""A set that forgets its oldest members, so that months of traffic fit into memory."""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Recent(Generic[T]):
    """At most `keep` members; None: all."""

    def __init__(self, keep: int | None) -> None:
        self._keep = keep
        self._members: dict[T, None] = {}  # in the order of their coming

    def add(self, member: T) -> bool:
        """Whether it is new; one that is known keeps its age."""
        members = self._members
        if member in members:
            return False
        members[member] = None
        if self._keep is not None and len(members) > self._keep:
            del members[next(iter(members))]
        return True

    def update(self, members: Iterable[T]) -> None:
        """Add many at once, in one pass of C while nothing has to be forgotten."""
        self._members.update(dict.fromkeys(members))
        if self._keep is not None and len(self._members) > self._keep:
            for oldest in list(islice(self._members, len(self._members) - self._keep)):
                del self._members[oldest]

    @property
    def forgets(self) -> bool:
        """Whether it is full, so that a member that is not there may have been."""
        return self._keep is not None and len(self._members) >= self._keep

    def clear(self) -> None:
        """Forget all."""
        self._members.clear()

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)
