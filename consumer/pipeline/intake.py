"""The first steps of a record: tracked, decoded, routed, and offered to its destinations."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from time import perf_counter

import msgspec

from consumer.avro.decoder import Decoded, Decoder
from consumer.avro.framing import SchemaId
from consumer.avro.undecodable import Undecodable
from consumer.clock import Clock
from consumer.core.books import Books
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff, Random
from consumer.errors import RegistryUnavailable
from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background
from consumer.pipeline.caution import Caution
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.grave import Grave
from consumer.pipeline.reading import Reading, with_value
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.shortcuts import Shortcuts
from consumer.pipeline.sink import Sink
from consumer.pipeline.traces import trace_chunk
from consumer.pipeline.work import Assignment, Delivery, Parcel, Work
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Datum, Dropped, Matched, Plan, Routed, Unmapped
from consumer.types import Record

MASS = "mass refusal: most records cannot be decoded"


class IntakePolicy(msgspec.Struct, frozen=True):
    """When decoding halts, and how a registry without an answer is asked again."""

    max_undecodable_ratio: float = 0.5
    retry_held_s: float = 5.0
    backoff: Backoff = Backoff(base_s=0.5, max_s=15.0)


class Intake:
    """Takes chunks of one assignment in their order. Waits for nothing, but keeps a partition's chunks back while a
    schema of theirs is fetched, and those of all partitions while most records cannot be decoded."""

    def __init__(
        self,
        policy: IntakePolicy,
        plan: Plan,
        decoder: Decoder,
        sinks: Mapping[str, Sink],
        graveyard: Graveyard,
        settlement: Settlement,
        caution: Caution,
        books: Books,
        background: Background,
        tracing: Tracing,
        clock: Clock,
        random: Random,
        on_note: Callable[[str], None],
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._policy = policy
        self.plan = plan
        """By which records are routed from the next chunk on. What is in flight stays as it was mapped."""
        self._decoder = decoder
        self._reading = Reading(decoder)
        self._shortcuts = Shortcuts(decoder)
        self._sinks = sinks
        self._graveyard = graveyard
        self._settlement = settlement
        self._caution = caution
        self._books = books
        self._background = background
        self._tracing = tracing
        self._clock = clock
        self._random = random
        self._note = on_note
        self._guard = RefusalGuard(policy.max_undecodable_ratio)
        self._mass = False
        self._resumed = asyncio.Event()
        self._registry_trouble = ""
        self._loading: set[Assignment] = set()

    @property
    def halted(self) -> str | None:
        """Why some or all records are not decoded at present."""
        if self._mass:
            return MASS
        return f"schema registry: {self._registry_trouble}" if self._registry_trouble else None

    def take(self, assignment: Assignment, records: list[Record]) -> None:
        """Track the records and send each on its way."""
        started_s = perf_counter()
        tracker = assignment.tracker
        parcel = Parcel(tracker.track(len(records)), records)
        now_ms = int(self._clock.wall_s() * 1000)
        assignment.ages.add(parcel.first, records[0].timestamp_ms, now_ms, tracker.oldest)
        self._books.consumed += len(records)
        assignment.load.add(len(records), parcel.size_bytes)
        backlog = assignment.backlog
        if (
            self._caution.clear(assignment, records)
            and self._reading.fits(parcel)
            and (self._mass or not backlog)
        ):
            # During a halt each new chunk is a probe, though it may have to wait for its turn.
            values = with_value(records)
            if not self._decoder.missing(values):
                data = self._decoded(values, parcel)
                if self._passes(parcel, data) and not backlog:
                    self._admit(assignment, parcel, data)
                    if self._metrics is not None:
                        self._metrics.process_duration(assignment.partition.topic)(perf_counter() - started_s)
                    return
        backlog.append(parcel)
        if len(backlog) == 1:
            self._background.spawn(self._work_off(assignment))

    def leave(self, assignment: Assignment) -> None:
        """The assignment drains: give up what was not decoded."""
        works = [
            Work(record, assignment, number)
            for parcel in assignment.backlog
            for number, record in enumerate(parcel.records, parcel.first)
        ]
        assignment.backlog.clear()
        self._stop_loading(assignment)
        for work in works:
            work.abandoned = True
        self._settlement.conclude(works)

    # --- chunks that have to wait ---

    async def _work_off(self, assignment: Assignment) -> None:
        """Admit the backlog in its order, until there is none."""
        backlog = assignment.backlog
        while backlog and not assignment.phase:
            parcel = backlog[0]
            if self._mass:
                # A chunk that no one has looked into, for want of its schema, may be the probe that ends the halt.
                parcel = next((one for one in backlog if not one.judged), parcel)
            if not self._caution.knows(assignment, parcel.records):
                await self._caution.approach(assignment, parcel.records)
                continue
            values = with_value(parcel.records)
            wary = parcel.fatal is None and self._caution.is_due(assignment, parcel.records)
            if missing := self._decoder.missing(values):
                await self._load(assignment, missing, wary=wary)
                continue
            if self._reading.divide(backlog, parcel):
                continue
            if wary:
                parcel.fatal = await self._caution.rehearse(values, self._step)
                continue  # The assignment may have left meanwhile, or a schema have been forgotten.
            data, again = self._decoded(values, parcel), parcel.judged
            if self._passes(parcel, data):
                if parcel is backlog[0]:
                    backlog.popleft()
                    self._admit(assignment, parcel, data)
            elif again:
                # Looks again from time to time: a schema may have come.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._policy.retry_held_s):
                        await self._resumed.wait()

    def _decoded(self, values: Sequence[Record], parcel: Parcel) -> Sequence[Decoded]:
        shortcuts = self._shortcuts.of(self.plan, parcel.records[0].topic)
        return self._reading.data(values, parcel.fatal, shortcuts)

    def _step(self, record: Record) -> None:
        """All that is done with one record's bytes: what comes after handles only what was made of them."""
        (datum,) = self._decoder.answer([record], self._shortcuts.of(self.plan, record.topic))
        if isinstance(datum, dict):
            self.plan.router(record.topic)(datum, record)

    async def _load(self, assignment: Assignment, ids: Iterable[SchemaId], *, wary: bool) -> None:
        self._loading.add(assignment)
        attempt = 0
        try:
            while not assignment.phase:
                try:
                    await self._decoder.load(ids, self._caution.alone if wary else None)
                except RegistryUnavailable as error:
                    attempt += 1
                    self._registry_trouble = str(error)
                    self._note(f"schema registry: {error}")
                    await asyncio.sleep(max(0.1, self._policy.backoff.delay_s(attempt, self._random)))
                else:
                    self._registry_trouble = ""
                    return
        finally:
            self._stop_loading(assignment)

    def _stop_loading(self, assignment: Assignment) -> None:
        self._loading.discard(assignment)
        if not self._loading:
            self._registry_trouble = ""

    # --- when there are too many undecodable ones ---

    def _passes(self, parcel: Parcel, data: Sequence[Decoded]) -> bool:
        """Whether the chunk may go on; weighs what of it cannot be decoded, once.

        During a halt a chunk is the probe: if it is fit, the halt is over, and all that was held goes on.
        """
        if not self._mass and parcel.judged:
            return True
        parcel.judged = True
        bad = list(map(type, data)).count(Undecodable)
        good = len(data) - bad
        if self._mass:
            if good and bad <= self._policy.max_undecodable_ratio * len(data):
                self._mass = False
                self._guard.forget()
                self._resumed.set()
                self._resumed.clear()
        else:
            now_s = self._clock.monotonic_s()
            self._guard.accepted(now_s, good)
            if bad and self._guard.refused(now_s, bad):
                self._mass = True
                self._note(
                    f"{MASS}: they are held back, and none is dead-lettered until others can be decoded"
                )
        return not self._mass

    async def _bury(self, work: Work, reason: str) -> None:
        if await self._graveyard.bury_record(work, reason):
            self._books.undecodable += 1

    # --- route ---

    def _admit(self, assignment: Assignment, parcel: Parcel, data: Sequence[Decoded]) -> None:
        records, first = parcel.records, parcel.first
        values = iter(data)
        plan = self.plan
        router, version = plan.router(records[0].topic), plan.version
        done: list[Work] = []
        traces = trace_chunk(self._tracing, assignment.partition, first, records, version)
        for number, record in zip(count(first), records, strict=False):
            work = Work(record, assignment, number, version)
            if traces:
                work.trace = traces.get(number)
            if record.value is None:
                self._books.tombstones += 1
                done.append(work)
                continue
            datum = next(values)
            if isinstance(datum, dict):
                routed = router(datum, record)
            elif isinstance(datum, list):
                routed = datum
            else:
                self._background.spawn(self._bury(work, datum.reason))
                continue
            if routed:
                work.open = len(routed)
                self._offer(work, datum, routed)
            else:
                self._books.unrouted += 1
                done.append(work)
        self._settlement.conclude(done)
        for sink in self._sinks.values():
            sink.wake()

    def _offer(self, work: Work, datum: Datum | list[Routed], routed: list[Routed]) -> None:
        record, assignment = work.record, work.assignment
        user = record.key
        if user is None and isinstance(datum, dict):  # no shortcut takes a record without a key
            user = self.plan.user(record.topic)(datum)
        in_order: Hashable = (assignment.lane_prefix, user)
        for one in routed:
            route = one.route
            sink = self._sinks[route.destination]
            sink.books.matched += 1
            if type(one) is Matched:
                intent = Intent(
                    one.key,
                    record.topic,
                    record.partition,
                    record.offset,
                    assignment.epoch,
                    route.id,
                    one.once,
                    topology=work.version,
                )
                delivery = Delivery(work, route.operation, one.body, intent)
                sink.offer(
                    in_order if route.ordered else (assignment.lane_prefix, record.offset, route.id), delivery
                )
                continue
            intent = Intent(None, record.topic, record.partition, record.offset, assignment.epoch, route.id)
            delivery = Delivery(work, route.operation, b"", intent)
            if isinstance(one, Dropped):
                self._settlement.end(sink.books, [delivery], Ending.DROPPED)
            elif isinstance(one, Unmapped):
                reason = f"{one.field}: {one.reason}" if one.field else one.reason
                sink.refuse(delivery, Grave(reason, sink.name, route.id))
