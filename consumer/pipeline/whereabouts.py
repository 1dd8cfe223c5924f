"""Where the deliveries of one destination stand at one moment, and why those that wait do so."""

from collections.abc import Mapping
from typing import NamedTuple

from consumer.core.lanes import Lane
from consumer.ledger.ledger import Wait
from consumer.pipeline.batch import Batch
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Assignment, Delivery

DeliveryLane = Lane[Delivery]
HEAD = "at the head of its lane"
DROPPED = "in no lane and in no request: it was dropped"


class Stand(NamedTuple):
    """Where a lane's first delivery is. `reason`: why it waits there; None where there is no reason that we know."""

    place: str
    reason: str | None
    first: Delivery | None
    """None where it is in no place at all, and nothing is queued behind it."""
    batch: Batch | None = None
    """While it is on the wire, or what followed is not done."""

    @property
    def behind(self) -> Wait | None:
        """What it was last refused for: while that stays the same, it ends with its age or its owner's lease."""
        return None if self.first is None else self.first.behind

    @property
    def where(self) -> str:
        """For people."""
        return self.place if self.behind is None else f"{self.place}, last refused for {self.behind.holder}"


_RECENT = Stand("where it came to a moment ago", "it has just come", None)


class Whereabouts:
    """One look at a sink, between two turns of the loop. Costs a walk over its lanes and batches: for those who look
    for trouble, not for the flow. What flows costs a comparison: tens of thousands of records can be here, and nothing
    else happens while they are looked at."""

    def __init__(self, sink: Sink, wanted: Mapping[Assignment, int], now_s: float, before: int) -> None:
        """`wanted`: the numbers of the records that are looked for: each its partition's first unsettled one, and so
        the first of its lane. `before`: only what arrived until then is looked at, by `Lanes.last_arrival`."""
        self.sink = sink
        self._now_s = now_s
        self._before = before
        self._gate = gate_reason(sink, now_s)
        self._resting = sink.lanes.resting()
        self._taken: dict[DeliveryLane, Stand] = {}
        shipping, reserving = sink.moving
        for batch in shipping:
            place = "in a request, or in what follows its answer"
            self._place(batch, place, "a request is under way", on_the_wire=True)
        for batch in reserving:
            self._place(batch, "being reserved", "the ledger is asked")
        shelf = sink.stock.shelf
        for batch in shelf.reserved:
            self._place(batch, "reserved and next at the gate", self._gate)
        for batch in shelf.parts:
            self._place(batch, "part of an array that was halved", self._gate)
        for batch, at_s in shelf.waits().items():
            reason = self._gate if at_s <= now_s else f"the next attempt is in {at_s - now_s:.0f} s"
            self._place(batch, "waiting for its next attempt", reason)
        self.suspects: dict[DeliveryLane, Stand] = {}
        """The lanes whose first delivery waits without a reason, or is on the wire, which may take too long."""
        self.oldest: dict[Assignment, Stand] = {}
        """Where the delivery of a wanted record is; partitions of which nothing is here (any more) are left out."""
        self._walk(wanted)

    def _walk(self, wanted: Mapping[Assignment, int]) -> None:
        before = self._before
        for lane in self.sink.lanes.all():
            head = lane.items[0] if lane.items else None
            if lane.taken:
                if self._taken.get(lane) is _RECENT:
                    continue
                stand = self._taken.get(lane) or Stand(DROPPED, None, head)
                if stand.reason is None or stand.batch is not None:
                    self.suspects[lane] = stand
                if stand.first is not None and _is_wanted(stand.first, wanted):
                    self.oldest[stand.first.work.assignment] = stand
                # Behind what is under way for an assignment that is over, there may be the next one's first.
                if head is not None and _is_wanted(head, wanted):
                    self.oldest[head.work.assignment] = stand
            elif head is not None and head.arrival <= before:
                reason = self._reason_of(lane, head)
                if reason is None:
                    self.suspects[lane] = Stand(HEAD, None, head)
                if _is_wanted(head, wanted):
                    self.oldest[head.work.assignment] = Stand(HEAD, reason, head)
        for one in self.sink.stock.held:
            if _is_wanted(one, wanted):
                self.oldest[one.work.assignment] = Stand("held, as it cannot be sent", self._gate, one)

    def _reason_of(self, lane: DeliveryLane, head: Delivery) -> str | None:
        at_s = self._resting.get(lane)
        if at_s is None or head.waits or at_s <= self._now_s:
            # Waiting for a reservation of its key is no reason for long: it ends. See `Stand.behind`.
            return self._gate
        return f"its lane rests for {at_s - self._now_s:.0f} s"

    def _place(self, batch: Batch, place: str, reason: str | None, *, on_the_wire: bool = False) -> None:
        before = self._before
        for one in batch.members:
            if one.arrival > before:
                self._taken.setdefault(one.lane, _RECENT)
            elif self._taken.get(one.lane, _RECENT) is _RECENT:
                why = reason if on_the_wire or not one.waits else self._gate  # as in `_reason_of`
                self._taken[one.lane] = Stand(place, why, one, batch if on_the_wire else None)
        for part in batch.rest:
            for one in part:
                # The part before it decides when it goes.
                self._taken.setdefault(one.lane, Stand("part of an array that was halved", reason, one))


def batches(sink: Sink) -> list[Batch]:
    """All that hold what was taken from the lanes; between two turns of the loop each is there once."""
    shipping, reserving = sink.moving
    return [*shipping, *reserving, *sink.stock.shelf.batches()]


def found(sink: Sink) -> int:
    """As `Sink.in_flight`, but counted one by one where deliveries can stand: a walk over lanes and batches."""
    queued = sum([len(lane.items) for lane in sink.lanes.all()])
    taken = sum([len(one.members) + sum(map(len, one.rest)) for one in batches(sink)])
    return queued + taken + sink.stock.unsent


def first_of(sink: Sink, lane: DeliveryLane) -> Delivery | None:
    """The first of a lane that has not ended: taken, or at its head."""
    if lane.taken:
        return next((one for batch in batches(sink) for one in batch.members if one.lane is lane), None)
    return lane.items[0] if lane.items else None


def gate_reason(sink: Sink, now_s: float) -> str | None:
    """Why nothing new goes out at present; None where it could."""
    gate, (shipping, _) = sink.gate, sink.moving
    if sink.paused:
        return "the destination is paused"
    if gate.halted is not None:
        return f"the destination is halted: {gate.halted}"
    if gate.closed(now_s):
        return "the receiver asked for less, or the rate is used up"
    if gate.permits(now_s) == 0 and shipping:
        return "as many requests are under way as may be"
    return None


def _is_wanted(one: Delivery, wanted: Mapping[Assignment, int]) -> bool:
    return wanted.get(one.work.assignment) == one.work.number
