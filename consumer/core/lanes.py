"""Key-ordered concurrency: a lane is one user's queue at one destination, and only its head may go."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from heapq import heappop, heappush
from typing import Any, Generic, Protocol, Self, TypeVar


class LaneItem(Protocol):
    """What can stand in a lane. `lane` is set by `Lanes.add`; items of one `kind` may share an array."""

    lane: "Lane[Self]"

    @property
    def kind(self) -> Any: ...

    @property
    def size_bytes(self) -> int: ...


T = TypeVar("T", bound=LaneItem)


class Lane(Generic[T]):
    """One lane: its queue, and how many of its items were taken and are not done."""

    __slots__ = ("items", "key", "not_before_s", "spent", "taken", "waiting")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.items: deque[T] = deque()
        self.taken = 0
        self.waiting = False
        """True while the lane stands in the ready or the delayed queue, so that it never stands there twice."""
        self.not_before_s = 0.0
        """When set, the lane rests until then, once nothing of it is taken any more: even if it is empty, for what
        comes meanwhile."""
        self.spent = False
        """True once the lane used up its delayed retries: its followers get one attempt each."""


class Lanes(Generic[T]):
    """All lanes of one destination. Every item is queued in its lane or taken from it, until it is done.

    Items of a lane leave in the order in which they came, and while some are taken no other can be; several consecutive
    items may be taken at once, because an array keeps their order.
    """

    def __init__(self) -> None:
        self._lanes: dict[Hashable, Lane[T]] = {}
        self._ready: dict[Any, deque[Lane[T]]] = {}
        """By the kind of the head, each in the order in which the lanes became ready."""
        self._delayed: list[tuple[float, int, Lane[T]]] = []
        self._ticket = 0
        self.queued = 0
        self.taken = 0

    def __len__(self) -> int:
        return self.queued + self.taken

    def ready(self) -> list[tuple[Any, int]]:
        """The kinds of which some head may be taken now, and in how many lanes."""
        return [(kind, len(lanes)) for kind, lanes in self._ready.items() if lanes]

    def add(self, key: Hashable, item: T) -> None:
        """Queue an item at the end of its lane."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
            self._make_ready(lane, item.kind)
        item.lane = lane
        lane.items.append(item)
        self.queued += 1

    def take(self, kind: Any, max_items: int, max_bytes: int, *, one_lane: bool = False) -> list[T]:
        """Take items of one kind from the heads of ready lanes, at least one if there is any, within both limits.

        `one_lane`: from one lane only.
        """
        out: list[T] = []
        room = max_bytes
        ready = self._ready.get(kind, ())
        while ready and len(out) < max_items:
            lane = ready[0]
            before = len(out)
            room = self._take_from(lane, kind, out, max_items, room)
            if len(out) == before and lane.items and lane.items[0].kind == kind:
                break  # The head does not fit: it opens the next array.
            ready.popleft()
            lane.waiting = False
            self._rest(lane)
            if one_lane and out:
                break
        self.queued -= len(out)
        self.taken += len(out)
        return out

    def _take_from(self, lane: Lane[T], kind: Any, out: list[T], max_items: int, room: int) -> int:
        items = lane.items
        while items and len(out) < max_items:
            head = items[0]
            size = head.size_bytes
            if head.kind != kind or (size > room and out):
                break
            room -= size
            out.append(items.popleft())
            lane.taken += 1
        return room

    def done(self, items: Iterable[T]) -> None:
        """Taken items ended: their lanes may go on."""
        for item in items:
            lane = item.lane
            lane.taken -= 1
            self.taken -= 1
            if not lane.taken:
                self._rest(lane)

    def give_back(self, items: list[T], not_before_s: float = 0.0) -> None:
        """Put taken items back at the heads of their lanes, in the order in which `items` has them.

        Their lanes rest until `not_before_s`; they come after the lanes that are ready now.
        """
        for item in reversed(items):
            lane = item.lane
            lane.items.appendleft(item)
            lane.taken -= 1
            lane.not_before_s = max(lane.not_before_s, not_before_s)
        self.taken -= len(items)
        self.queued += len(items)
        for item in items:
            if not item.lane.taken:
                self._rest(item.lane)

    def wake(self, now_s: float) -> None:
        """Make the delayed lanes ready whose time has come."""
        while self._delayed and self._delayed[0][0] <= now_s:
            lane = heappop(self._delayed)[2]
            lane.waiting = False
            self._rest(lane)

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
            lane.items = deque(item for item in lane.items if not ended(item))
            if not lane.items and not lane.taken and not lane.waiting:
                del self._lanes[lane.key]
            # A waiting lane whose head is of another kind now, or that is empty, is put right when it is taken from.
        self.queued -= len(out)
        return out

    def _rest(self, lane: Lane[T]) -> None:
        """The lane is in no queue: put it where it belongs now."""
        if lane.taken or lane.waiting:
            return
        if lane.not_before_s:
            self._ticket += 1
            heappush(self._delayed, (lane.not_before_s, self._ticket, lane))
            lane.not_before_s = 0.0
            lane.waiting = True
        elif not lane.items:
            self._lanes.pop(lane.key, None)
        else:
            self._make_ready(lane, lane.items[0].kind)

    def _make_ready(self, lane: Lane[T], kind: Any) -> None:
        lane.waiting = True
        ready = self._ready.get(kind)
        if ready is None:
            ready = self._ready[kind] = deque()
        ready.append(lane)

    def fullest(self) -> tuple[Hashable, int] | None:
        """The lane with the most items, for the status page; walks all lanes."""
        if not len(self):
            return None
        lane = max(self._lanes.values(), key=lambda one: len(one.items) + one.taken)
        return lane.key, len(lane.items) + lane.taken
