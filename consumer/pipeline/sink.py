"""One destination: its lanes, its gate, and what goes through it when.

A delivery is always in one place: queued in its lane; or taken from it and then in a batch that is being reserved,
reserved, on the wire, waiting for its next attempt, or ending. `Verdicts` decides what follows an answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from heapq import heapify, heappop, heappush
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.core.books import DestinationBooks
from consumer.core.gate import Gate
from consumer.core.lanes import Lanes
from consumer.endpoints.endpoint import Operation
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Held, Ledger
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.reserve import Sorted, reserve
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.work import Assignment, Delivery

FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 1.0


class SinkPolicy(msgspec.Struct, frozen=True):
    """What goes into one request, and how long an array is filled."""

    max_items: int = 500
    max_bytes: int = 512 * 1024
    linger_s: float = 0.02
    fresh_s: float = 5.0
    """A reservation older than this is renewed before the send."""


class Sink:
    """Everything here runs on the event loop; nothing blocks it.

    `ship` sends a reserved batch and applies what follows; `refuse` dead-letters a delivery that cannot be sent at all.
    """

    def __init__(
        self,
        name: str,
        policy: SinkPolicy,
        gate: Gate,
        ledger: Ledger,
        patient: PatientLedger,
        settlement: Settlement,
        books: DestinationBooks,
        clock: Clock,
        background: Background,
        on_fenced: Callable[[Assignment], None],
    ) -> None:
        self.name = name
        self.policy = policy
        self.gate = gate
        self.books = books
        self.lanes: Lanes[Delivery] = Lanes()
        self.ship: Callable[[Batch], Coroutine[Any, Any, None]]
        self.refuse: Callable[[Delivery, Grave], None]
        self.unsent = 0
        """Deliveries that cannot be sent, on their way to the dead letters: they are in no lane."""
        self.paused = False
        self._ledger = ledger
        self._patient = patient
        self._settlement = settlement
        self._clock = clock
        self._background = background
        self._on_fenced = on_fenced
        self._reserved: deque[Batch] = deque()
        self._parts: deque[Batch] = deque()
        self._waiting: list[tuple[float, int, Batch]] = []
        self._ticket = 0
        self._reserving: set[Batch] = set()
        self._shipping: set[Batch] = set()
        self._pumping = False
        self._timer: asyncio.TimerHandle | None = None
        self._filling_since_s: dict[Operation, float] = {}

    # --- in ---

    def offer(self, lane_key: Hashable, delivery: Delivery) -> None:
        """A delivery joins its lane; `wake` after the last of a chunk."""
        self.lanes.add(lane_key, delivery)

    def wake(self) -> None:
        """Something changed: see what may go. Cheap to call often."""
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    # --- through the gate ---

    def _pump(self) -> None:
        self._pumping = False
        now_s = self._clock.monotonic_s()
        if not self.paused:
            self.lanes.wake(now_s)
            self._send_reserved(now_s)
            chosen = self._choose(now_s)
            if chosen:
                self._reserving.update(chosen)
                self._background.spawn(self._reserve(chosen))
        self._set_timer(now_s)

    def _send_reserved(self, now_s: float) -> None:
        permits = self.gate.permits(now_s)
        while permits > 0 and self._reserved:
            batch = self._reserved.popleft()
            if now_s - batch.reserved_at_s > self.policy.fresh_s:
                self._parts.append(batch)  # Its reservation must outlive the request: renew it first.
                continue
            permits -= 1
            self.gate.start()
            self._shipping.add(batch)
            self._background.spawn(self._see_through(batch))
        if self._reserved and self.gate.permits(now_s) == 0 and self.gate.closed(now_s):
            # What cannot go after all must not keep others waiting for its keys.
            batches = list(self._reserved)
            self._reserved.clear()
            for batch in batches:
                self.put_back(batch, now_s)

    async def _see_through(self, batch: Batch) -> None:
        try:
            await self.ship(batch)
        finally:
            self._shipping.discard(batch)
            self._settlement.progress.set()
            self.wake()

    def _choose(self, now_s: float) -> list[Batch]:
        """What the gate takes next: at most one gate's worth ahead, so that no permit idles while the ledger works."""
        permits = self.gate.permits(now_s)
        ahead = len(self._reserved) + len(self._reserving)
        if self.gate.halted is not None:
            room = min(1, permits) - ahead
        elif self.gate.closed(now_s):
            room = 0  # A reservation would only age.
        else:
            room = permits + self.gate.ahead - ahead
        chosen: list[Batch] = []
        while len(chosen) < room and self._waiting and self._waiting[0][0] <= now_s:
            chosen.append(heappop(self._waiting)[2])
        while len(chosen) < room and self._parts:
            chosen.append(self._parts.popleft())
        for operation, lanes in self.lanes.ready():
            self._choose_new(operation, lanes, room, now_s, chosen)
        return chosen

    def _choose_new(self, operation: Operation, lanes: int, room: int, now_s: float, chosen: list[Batch]) -> None:
        most = min(operation.max_items, self.policy.max_items)
        room_bytes = min(operation.max_body_bytes, self.policy.max_bytes)
        while len(chosen) < room and lanes > 0:
            if lanes < most:
                since_s = self._filling_since_s.setdefault(operation, now_s)
                if now_s - since_s < self.policy.linger_s:
                    return
            members = self.lanes.take(operation, most, room_bytes)
            self._filling_since_s.pop(operation, None)
            if not members:
                return
            chosen.append(Batch(operation, members))
            lanes -= len(members)

    def _set_timer(self, now_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [since_s + self.policy.linger_s for since_s in self._filling_since_s.values()]
        if (opens_s := self.gate.opens_at_s(now_s)) is not None:
            times.append(opens_s)
        if self._waiting:
            times.append(self._waiting[0][0])
        if (wake_s := self.lanes.next_wake_s) is not None:
            times.append(wake_s)
        if times:
            delay_s = max(0.001, min(times) - now_s)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.wake)

    # --- reserve ---

    async def _reserve(self, batches: list[Batch]) -> None:
        try:
            outcome = await reserve(self._ledger, batches)
        except LedgerUnavailable as error:
            now_s = self._clock.monotonic_s()
            self._patient.trouble = str(error)
            self.gate.halt(now_s, f"ledger: {error}")
            for batch in batches:
                self.put_back(batch, now_s)
        else:
            if self._patient.trouble is not None:
                self._patient.trouble = None
            self._apply(outcome)
        finally:
            self._reserving.difference_update(batches)
            self.wake()

    def _apply(self, outcome: Sorted) -> None:
        now_s = self._clock.monotonic_s()
        for batch in outcome.granted:
            batch.reserved_at_s = now_s
            self._reserved.append(batch)
        if outcome.suppressed:
            self.finish(outcome.suppressed, Ending.SUPPRESSED)
        if outcome.windowed:
            self.finish(outcome.windowed, Ending.WINDOWED)
        if outcome.waiting:
            self._wait(outcome.waiting)
        if outcome.leaving:
            self.abandon(outcome.leaving)
        for batch in outcome.emptied:
            self.follow(batch)
        for assignment in outcome.fenced:
            self._on_fenced(assignment)

    def _wait(self, members: list[Delivery]) -> None:
        """Back to the lanes behind another holder, with growing delays: the holder waits for nobody but the wire."""
        self.release(members)
        longest_s = 0.0
        for one in members:
            one.waits += 1
            longest_s = max(longest_s, FIRST_WAIT_S * 2.0 ** min(one.waits - 1, 10))
        self.lanes.give_back(members, self._clock.monotonic_s() + min(LONGEST_WAIT_S, longest_s))

    # --- what verdicts ask for ---

    def finish(self, members: list[Delivery], ending: Ending) -> None:
        """These ended, and hold nothing any more: their lanes go on."""
        self._settlement.end(self.books, members, ending)
        self.lanes.done(members)

    def release(self, members: list[Delivery]) -> None:
        """Give back what they hold, in the background, until the ledger has it."""
        held = [Held(one.intent, one.token) for one in members if one.token]
        for one in members:
            one.token = 0
        if held:
            self._background.spawn(self._patient.release(held))

    def abandon(self, members: list[Delivery]) -> None:
        """Their assignment ends and they are not on the wire: given back and given up."""
        self.release(members)
        self.finish(members, Ending.ABANDONED)

    def put_back(self, batch: Batch, now_s: float, not_before_s: float = 0.0) -> None:
        """It cannot go now. Never unclear: its members return to their lanes; else it waits with what it holds."""
        members = self.drop_leaving(batch)
        rest = [one for part in batch.rest for one in part]
        if not batch.in_doubt:
            self.release(members)
            if not any(one.token for one in rest):
                self.lanes.give_back(members + rest, not_before_s)
                return
        self.later(batch, max(now_s, not_before_s))

    def later(self, batch: Batch, at_s: float) -> None:
        """The same array again, not before `at_s`."""
        if not batch.members:
            self.follow(batch)
            return
        self._ticket += 1
        heappush(self._waiting, (at_s, self._ticket, batch))

    def follow(self, batch: Batch) -> None:
        """The batch ended: the next part of its array, if it was bisected, is due."""
        part = batch.following()
        if part is not None:
            self.part(part)

    def part(self, batch: Batch) -> None:
        """A part of a bisected array goes as soon as the gate takes it, after reserving anew."""
        self.drop_leaving(batch)
        if batch.members:
            self._parts.append(batch)
        else:
            self.follow(batch)

    # --- out ---

    def leave(self) -> None:
        """Some assignments drain or ended: abandon at once all of theirs that is not on the wire."""
        queued = self.lanes.abandon(lambda one: bool(one.work.assignment.phase))
        # They were never taken, so they hold nothing and their lanes do not count them.
        self._settlement.end(self.books, queued, Ending.ABANDONED)
        batches = [*self._reserved, *self._parts, *(entry[2] for entry in self._waiting)]
        for batch in batches:
            self.drop_leaving(batch)
        self._reserved = deque(batch for batch in self._reserved if batch.members)
        self._parts = deque(batch for batch in self._parts if batch.members)
        self._waiting = [entry for entry in self._waiting if entry[2].members]
        heapify(self._waiting)
        for batch in batches:
            if not batch.members:
                self.follow(batch)
        for batch in self._shipping:
            self._drop_leaving_parts(batch)
        self.wake()

    def drop_leaving(self, batch: Batch) -> list[Delivery]:
        """Members whose partition leaves are given up, in the batch and in its parts to come; gives those that stay."""
        leaving = [one for one in batch.members if one.work.assignment.phase]
        if leaving:
            batch.keep([one for one in batch.members if not one.work.assignment.phase])
            self.abandon(leaving)
        self._drop_leaving_parts(batch)
        return batch.members

    def _drop_leaving_parts(self, batch: Batch) -> None:
        leaving = [one for part in batch.rest for one in part if one.work.assignment.phase]
        if leaving:
            parts = ([one for one in part if not one.work.assignment.phase] for part in batch.rest)
            batch.rest = tuple(part for part in parts if part)
            self.abandon(leaving)

    def busy_with(self, assignments: set[Assignment]) -> bool:
        """Whether something of these is on the wire, or is being reserved or ended."""
        batches = self._shipping | self._reserving
        return any(one.work.assignment in assignments for batch in batches for one in batch.members)

    @property
    def in_flight(self) -> int:
        """Deliveries that have not ended, counted where they stand."""
        return len(self.lanes) + self.unsent

    def close(self) -> None:
        """Nothing starts any more."""
        self.paused = True
        if self._timer is not None:
            self._timer.cancel()
