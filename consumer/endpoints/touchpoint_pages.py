"""When the pages of touchpoint metrics are all there, as none of them says so. Pure.

`pagination` has no total of its own: the visits end at `totalVisits` (or `uniqueVisits`), touchpoints at
`totalTouchpoints` or with a page that brings no new one; a page past the end is empty.
"""

from collections import Counter
from typing import Protocol, TypeVar

from consumer.endpoints.touchpoints import Experience, Slice, Touchpoint, TouchpointCounts, Visit, Visits

P = TypeVar("P", contravariant=True)


class Pages(Protocol[P]):
    """One pass over the pages of one question."""

    @property
    def following(self) -> Slice | None:
        """What to ask for next; None when the pass is over."""
        ...

    def take(self, page: P) -> None:
        """The answer to `following`."""
        ...

    @property
    def taken(self) -> int:
        """How many items have come so far."""
        ...

    @property
    def total(self) -> int | None:
        """How many there are, by the last page; None before the first."""
        ...


class VisitPages:
    """The visits of one touchpoint, in one pass.

    Pages are cut anew at each request: a visit that is recorded between two of them can shift the rest, so
    that one item comes twice and looks like a second visit of the same moment. The total tells, unless it was
    counted a moment before the page was cut. So equals count for certain only within one page; across pages
    another pass has to say the same.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pages: list[tuple[Visit, ...]] = []
        self._totals: set[int] = set()
        self.taken = 0
        self.total: int | None = None
        self.touchpoint: Touchpoint | None = None
        self.following: Slice | None = Slice(0, size)

    def take(self, page: Visits) -> None:
        """See Pages.take."""
        self._pages.append(page.items)
        self._totals.add(page.total)
        self.touchpoint = page.touchpoint
        self.total = page.total
        self.taken += len(page.items)
        over = self.taken >= page.total or not page.items
        self.following = None if over else Slice(self.taken, self._size)

    def complete(self, before: "VisitPages | None") -> bool:
        """Whether `all` is what the touchpoint had at one moment. `before`: the pass before this, if any."""
        if self._totals != {self.taken}:
            return False
        if len(self.certain()) == self.taken:
            return True
        return (
            before is not None
            and before._totals == self._totals
            and Counter(before.all()) == Counter(self.all())
        )

    def all(self) -> list[Visit]:
        """Every item that came, in the API's order."""
        return [visit for page in self._pages for visit in page]

    def certain(self) -> list[Visit]:
        """Of equals only as many as one single page has shown: some may be missing, none is made up."""
        sure: Counter[Visit] = Counter()
        out: list[Visit] = []
        for page in self._pages:
            on_this: Counter[Visit] = Counter()
            for visit in page:
                on_this[visit] += 1
                if on_this[visit] > sure[visit]:
                    sure[visit] += 1
                    out.append(visit)
        return out


class ExperiencePages:
    """The touchpoints of one experience, each once; whether the API cuts them into pages or not."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items = 0
        self._found: dict[str, TouchpointCounts] = {}
        self.total: int | None = None
        self.following: Slice | None = Slice(0, size)

    def take(self, page: Experience) -> None:
        """See Pages.take."""
        before = len(self._found)
        self._found.update((one.id, one) for one in page.touchpoints)
        self._items += len(page.touchpoints)
        self.total = page.total_touchpoints
        # Where `offset` means nothing to the API, the same touchpoints come again: that is the end too.
        over = len(self._found) >= page.total_touchpoints or len(self._found) == before
        self.following = None if over else Slice(self._items, self._size)

    @property
    def taken(self) -> int:
        return len(self._found)

    @property
    def complete(self) -> bool:
        """Whether there are as many as the API says."""
        return self.taken == self.total

    def touchpoints(self) -> list[TouchpointCounts]:
        """In the API's order, with the counts that came last."""
        return list(self._found.values())
