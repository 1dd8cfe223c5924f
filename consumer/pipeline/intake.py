"""The first steps of a record: tracked, decoded, routed, and offered to its destinations."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from itertools import count

import msgspec

from consumer.avro.decoder import Decoder
from consumer.avro.undecodable import Undecodable
from consumer.clock import Clock
from consumer.core.books import Books
from consumer.core.pressure import Pressure
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff, Random
from consumer.errors import RegistryUnavailable
from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.grave import Grave
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.traces import trace_chunk
from consumer.pipeline.work import Assignment, Delivery, Phase, Work
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Datum, Dropped, Matched, Plan, Routed, Unmapped
from consumer.types import Record


class IntakePolicy(msgspec.Struct, frozen=True):
    """When decoding halts, and how a registry without an answer is asked again."""

    max_undecodable_ratio: float = 0.5
    retry_held_s: float = 5.0
    backoff: Backoff = Backoff(base_s=0.5, max_s=15.0)


class Intake:
    """Takes chunks of one assignment in their order. Waits for nothing, but keeps a partition's chunks back while a
    schema of theirs is fetched; other partitions go on."""

    def __init__(
        self,
        policy: IntakePolicy,
        plan: Plan,
        decoder: Decoder,
        sinks: Mapping[str, Sink],
        graveyard: Graveyard,
        settlement: Settlement,
        books: Books,
        pressure: Pressure,
        background: Background,
        tracing: Tracing,
        clock: Clock,
        random: Random,
        on_note: Callable[[str], None],
    ) -> None:
        self._policy = policy
        self._plan = plan
        self._decoder = decoder
        self._sinks = sinks
        self._graveyard = graveyard
        self._settlement = settlement
        self._books = books
        self._pressure = pressure
        self._background = background
        self._tracing = tracing
        self._clock = clock
        self._random = random
        self._note = on_note
        self._guard = RefusalGuard(policy.max_undecodable_ratio)
        self.halted: str | None = None
        """Why nothing undecodable is dead-lettered, or no record decoded, at present."""

    def take(self, assignment: Assignment, records: list[Record]) -> None:
        """Track the records and send each on its way."""
        first = assignment.tracker.track(len(records))
        self._books.consumed += len(records)
        self._pressure.add(len(records), sum([record.size_bytes for record in records]))
        if assignment.backlog:
            assignment.backlog.append((first, records))
        elif self._decoder.missing(_with_value(records)):
            assignment.backlog.append((first, records))
            self._background.spawn(self._load(assignment))
        else:
            self._admit(assignment, first, records)

    async def _load(self, assignment: Assignment) -> None:
        """Work the backlog off, schema by schema."""
        attempt = 0
        while assignment.backlog and not assignment.phase:
            first, records = assignment.backlog[0]
            try:
                await self._decoder.load(self._decoder.missing(_with_value(records)))
            except RegistryUnavailable as error:
                attempt += 1
                self.halted = f"schema registry: {error}"
                self._note(self.halted)
                await asyncio.sleep(max(0.1, self._policy.backoff.delay_s(attempt, self._random)))
                continue
            attempt = 0
            self.halted = None
            if assignment.phase or self._decoder.missing(_with_value(records)):
                continue
            assignment.backlog.popleft()
            self._admit(assignment, first, records)

    def leave(self, assignment: Assignment) -> None:
        """The assignment drains: give up what was not decoded, and what is held."""
        for first, records in assignment.backlog:
            for number, record in zip(count(first), records, strict=False):
                self._give_up(Work(record, assignment, number))
        assignment.backlog.clear()
        for work in assignment.held:
            self._give_up(work)
        assignment.held.clear()

    def _give_up(self, work: Work) -> None:
        work.abandoned = True
        self._settlement.finish(work)

    def _admit(self, assignment: Assignment, first: int, records: list[Record]) -> None:
        values = _with_value(records)
        data = iter(self._decoder.decode(values))
        router = self._plan.router(records[0].topic)
        refused: list[tuple[Work, str]] = []
        traces = trace_chunk(self._tracing, assignment.partition, first, records)
        for number, record in zip(count(first), records, strict=False):
            work = Work(record, assignment, number)
            if traces:
                work.trace = traces.get(number)
            if record.value is None:
                self._books.tombstones += 1
                self._settlement.finish(work)
                continue
            datum = next(data)
            if isinstance(datum, Undecodable):
                refused.append((work, datum.reason))
                continue
            routed = router(datum, record)
            if routed:
                work.open = len(routed)
                self._offer(work, datum, routed)
            else:
                self._books.unrouted += 1
                self._settlement.finish(work)
        self._judge(assignment, len(values) - len(refused), refused)
        self._settlement.progress.set()
        for sink in self._sinks.values():
            sink.wake()

    def _offer(self, work: Work, datum: Datum, routed: list[Routed]) -> None:
        record, assignment = work.record, work.assignment
        user = record.key
        if user is None:
            user = self._plan.user(record.topic)(datum)
        in_order: Hashable = (assignment.lane_prefix, user)
        for one in routed:
            route = one.route
            sink = self._sinks[route.destination]
            sink.books.matched += 1
            if type(one) is Matched:
                intent = Intent(
                    one.key, record.topic, record.partition, record.offset, assignment.epoch, route.id, one.once
                )
                delivery = Delivery(work, route.operation, one.body, intent)
                sink.offer(in_order if route.ordered else (assignment.lane_prefix, record.offset, route.id), delivery)
                continue
            intent = Intent(None, record.topic, record.partition, record.offset, assignment.epoch, route.id)
            delivery = Delivery(work, route.operation, b"", intent)
            if isinstance(one, Dropped):
                self._settlement.end(sink.books, [delivery], Ending.DROPPED)
            elif isinstance(one, Unmapped):
                reason = f"{one.field}: {one.reason}" if one.field else one.reason
                sink.refuse(delivery, Grave(reason, sink.name, route.id))

    # --- undecodable records, and when there are too many ---

    def _judge(self, assignment: Assignment, decoded: int, refused: list[tuple[Work, str]]) -> None:
        now_s = self._clock.monotonic_s()
        if decoded:
            self._guard.accepted(now_s, decoded)
        if self.halted == MASS and decoded > len(refused):
            self._resume()
        if not refused:
            return
        if self._guard.refused(now_s, len(refused)) or self.halted == MASS:
            if self.halted != MASS:
                self.halted = MASS
                self._note("most records cannot be decoded: holding them back instead of dead-lettering them")
            if not assignment.held:
                self._background.spawn(self._retry_held(assignment))
            assignment.held += [work for work, _ in refused]
            return
        for work, reason in refused:
            self._bury(work, reason)

    def _bury(self, work: Work, reason: str) -> None:
        self._books.undecodable += 1
        self._background.spawn(self._graveyard.bury_record(work, reason))

    def _resume(self) -> None:
        self.halted = None
        self._guard.forget()

    async def _retry_held(self, assignment: Assignment) -> None:
        """Look at the held records again from time to time: a schema may have come, or the halt be over."""
        while assignment.held and assignment.phase is Phase.LIVE:
            await asyncio.sleep(self._policy.retry_held_s)
            held = assignment.held
            records = [work.record for work in held]
            try:
                await self._decoder.load(self._decoder.missing(records))
            except RegistryUnavailable as error:
                self._note(f"schema registry: {error}")
                continue
            if assignment.phase or self._decoder.missing(records):
                continue
            assignment.held = []
            self._admit_held(held)

    def _admit_held(self, held: list[Work]) -> None:
        data = self._decoder.decode([work.record for work in held])
        good = sum(not isinstance(datum, Undecodable) for datum in data)
        if good * 2 > len(held):
            self._resume()
        for work, datum in zip(held, data, strict=True):
            if not isinstance(datum, Undecodable):
                routed = self._plan.router(work.record.topic)(datum, work.record)
                work.open = len(routed)
                self._offer(work, datum, routed)
                if not routed:
                    self._books.unrouted += 1
                    self._settlement.finish(work)
            elif self.halted == MASS:
                work.assignment.held.append(work)
            else:
                self._bury(work, datum.reason)
        for sink in self._sinks.values():
            sink.wake()


MASS = "mass refusal: most records cannot be decoded"


def _with_value(records: list[Record]) -> list[Record]:
    return [record for record in records if record.value is not None]
