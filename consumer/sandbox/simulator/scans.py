"""All touchpoints of one simulator and who scanned them, in the order of time."""

from bisect import insort
from collections.abc import Iterable

from msgspec.structs import replace

from consumer.sandbox.simulator.touchpoint import Touchpoint, Visit


class Scans:
    """Changes while the simulator runs: people go on scanning."""

    def __init__(self, touchpoints: Iterable[Touchpoint], *, experiences: frozenset[str] | None) -> None:
        """experiences: valid ones beside those that have a touchpoint."""
        self._experiences = experiences or frozenset()
        self._touchpoints: dict[str, Touchpoint] = {}
        self._visits: dict[str, list[Visit]] = {}
        self.replace(touchpoints)

    def replace(self, touchpoints: Iterable[Touchpoint]) -> None:
        """These and no others. Raises ValueError where two share an id, and then keeps what was there."""
        chosen: dict[str, Touchpoint] = {}
        for touchpoint in touchpoints:
            if touchpoint.id in chosen:
                raise ValueError(f"two touchpoints have the id {touchpoint.id}")
            chosen[touchpoint.id] = touchpoint
        self._visits = {one.id: sorted(one.visits, key=Visit.at) for one in chosen.values()}
        self._touchpoints = {one.id: replace(one, visits=()) for one in chosen.values()}

    def add(self, touchpoint_id: str, visits: Iterable[Visit]) -> None:
        """More scans, also such that happened before known ones. Raises ValueError for no such touchpoint."""
        known = self._visits.get(touchpoint_id)
        if known is None:
            raise ValueError(f"there is no touchpoint {touchpoint_id}")
        for visit in visits:
            insort(known, visit, key=Visit.at)

    def all(self) -> list[Touchpoint]:
        """Every touchpoint with its visits."""
        return [replace(one, visits=tuple(self._visits[one.id])) for one in self._touchpoints.values()]

    def has_experience(self, experience_id: str) -> bool:
        """Whether the vendor has it: one of the valid ones, or one that has a touchpoint."""
        return experience_id in self._experiences or bool(self.of_experience(experience_id))

    def of_experience(self, experience_id: str) -> list[Touchpoint]:
        """Its touchpoints (without visits), in their order."""
        return [one for one in self._touchpoints.values() if one.experience_id == experience_id]

    def find(self, touchpoint_id: str) -> Touchpoint | None:
        """Without its visits."""
        return self._touchpoints.get(touchpoint_id)

    def visits(self, touchpoint_id: str) -> list[Visit]:
        """In the order of time; equal times in the order in which they came to be known."""
        return self._visits[touchpoint_id]

    def first_visits(self, touchpoint_id: str) -> list[Visit]:
        """Each user's first, in the order of time."""
        first: dict[str, Visit] = {}
        for visit in self._visits[touchpoint_id]:
            first.setdefault(visit.user_id, visit)
        return list(first.values())

    def has_user(self, user_id: str) -> bool:
        """Whether this user ever scanned anything."""
        return any(visit.user_id == user_id for visits in self._visits.values() for visit in visits)
