"""One consumer process in a search: the real pipeline from the intake to the commit, between edges that wait for the
search."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from consumer.core.books import Books, DestinationBooks
from consumer.core.gate import Gate, GatePolicy
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff
from consumer.endpoints.endpoint import Operation
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.caution import Caution
from consumer.pipeline.commits import Committer
from consumer.pipeline.confirmations import Confirmations
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake, IntakePolicy
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.shipping import shipping
from consumer.pipeline.sink import Sink
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy, Verdicts
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Matched, Plan, Route
from consumer.types import Chunk, Record
from tests.search.edges import AskedLedger, AskedPost, AskedWriter, Call, Open, Told
from tests.search.played import Items, LoopClock, Readable
from tests.search.scenario import ROUTE, TOPIC, VERSION, Scenario, key_of, once_of, place
from tests.search.timers import timer_name
from tests.search.turns import StepLoop
from tests.unit.pipeline.invariants import CheckedSettlement, Invariants

DRAIN_S = 10.0
STALL_S = 20.0
AT_ONCE = Backoff(base_s=0.0, max_s=0.0)


class Process:
    """One process from its start. `do` lets one thing happen to it, and everything that follows at once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.loop = StepLoop()  # type: ignore[abstract]  # It has what is used of it.
        self.open = Open()
        self.told = Told()
        self.dead = False
        self.commits: asyncio.Task[None] | None = None
        with self.loop.entered():
            self._build()

    def _build(self) -> None:
        clock, random = LoopClock(self.loop), lambda: 0.0
        self.background = Background(self.loop.failures.append)
        self.books = Books(destinations={"api": DestinationBooks()})
        self.pressure = Pressure(PressurePolicy(), [TOPIC])
        self.settlement = CheckedSettlement([], self.books, self.pressure)
        self.invariants = Invariants(self.settlement)
        ledger, tracing = AskedLedger(self.open), Tracing(None, "group")
        self.patient = PatientLedger(ledger, AT_ONCE, random, lambda _: None)
        self.graveyard = Graveyard(
            AskedWriter(self.open),
            {TOPIC: "letters"},
            self.patient,
            self.settlement,
            tracing,
            AT_ONCE,
            random,
        )
        self.sink = self._sink(ledger, clock)
        self.verdicts = Verdicts(
            self.sink,
            RetryPolicy(AT_ONCE, unclear_votes=self.scenario.unclear_votes),
            RefusalGuard(1.0),
            RefusalGuard(1.0),
            self.background,
            self.patient,
            self.graveyard,
            self.settlement,
            clock,
            random,
        )
        ship = shipping(self.sink, AskedPost(self.open), self.verdicts)  # type: ignore[arg-type]

        async def watched_ship(batch: Batch) -> bool:
            try:
                self.invariants.order("api", batch)
            except AssertionError as error:
                raise AssertionError(f"rule 3: {error}") from error
            return await ship(batch)

        self.sink.ship = watched_ship
        self.sink.refuse = self.verdicts.refuse
        sinks = {"api": self.sink}
        self.readable = Readable()
        self.intake = Intake(
            IntakePolicy(),
            self.plan(VERSION),
            self.readable,  # type: ignore[arg-type]
            sinks,
            self.graveyard,
            self.settlement,
            Caution(self.patient, self._rehearse, self.background, lambda _: None),
            self.books,
            self.background,
            tracing,
            clock,
            random,
            lambda _: None,
        )
        self.coordinator = Coordinator(
            self.books,
            self.pressure,
            ledger,
            self.patient,
            self.intake,
            sinks,
            self.graveyard,
            self.settlement,
            accept_ledger=False,
            ledger_is_shared=True,
            on_note=lambda _: None,
        )
        # As if each had been assigned before: lanes are told apart by it, and nothing else.
        self.coordinator._prefixes = {place(one): one for one in range(self.scenario.partitions)}
        self.committer = Committer(self.patient, self.told.commit, 1.0, tracing)
        self.coordinator.attach(self.told, self.committer)

    def _sink(self, ledger: AskedLedger, clock: LoopClock) -> Sink:
        scenario = self.scenario
        self.operation: Operation = Items(scenario.max_items)  # type: ignore[assignment]
        policy = GatePolicy(
            # What the limit learns is no part of the protocol, and would tell states apart that go on alike.
            max_in_flight=scenario.max_in_flight,
            adaptive=False,
            breaker_after=1_000,
            backoff=AT_ONCE,
        )
        sink = Sink(
            "api",
            SinkPolicy(max_items=scenario.max_items, linger_s=0.0),
            Gate(policy, lambda: 0.0),
            ledger,
            self.patient,
            self.settlement,
            self.books.destinations["api"],
            clock,
            self.background,
            lambda assignment: self.coordinator.fenced(assignment),
        )
        offer = sink.offer

        def watched_offer(lane_key: Any, delivery: Any) -> None:
            self.invariants.lanes["api", lane_key].append(delivery)
            offer(lane_key, delivery)

        sink.offer = watched_offer  # type: ignore[method-assign]
        return sink

    async def _rehearse(self, steps: Sequence[Callable[[], object]]) -> Mapping[int, str]:
        """The child, which dies of nothing."""
        here, self.readable.met = self.readable.met, []
        for step in steps:
            step()
        there, self.readable.met = self.readable.met, here
        await self.open.ask("rehearse", tuple(there))
        return {}

    def plan(self, version: str) -> Plan:
        """The topology; another version maps the same."""
        route = Route(ROUTE, TOPIC, "api", self.operation, True, (), "")

        def routed(_: Any, record: Record) -> list[Matched]:
            said = self.scenario.said[record.origin]
            return [Matched(route, b"{}", key_of(said), once_of(said))]

        return Plan(version, {}, {}, (), {TOPIC: routed}, {TOPIC: lambda _: None})  # type: ignore[dict-item]

    @property
    def confirmations(self) -> Confirmations:
        """What of its sink is acknowledged and not confirmed."""
        return self.verdicts._confirmations

    # --- what happens to it ---

    def do(self, event: Call) -> tuple[Call, ...]:
        """Gives what it told the owner thread. Raises AssertionError where an invariant of one process is broken."""
        self.told.told.clear()
        self.readable.met.clear()
        with self.loop.entered():
            getattr(self, f"_{event.kind}")(*event.about)
            self.loop.settle()
        self._check()
        return (*self._met(), *self.told.told)

    def _met(self) -> Iterator[Call]:
        """What it decoded itself. A record that kills may be any of these."""
        for origin in self.readable.met:
            if (assignment := self.coordinator.assignments.get(place(origin.partition))) is not None:
                yield Call("met", (origin.partition, assignment.epoch, origin.offset))

    def _answer(self, call: Call, answer: Any) -> None:
        self.open.answer(call, answer)

    def _assign(self, partition: int, committed: int | None) -> None:
        self.background.spawn(self._take_over(partition, committed))

    async def _take_over(self, partition: int, committed: int | None) -> None:
        where = place(partition)
        assigned = (await self.coordinator.claim({where: committed}))[where]
        # As `consumer.kafka.starting` has it: where nothing is committed the ledger's position counts, then `start`.
        offset = committed if committed is not None else assigned.position or 0
        await self.coordinator.begin({where: (assigned.epoch, offset)})
        self.told.begun(partition, assigned.epoch, offset)

    def _poll(self, partition: int, epoch: int, first: int, count: int) -> None:
        records = list(self.scenario.logs[partition][first : first + count])
        assignment = self.coordinator.assignments.get(place(partition))
        if assignment is not None and assignment.epoch == epoch:
            self.invariants.handed[assignment].extend(one.offset for one in records)
        self.coordinator.records([Chunk(place(partition), epoch, records)], len(records))

    def _commit(self) -> None:
        assignments = list(self.coordinator.assignments.values())
        self.commits = self.loop.create_task(self.committer.commit(assignments))

    def _committed(self, partition: int, offset: int) -> None:
        self.coordinator.committed({place(partition): offset}, {})

    def _failed(self, partition: int) -> None:
        self.coordinator.committed({}, {place(partition): "ILLEGAL_GENERATION"})

    def _drain(self, partition: int) -> None:
        self.background.spawn(self._leave(partition))

    async def _leave(self, partition: int) -> None:
        offsets = await self.coordinator.drain([place(partition)], DRAIN_S)
        self.told.drained(partition, offsets.get(place(partition)))

    def _lost(self, partition: int) -> None:
        self.coordinator.lost([place(partition)])

    def _stall(self) -> None:
        """It was not run for longer than its lease."""
        self.loop.now_s += STALL_S

    def _reload(self, version: str) -> None:
        self.intake.plan = self.plan(version)

    def _timer(self, name: str) -> None:
        self.loop.fire(
            min((one for one in self.loop.timers if timer_name(one) == name), key=lambda t: t.when())
        )

    # --- what must hold in it ---

    def _check(self) -> None:
        assert not self.loop.failures, self.loop.failures
        books = self.coordinator.count()
        assert books.balanced, f"rule 11: the books do not balance: {books}"
        for assignment in self.coordinator.assignments.values():
            try:
                self.invariants.committable(assignment)
            except AssertionError as error:
                raise AssertionError(f"rule 1: {error}") from error

    def drop(self) -> None:
        """It is not needed any more: what it left hanging ends without a word."""
        self.sink._pumping = True
        with self.loop.entered():
            for task in self.loop.tasks:
                coroutine: Any = task.get_coro()
                coroutine.close()


class Seen(NamedTuple):
    """What the world can see of a process in one state."""

    calls: tuple[Call, ...]
    timers: tuple[str, ...]
    due: bool
    """Something may be committed, and no commit is under way."""
    tokens: frozenset[int]
    epochs: frozenset[tuple[int, int]]
    """(partition, epoch) of all that it still knows."""
    unanswered: tuple[Any, ...]
    """The intents on the wire, or acknowledged and not confirmed."""
    holding: tuple[Any, ...]
    """The intents that it holds a token for."""
