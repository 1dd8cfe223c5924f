"""Where the deliveries of one destination stand at one moment, and why those that wait do so."""

from typing import NamedTuple

from consumer.core.lanes import Lane
from consumer.pipeline.batch import Batch
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Assignment, Delivery

DeliveryLane = Lane[Delivery]


class Stand(NamedTuple):
    """Where a lane's first delivery is. `reason`: why it waits there; None where there is no reason that we know."""

    place: str
    reason: str | None
    first: Delivery | None
    """None where it is in no place at all, and nothing is queued behind it."""
    batch: Batch | None = None
    """While it is on the wire, or what followed is not done."""


class Whereabouts:
    """One look at a sink, between two turns of the loop. Costs a walk over its lanes and batches: for those who look
    for trouble, not for the flow."""

    def __init__(self, sink: Sink, now_s: float) -> None:
        self.sink = sink
        self._now_s = now_s
        self._gate = gate_reason(sink, now_s)
        self._resting = sink.lanes.resting()
        self._taken: dict[DeliveryLane, Stand] = {}
        shipping, reserving = sink.moving
        for batch in shipping:
            self._place(
                batch,
                "in a request, or in what follows its answer",
                "a request is under way",
                on_the_wire=True,
            )
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

    def _place(self, batch: Batch, place: str, reason: str | None, *, on_the_wire: bool = False) -> None:
        for one in batch.members:
            if one.lane not in self._taken:
                why = self._despite_holder(one, reason, on_the_wire=on_the_wire)
                self._taken[one.lane] = Stand(place, why, one, batch if on_the_wire else None)
        for part in batch.rest:
            for one in part:
                # The part before it decides when it goes.
                self._taken.setdefault(one.lane, Stand("part of an array that was halved", reason, one))

    def of(self, lane: DeliveryLane) -> Stand:
        """Where the first delivery of a lane is."""
        if lane.taken:
            first = lane.items[0] if lane.items else None
            return self._taken.get(lane) or Stand("in no lane and in no request: it was dropped", None, first)
        if not lane.items:
            return Stand("empty", "nothing is queued", None)
        first = lane.items[0]
        at_s = self._resting.get(lane)
        if at_s is None:
            return Stand("at the head of its lane", self._despite_holder(first, self._gate), first)
        rests = self._gate if at_s <= self._now_s else f"its lane rests for {at_s - self._now_s:.0f} s"
        return Stand("at the head of its lane", self._despite_holder(first, rests), first)

    def _despite_holder(self, one: Delivery, reason: str | None, *, on_the_wire: bool = False) -> str | None:
        """Waiting for another holder of its key is no reason for long: a holder's lease and age end."""
        return reason if on_the_wire or not one.waits else self._gate

    def find(self, assignment: Assignment, number: int) -> Stand | None:
        """Where the delivery of this record is; None where this destination has none of it (any more)."""
        for lane in self.sink.lanes.all():
            stand = self.of(lane)
            if any(_is(one, assignment, number) for one in lane.items):
                ahead = stand.first is None or not _is(stand.first, assignment, number)
                return (
                    stand._replace(place=f"in its lane, behind one that is {stand.place}") if ahead else stand
                )
        for batch in batches(self.sink):
            for one in (*batch.members, *(one for part in batch.rest for one in part)):
                if _is(one, assignment, number):
                    return self.of(one.lane)
        held = self.sink.stock.held
        return Stand("held, as it cannot be sent", self._gate, held[0]) if any(
            _is(one, assignment, number) for one in held
        ) else None  # fmt: skip


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


def _is(one: Delivery, assignment: Assignment, number: int) -> bool:
    return one.work.number == number and one.work.assignment is assignment
