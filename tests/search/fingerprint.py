"""When two moments of a process are the same state: all that its future depends on, and nothing else.

It walks the real objects, and the suspended coroutines with their local variables. Left out is what never decides (the
books' totals, metrics, ages), and what decides by comparison only is written as the comparison: of a time whether it
has come, of a ticket its rank, of the count of successes whether others succeeded since.
"""

import asyncio
import gc
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from types import CodeType, CoroutineType, FrameType, FunctionType, MethodType
from typing import Any

import msgspec

from consumer.core.horizon import STRIDE
from consumer.core.lanes import Lane
from consumer.core.retries import ALONE
from consumer.ledger.ledger import Intent
from consumer.pipeline.batch import Batch
from consumer.pipeline.work import Assignment, Delivery, Parcel, Work
from tests.search.process import Process, Seen
from tests.search.timers import reclaimed, timer_name

CLOCK_S = 500.0
"""Floats above are times of the loop's clock, which starts at 1,000."""


class Portrait:
    """One walk through a process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._now_s = process.loop.now_s
        self.deliveries: dict[Delivery, None] = {}
        self._batches: dict[Batch, None] = {}
        self._works: dict[Work, None] = {}
        self.assignments: dict[Assignment, None] = {}

    def take(self) -> Hashable:
        """The state as nested tuples."""
        process, sink = self._process, self._process.sink
        parts = (
            [self.of(call) for call, _ in sorted(process.open.calls, key=lambda entry: repr(entry[0]))],
            sorted(timer_name(one) for one in process.loop.timers),
            sorted((self.of(task.get_coro()) for task in process.loop.tasks), key=repr),
            [self.of(one) for one in process.coordinator.assignments.values()],
            [self.of(one) for one in process.coordinator._past],
            self._shelf(),
            sorted((self.of(batch) for batch in sink._reserving), key=repr),
            sorted((self.of(batch) for batch in sink._shipping), key=repr),
            [self.of(entry) for entry in sink.stock._held],
            sink.stock.unsent,
            sink._pumping,
            sink._probe_new,
            sorted(self.of(one) for one in process.graveyard._troubles.items()),
            sorted((self.of(one), count) for one, count in process.graveyard._open.items()),
            self.of(process.confirmations._waiting),
            process.confirmations._writing,
            process.patient._releasing,
            process.intake.plan.version,
            self.of(process.coordinator._met_below),
        )
        lanes = self._lanes()
        bodies = self._bodies()
        return (parts, lanes, bodies, self._gate())

    # --- the parts ---

    def _gate(self) -> Hashable:
        gate = self._process.sink.gate
        return (
            gate.in_flight,
            gate.halted,
            gate._unclear_in_a_row,
            self.of(gate._not_before_s),
        )

    def _shelf(self) -> Hashable:
        shelf = self._process.sink.stock.shelf
        return (
            tuple(self.of(one) for one in shelf.reserved),
            tuple(self.of(one) for one in shelf.parts),
            tuple(
                (self.of(at_s), self.of(one)) for at_s, _, one in sorted(shelf._waiting, key=lambda e: e[:2])
            ),
        )

    def _lanes(self) -> Hashable:
        lanes = self._process.sink.lanes
        standing = tuple(
            (
                lane.key,
                tuple(self.of(one) for one in lane.items),
                lane.taken,
                lane.spent,
                self.of(lane.not_before_s),
            )
            for lane in sorted(lanes._lanes.values(), key=lambda one: repr(one.key))
        )
        ready = tuple(
            (
                tuple(lane.key for lane in one.fresh),
                tuple(lane.key for _, lane in sorted(one.again, key=_turn)),
            )
            for one in lanes._ready.values()
            if one.fresh or one.again
        )
        delayed = tuple(
            (self.of(at_s), lane.key) for at_s, _, lane in sorted(lanes._delayed, key=lambda e: e[:2])
        )
        turns = [(lane.turn, lane.key) for one in lanes._ready.values() for lane in one.fresh]
        turns += [(turn, lane.key) for one in lanes._ready.values() for turn, lane in one.again]
        arrivals = [(getattr(one, "arrival", 0), one.intent.origin) for one in self.deliveries]
        ranks = tuple(name for _, name in sorted([*turns, *arrivals], key=repr_second))
        return (standing, ready, delayed, ranks)

    def _bodies(self) -> Hashable:
        """What is behind the names; it may lead to more names."""
        out: list[Hashable] = []
        done: set[int] = set()
        while True:
            more: list[Any] = [
                one
                for one in (*self.deliveries, *self._batches, *self._works, *self.assignments)
                if id(one) not in done
            ]
            if not more:
                return tuple(sorted(out, key=repr))
            for one in more:
                done.add(id(one))
                out.append(self._body(one))

    def _body(self, one: Delivery | Batch | Work | Assignment) -> Hashable:
        match one:
            case Delivery():
                lane = getattr(one, "lane", None)
                return (
                    "delivery",
                    one.intent,
                    one.token,
                    one.tries,
                    one.in_doubt,
                    self.of(one.work),
                    None if lane is None else lane.key,
                )
            case Batch():
                gate = self._process.sink.gate
                return (
                    "batch",
                    self.of(one),
                    one.attempts > 0,
                    one.in_doubt,
                    one.votes,
                    # `fails_alone` asks for the sign of this, now and after whatever comes.
                    None
                    if one.mark < 0
                    else gate.successes - one.mark - ALONE * (gate.unclears - one.unclears),
                    one.halts,
                    0 <= one.halted_at < gate.successes,
                    one.started == gate._halts,
                    one.unanswered,
                    self._now_s > one.begin_by_s,
                )
            case Work():
                return ("work", self.of(one), one.version, one.open, one.abandoned, one.number)
        tracker = one.tracker
        return (
            "assignment",
            self.of(one),
            one.phase,
            one.committed,
            one.abandoned,
            tracker.committable,
            (tracker._head, tracker._next, tracker._kept, tuple(sorted(tracker._starts.items()))),
            self.of(one.backlog),
            [min(at, STRIDE) for at in (one.horizon.wary_below, one.horizon.reach, one.horizon._asked)],
        )

    # --- names ---

    def of(self, one: Any) -> Any:
        """A value as itself, one of the moving things by its name, a coroutine by where it stands and what it holds."""
        match one:
            case None | bool() | int() | str() | bytes() | Enum() | Intent():
                return one
            case float():
                return one if one < CLOCK_S else "later" if one > self._now_s else "now"
            case Delivery():
                self.deliveries[one] = None
                return ("delivery", one.intent)
            case Batch():
                self._batches[one] = None
                return ("batch", self._all(one.members), tuple(self._all(part) for part in one.rest))
            case Work():
                self._works[one] = None
                return ("work", one.record.origin, self.of(one.assignment))
            case Assignment():
                self.assignments[one] = None
                return ("assignment", one.partition, one.epoch)
            case Parcel():
                return ("parcel", one.first, len(one.records), one.judged, self.of(one.fatal))
            case Lane():
                return ("lane", one.key)
            case tuple() | list() | deque():
                return self._all(one)
            case set() | frozenset():
                return tuple(sorted(self._all(one), key=repr))
            case dict():
                return tuple(sorted(((self.of(k), self.of(v)) for k, v in one.items()), key=repr))
        return self._other(one)

    def _other(self, one: Any) -> Any:
        if isinstance(one, CoroutineType):
            held = [each for each in gc.get_referents(one) if not isinstance(each, FrameType | CodeType)]
            return (one.__qualname__, one.cr_frame.f_lasti if one.cr_frame else -1, self._all(held))
        if isinstance(one, FunctionType):
            return (one.__qualname__, self._all(cell.cell_contents for cell in one.__closure__ or ()))
        if isinstance(one, MethodType):
            return one.__qualname__
        if isinstance(one, asyncio.Future):
            return ("future", one.done())
        if isinstance(one, msgspec.Struct) and len(one.__struct_fields__) < 8:
            return (type(one).__name__, self._all(getattr(one, name) for name in one.__struct_fields__))
        if is_dataclass(one):
            return (type(one).__name__, self._all(getattr(one, field.name) for field in fields(one)))
        return type(one).__name__

    def _all(self, many: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(self.of(one) for one in many)


def _turn(entry: tuple[int, Lane[Delivery]]) -> int:
    return entry[0]


def repr_second(entry: tuple[int, Any]) -> tuple[int, str]:
    return entry[0], repr(entry[1])


def look(process: Process) -> tuple[bytes, Seen]:
    """The state of a process, and what the world sees of it."""
    portrait = Portrait(process)
    state = portrait.take()
    assignments = process.coordinator.assignments.values()
    behind = any(not one.phase and one.tracker.committable > one.committed for one in assignments)
    idle = process.commits is None or process.commits.done()
    known = {(one.intent.partition, one.intent.epoch) for one in portrait.deliveries}
    known |= {(one.partition.partition, one.epoch) for one in portrait.assignments}
    known |= {reclaimed(one) for one in process.loop.timers if timer_name(one).startswith("Told.reclaim")}
    asked = [call for call, _ in process.open.calls]
    wire = {one for call in asked if call.kind in ("send", "confirm") for one in call.about}
    wire |= {one.intent for batch in process.confirmations._waiting for one in batch.members}
    seen = Seen(
        calls=tuple(sorted((call for call, _ in process.open.calls), key=repr)),
        timers=tuple(sorted({timer_name(one) for one in process.loop.timers})),
        due=behind and idle,
        tokens=frozenset(one.token for one in portrait.deliveries if one.token),
        epochs=frozenset(known),
        unanswered=tuple(sorted(wire, key=repr)),
        holding=tuple(sorted((one.intent for one in portrait.deliveries if one.token), key=repr)),
    )
    return blake2b(repr((state, idle)).encode(), digest_size=16).digest(), seen
