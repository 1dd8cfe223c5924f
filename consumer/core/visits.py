"""Which visits of touchpoints are new, and how often one counts."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

import msgspec


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One scan of a touchpoint by a user.

    It has no id at its vendor. What tells it from others is the touchpoint, the user, the moment, and, among
    those that agree in all three, which of them it is: `occurrence`, from 1. The other fields describe it.
    """

    touchpoint_id: str
    user_id: str
    visited_at_ms: int
    occurrence: int
    touchpoint_name: str | None = None
    touchpoint_value: str | None = None
    experience_id: str | None = None

    def identity(self) -> bytes:
        """A digest of what tells it from others: 16 bytes, so that millions can be kept."""
        parts = (self.touchpoint_id, self.user_id, str(self.visited_at_ms), str(self.occurrence))
        digest = blake2b(digest_size=16)
        for part in parts:
            raw = part.encode()
            # With its length before it: "a" + "bc" and "ab" + "c" are different visits.
            digest.update(len(raw).to_bytes(4, "big") + raw)
        return digest.digest()


def numbered(visits: Iterable[Visit]) -> list[Visit]:
    """The visits of one reading, each equal one with its occurrence."""
    seen: Counter[tuple[str, str, int]] = Counter()
    out: list[Visit] = []
    for visit in visits:
        moment = (visit.touchpoint_id, visit.user_id, visit.visited_at_ms)
        seen[moment] += 1
        out.append(msgspec.structs.replace(visit, occurrence=seen[moment]))
    return out


class KnownVisits:
    """The visits that are on the output topic: the stream's position. About 100 bytes each."""

    def __init__(self) -> None:
        self._identities: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._identities)

    def add(self, visits: Iterable[Visit]) -> None:
        """These are on the topic."""
        self._identities.update(visit.identity() for visit in visits)

    def new(self, visits: Iterable[Visit]) -> list[Visit]:
        """Those that are not on the topic, each once, in the order of time; the order does not depend on how
        they came.
        """
        found = {visit.identity(): visit for visit in visits}
        missing = [visit for identity, visit in found.items() if identity not in self._identities]
        return sorted(missing, key=_place)


def _place(visit: Visit) -> tuple[int, str, str, int]:
    return (visit.visited_at_ms, visit.touchpoint_id, visit.user_id, visit.occurrence)
