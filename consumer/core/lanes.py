"""Key-ordered concurrency: a lane is one user's queue at one destination, and only its head may go."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, Generic, Protocol, Self, TypeVar


class LaneItem(Protocol):
    """What can stand in a lane. `lane` and `arrival` are set by `Lanes.add`; items of one `kind` may share an array."""

    lane: "Lane[Self]"
    arrival: int

    @property
    def kind(self) -> Any: ...

    @property
    def size_bytes(self) -> int: ...


T = TypeVar("T", bound=LaneItem)


class Lane(Generic[T]):
    """One lane: its queue, and how many of its items were taken and are not done. While none are, it stands in the
    ready or the delayed queue, once."""

    __slots__ = ("items", "key", "not_before_s", "spent", "taken", "turn")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.items: list[
            T
        ] = []  # Mostly one: a deque would take half a kilobyte for it, twenty thousand times.
        self.taken = 0
        self.turn = 0
        """Its place among the lanes that are ready: its head's arrival, unless that was given back since."""
        self.not_before_s = 0.0
        """When set, the lane rests until then, once nothing of it is taken any more: even if it is empty, for what
        comes meanwhile."""
        self.spent = False
        """True once the lane used up its delayed retries: its followers get one attempt each."""

    @property
    def depth(self) -> int:
        """How many of its items are not done."""
        return len(self.items) + self.taken


class Ready(Generic[T]):
    """The lanes that are ready and begin with one kind, by turn. A new lane's head is the last that came, so these are
    in order by themselves; only those that come again with an older head need the heap."""

    __slots__ = ("again", "fresh")

    def __init__(self) -> None:
        self.fresh: deque[Lane[T]] = deque()
        self.again: list[tuple[int, Lane[T]]] = []


class Lanes(Generic[T]):
    """All lanes of one destination. Every item is queued in its lane or taken from it, until it is done.

    Items of a lane leave in the order in which they came, and while some are taken no other can be; several consecutive
    items may be taken at once, because an array keeps their order. Of the lanes that are ready the one whose head came
    first is served first: else the old head of one lane would hold up the commit of all that went meanwhile.
    """

    def __init__(self) -> None:
        self._lanes: dict[Hashable, Lane[T]] = {}
        self._ready: defaultdict[Any, Ready[T]] = defaultdict(Ready)
        """By the kind of the head."""
        self._delayed: list[tuple[float, int, Lane[T]]] = []
        self._ticket = 0
        """The last arrival, or the last turn of one that was given back."""
        self._count = 0

    def __len__(self) -> int:
        """All that are not done: queued or taken."""
        return self._count

    def ready(self) -> list[tuple[Any, int]]:
        """The kinds of which some head may be taken now, and in how many lanes."""
        return [
            (kind, count)
            for kind, lanes in self._ready.items()
            if (count := len(lanes.fresh) + len(lanes.again))
        ]

    def add(self, key: Hashable, item: T) -> None:
        """Queue an item at the end of its lane."""
        self._ticket = item.arrival = self._ticket + 1
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
            self._append(lane, item.kind)
        item.lane = lane
        lane.items.append(item)
        self._count += 1

    def take(self, kind: Any, max_items: int, max_bytes: int, *, one_lane: bool = False) -> list[T]:
        """Take items of one kind from the heads of ready lanes, at least one if there is any, within both limits.

        `one_lane`: from one lane only.
        """
        out: list[T] = []
        ready = self._ready[kind]
        fresh, again = ready.fresh, ready.again
        room, left = max_bytes, max_items
        while left > 0:
            if again and (not fresh or again[0][0] < fresh[0].turn):
                lane, is_again = again[0][1], True
            elif fresh:
                lane, is_again = fresh[0], False
            else:
                break
            items, count = lane.items, 0
            for item in items:
                size = item.size_bytes
                if count == left or item.kind != kind or (size > room and out):
                    break
                room -= size
                count += 1
                out.append(item)
            if not count and items and items[0].kind == kind:
                break  # The head does not fit: it opens the next array.
            if is_again:
                heappop(again)
            else:
                fresh.popleft()
            if count:
                del items[:count]
                lane.taken += count
                left -= count
            else:
                self._rest(lane)
            if one_lane and out:
                break
        return out

    def done(self, items: Sequence[T]) -> None:
        """Taken items ended: their lanes may go on."""
        self._count -= len(items)
        for item in items:
            lane = item.lane
            lane.taken = taken = lane.taken - 1
            if not taken:
                if lane.items or lane.not_before_s:
                    self._rest(lane)
                else:
                    del self._lanes[lane.key]

    def give_back(self, items: list[T], not_before_s: float = 0.0) -> None:
        """Put taken items back at the heads of their lanes, in the order in which `items` has them.

        Their lanes rest until `not_before_s`; without it they come after the lanes that are ready now, so that a probe
        that was refused lets others probe.
        """
        back: list[Lane[T]] = []
        for item in reversed(items):
            lane = item.lane
            lane.items.insert(0, item)
            lane.taken -= 1
            lane.not_before_s = max(lane.not_before_s, not_before_s)
            if not lane.taken:
                back.append(lane)
        for lane in reversed(back):
            if lane.not_before_s:
                self._rest(lane)
            else:
                self._ticket += 1
                self._append(lane, lane.items[0].kind)

    def wake(self, now_s: float) -> None:
        """Make the delayed lanes ready whose time has come."""
        while self._delayed and self._delayed[0][0] <= now_s:
            self._rest(heappop(self._delayed)[2])

    @property
    def next_wake_s(self) -> float | None:
        """When the first delayed lane becomes ready."""
        return self._delayed[0][0] if self._delayed else None

    def abandon(self, ended: Callable[[T], bool]) -> list[T]:
        """Remove the queued items for which `ended` is true, in lane order, and give them."""
        out: list[T] = []
        for lane in list(self._lanes.values()):
            gone = [item for item in lane.items if ended(item)]
            if not gone:
                continue
            out += gone
            lane.items = [item for item in lane.items if not ended(item)]
            # A lane that waits and whose head is of another kind now, or that is empty, is put right when it is taken
            # from.
        self._count -= len(out)
        return out

    def _rest(self, lane: Lane[T]) -> None:
        """The lane is in no queue and none of its items is taken: put it where it belongs now."""
        if lane.not_before_s:
            self._ticket += 1
            heappush(self._delayed, (lane.not_before_s, self._ticket, lane))
            lane.not_before_s = 0.0
        elif not lane.items:
            del self._lanes[lane.key]
        else:
            head = lane.items[0]
            heappush(self._ready[head.kind].again, (head.arrival, lane))

    def _append(self, lane: Lane[T], kind: Any) -> None:
        """Behind all that are ready: its turn is the last ticket."""
        lane.turn = self._ticket
        self._ready[kind].fresh.append(lane)

    @property
    def last_arrival(self) -> int:
        """What has a higher one comes later."""
        return self._ticket

    def fullest(self) -> Lane[T] | None:
        """The lane with the most items, for the status page; walks all lanes."""
        return max(self._lanes.values(), key=lambda one: one.depth, default=None) if len(self) else None

    def all(self) -> Iterable[Lane[T]]:
        """Every lane, for those who look whether one is stuck."""
        return self._lanes.values()

    def resting(self) -> dict[Lane[T], float]:
        """The delayed lanes, each with the time at which it becomes ready."""
        return {lane: at_s for at_s, _, lane in self._delayed}
