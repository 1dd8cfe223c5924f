"""One destination: its gate, and what goes through it when. `Verdicts` decides what follows an answer."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Set
from typing import Any

from consumer.clock import Clock
from consumer.core.books import DestinationBooks
from consumer.core.gate import Gate
from consumer.endpoints.settling import Settling
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Ledger
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.filling import Filling
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.reserve import Sorted, reserve
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.stock import Stock
from consumer.pipeline.work import Assignment, Delivery

FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 1.0


class Sink:
    """Lanes → reservation → gate → wire. Everything here runs on the event loop; nothing blocks it.

    `ship` sends a reserved batch and applies what follows, and says whether that is to be confirmed: then `confirmed`
    or `unconfirmed` gets the batch, later. `refuse` dead-letters a delivery that cannot be sent
    at all, in the background.
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
        self.stock = Stock(books, settlement, patient, background)
        self.lanes = self.stock.lanes
        self.ship: Callable[[Batch], Coroutine[Any, Any, bool]]
        self.refuse: Callable[[Delivery, Grave], None]
        self.paused = False
        self._ledger = ledger
        self._patient = patient
        self._settlement = settlement
        self._clock = clock
        self._background = background
        self._on_fenced = on_fenced
        self._reserving: set[Batch] = set()
        self._shipping: set[Batch] = set()
        self._pumping = False
        self._probe_new = False
        self._timer: asyncio.TimerHandle | None = None
        self._filling = Filling(self.lanes)

    def offer(self, lane_key: Hashable, delivery: Delivery) -> None:
        """A delivery joins its lane; `wake` after the last of a chunk."""
        self.lanes.add(lane_key, delivery)

    def wake(self) -> None:
        """Something changed: see what may go. Cheap to call often."""
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def leave(self) -> None:
        """Some assignments drain or ended: abandon at once all of theirs that is not on the wire."""
        self.stock.leave(self._shipping | self._reserving)
        self.wake()

    def busy_with(self, assignments: set[Assignment]) -> bool:
        """Whether something of these is on the wire, or is being reserved or ended."""
        batches = self._shipping | self._reserving
        return any(one.work.assignment in assignments for batch in batches for one in batch.members)

    @property
    def moving(self) -> tuple[Set[Batch], Set[Batch]]:
        """The batches that are on the wire or ending, and those that are being reserved."""
        return self._shipping, self._reserving

    @property
    def in_flight(self) -> int:
        """Deliveries that have not ended, counted where they stand."""
        return self.stock.in_flight

    def close(self) -> None:
        """Nothing starts any more."""
        self.paused = True
        if self._timer is not None:
            self._timer.cancel()

    # --- send ---

    def _pump(self) -> None:
        self._pumping = False
        if self.paused:
            return
        now_s = self._clock.monotonic_s()
        self.lanes.wake(now_s)
        self._send_reserved(now_s)
        chosen = self._choose(now_s)
        if chosen:
            self._reserving.update(chosen)
            self._background.spawn(self._reserve(chosen))
        self._set_timer(now_s)

    def _send_reserved(self, now_s: float) -> None:
        shelf, gate = self.stock.shelf, self.gate
        permits = gate.permits(now_s)
        while permits > 0 and shelf.reserved:
            batch = shelf.reserved.popleft()
            if now_s > batch.begin_by_s:
                shelf.parts.append(batch)  # Its reservation must outlive the request: renew it first.
                continue
            permits -= 1
            batch.started, batch.sent_at_s = gate.start(), now_s
            self._shipping.add(batch)
            self._background.spawn(self._see_through(batch))
        if shelf.reserved and gate.permits(now_s) == 0 and gate.closed(now_s):
            # What cannot go after all must not keep others waiting for its keys.
            batches = list(shelf.reserved)
            shelf.reserved.clear()
            for batch in batches:
                self.stock.put_back(batch, now_s)

    async def _see_through(self, batch: Batch) -> None:
        to_confirm = False
        try:
            if self.stock.drop_leaving(batch):
                batch.unanswered = True
                to_confirm = await self.ship(batch)
            else:
                # Its partitions left since the gate let it pass: nothing of theirs may go out any more.
                self.gate.end()
                self.stock.follow(batch)
        except asyncio.CancelledError:
            if batch.unanswered:
                self.stock.doubt(batch.members)
            raise
        finally:
            if not to_confirm:
                self._shipping.discard(batch)
                self._settlement.progress.set()
                self.wake()

    def confirmed(self, batches: list[Batch]) -> None:
        """These were acknowledged, and have ended: their permits are free."""
        self._shipping.difference_update(batches)
        self.gate.confirmed([batch.sent_at_s for batch in batches], self._clock.monotonic_s())
        for batch in batches:
            self.stock.follow(batch)
        self._settlement.progress.set()
        self.wake()

    def unconfirmed(self, batches: list[Batch]) -> None:
        """These were acknowledged, and everything ends before that is written down: they may come again."""
        self._shipping.difference_update(batches)
        for batch in batches:
            self.gate.end()
            self.stock.doubt(batch.members)

    # --- choose ---

    def _room(self, now_s: float) -> int:
        """How many batches to reserve now: one gate's worth ahead, so that no permit idles while the ledger works."""
        permits = self.gate.permits(now_s)
        ahead = len(self.stock.shelf.reserved) + len(self._reserving)
        if self.gate.halted is not None:
            return min(1, permits) - ahead
        if self.gate.closed(now_s):
            return 0  # A reservation would only age.
        room = permits + self.gate.ahead - ahead
        # Few at a time would cost a call of the ledger for each answer: while some are ahead, wait for half.
        return 0 if ahead and room < self.gate.ahead // 2 else room

    def _choose(self, now_s: float) -> list[Batch]:
        """What the gate takes next: what was tried before, or is a part, comes before what is new."""
        room = self._room(now_s)
        if room <= 0:
            return []
        shelf = self.stock.shelf
        if self.gate.halted is None:
            chosen = shelf.due(now_s, room)
            self._choose_new(now_s, room, chosen)
            return chosen
        # Every other probe is a new one: a record that never gets an answer must not alone keep up the halt.
        chosen = [] if self._probe_new else shelf.due(now_s, room)
        self._choose_new(now_s, room, chosen)
        chosen = chosen or shelf.due(now_s, room)
        if chosen:
            self._probe_new = not self._probe_new
        return chosen

    def _choose_new(self, now_s: float, room: int, chosen: list[Batch]) -> None:
        ready = self.lanes.ready()
        self._filling.forget_all_but(operation for operation, _ in ready)
        for operation, lanes in ready:
            settle_s = operation.settle_delay_s if isinstance(operation, Settling) else 0.0
            most = lanes if settle_s else room - len(chosen)
            batches, again = self._filling.batches(self.policy, operation, lanes, most, now_s)
            if again:
                self.wake()
            if settle_s:
                # They hold their lanes, and reserve nothing yet.
                for batch in batches:
                    self.stock.later(batch, now_s + settle_s)
            else:
                chosen += batches

    def _set_timer(self, now_s: float) -> None:
        """Wake when time alone lets something go. What is due already waits for a permit: an answer wakes it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = self._filling.due_at_s(self.policy)
        times += [at_s for at_s in (self.stock.shelf.next_at_s, self.lanes.next_wake_s) if at_s is not None]
        times = [at_s for at_s in times if at_s > now_s]
        if (opens_s := self.gate.opens_at_s(now_s)) is not None:
            times.append(opens_s)
        if times:
            delay_s = max(0.001, min(times) - now_s)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.wake)

    # --- reserve ---

    async def _reserve(self, batches: list[Batch]) -> None:
        asked_s = self._clock.monotonic_s()
        try:
            outcome = await reserve(self._ledger, batches)
        except LedgerUnavailable as error:
            now_s = self._clock.monotonic_s()
            self._patient.trouble = str(error)
            self.gate.halt(now_s, f"ledger: {error}")
            for batch in batches:
                self.stock.put_back(batch, now_s)
        else:
            self._patient.trouble = None
            self._apply(outcome, asked_s)
        finally:
            self._reserving.difference_update(batches)
            self._settlement.progress.set()
            self.wake()

    def _apply(self, outcome: Sorted, asked_s: float) -> None:
        stock = self.stock
        for batch in outcome.granted:
            batch.begin_by_s = asked_s + self.policy.fresh_s
            stock.shelf.reserved.append(batch)
        for one in outcome.suppressed:
            # Another process may have delivered it a moment ago, and been killed.
            stock.let_settle(one.kind, [one], self._clock.monotonic_s())
        for members, ending in (
            (outcome.suppressed, Ending.SUPPRESSED),
            (outcome.windowed, Ending.WINDOWED),
        ):
            if members:
                stock.release(members)
                stock.finish(members, ending)
        if outcome.waiting:
            self._wait(outcome.waiting)
        if outcome.leaving:
            stock.abandon(outcome.leaving)
        for batch in outcome.emptied:
            stock.follow(batch)
        for assignment in outcome.fenced:
            self._on_fenced(assignment)

    def _wait(self, members: list[Delivery]) -> None:
        """Back to the lanes behind another holder, at growing distances. Holding nothing: so none waits in a circle."""
        self.stock.release(members)
        longest_s = 0.0
        for one in members:
            one.waits += 1
            longest_s = max(longest_s, FIRST_WAIT_S * 2.0 ** min(one.waits - 1, 10))
        self.lanes.give_back(members, self._clock.monotonic_s() + min(LONGEST_WAIT_S, longest_s))
