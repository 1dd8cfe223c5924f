"""One consumer process on the stage, from its start to its stop or kill."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from consumer.avro.decoder import Decoder
from consumer.avro.framing import SchemaId
from consumer.core.books import Books, DestinationBooks
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.core.retries import Backoff
from consumer.endpoints.client_alias import ClientAlias
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_events import ClientEvents
from consumer.endpoints.client_identify import ClientIdentify
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.user_analytics import UserAnalytics
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.policy import LedgerPolicy
from consumer.pipeline.background import Background
from consumer.pipeline.caution import Caution
from consumer.pipeline.commits import Committer
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake, IntakePolicy
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.send import Post
from consumer.pipeline.sink import Sink
from consumer.pipeline.watchdogs import WatchdogPolicy, Watchdogs
from consumer.telemetry.spans import Tracing
from consumer.types import Chunk, TopicPartition
from tests.unit.pipeline.destination import open_sink
from tests.unit.pipeline.edges import PlayedPoller, WatchedLedger
from tests.unit.pipeline.invariants import CheckedSettlement, Invariants
from tests.unit.pipeline.peril import Peril
from tests.unit.pipeline.records import TOPIC, framed
from tests.unit.pipeline.said import Said
from tests.unit.pipeline.virtual_time import LoopClock, loop, quiet

if TYPE_CHECKING:
    from tests.unit.pipeline.stage import Stage

LEASE_S = 15.0
AGE_S = 60.0
LONGEST_REQUEST_S = 60.0
WATCHFUL = WatchdogPolicy(stuck_after_s=90.0, look_every_s=1.0)
"""The watchdogs look on in every test, often, and must find nothing where nothing is wrong."""


class Process:
    """One consumer process: the real pipeline between played edges."""

    def __init__(
        self,
        stage: "Stage",
        name: str,
        *,
        distinct: Mapping[str, Any] | None = None,
        client: Mapping[str, Any] | None = None,
        pressure: PressurePolicy | None = None,
        topics: Sequence[str] = (TOPIC,),
        intake: IntakePolicy | None = None,
        shared_ledger: bool = True,
        accept_ledger: bool = False,
    ) -> None:
        self.stage = stage
        self.name = name
        self.clock = LoopClock()
        self.faults: list[BaseException] = []
        self.notes: list[str] = []
        self.dead = False
        self.watched = True
        """False where a test goes wrong on purpose, or plays what has no end in life."""
        self.next: dict[TopicPartition, int] = {}
        self.epochs: dict[TopicPartition, int] = {}
        self.poller = PlayedPoller()
        self.refuse_commits = ""
        self.memory = MemoryLedger(stage.store, "group", LedgerPolicy(AGE_S, LEASE_S), self.clock)
        ledger = self.memory if stage.open_ledger is None else stage.open_ledger()
        self.ledger = WatchedLedger(ledger, stage.journal)
        self.background = Background(self.faults.append)
        self.books = Books(destinations={"distinct": DestinationBooks(), "client": DestinationBooks()})
        self.pressure = Pressure(pressure or PressurePolicy(), topics)
        self.settlement = CheckedSettlement(stage.journal, self.books, self.pressure)
        self.invariants = Invariants(self.settlement)
        random = stage.random.random
        backoff = Backoff(base_s=0.1, max_s=2.0)
        self.patient = PatientLedger(self.ledger, backoff, random, self.notes.append)
        self.graveyard = Graveyard(
            stage.letters,
            {TOPIC: f"{TOPIC}.dead-letters"},
            self.patient,
            self.settlement,
            Tracing(None, "group"),
            backoff,
            random,
        )
        self.operations: dict[str, Operation] = {
            "distinct": UserAnalytics(self.clock),
            "client": ClientEvents(self.clock),
            "client/alias": ClientAlias(self.clock),
            "client/identify": ClientIdentify(self.clock),
            "client/devices": ClientDevices(self.clock),
        }
        self.said = Said(self.operations)
        self.sinks: dict[str, Sink] = {}
        self.posts: dict[str, Post] = {}
        for api, changes in (("distinct", distinct), ("client", client)):
            self.sinks[api], self.posts[api] = open_sink(self, api, changes or {})
        self.decoder = Decoder(stage.registry, self.clock)
        self.peril = Peril(self.decoder, stage.deadly)
        self.intake = Intake(
            intake or IntakePolicy(),
            self.said.plan(),
            self.decoder,
            self.sinks,
            self.graveyard,
            self.settlement,
            Caution(self.patient, self.peril.rehearse, self.background, self.notes.append),
            self.books,
            self.background,
            Tracing(None, "group"),
            self.clock,
            random,
            self.notes.append,
        )
        self.coordinator = Coordinator(
            self.books,
            self.pressure,
            self.ledger,
            self.patient,
            self.intake,
            self.sinks,
            self.graveyard,
            self.settlement,
            accept_ledger=accept_ledger,
            ledger_is_shared=shared_ledger,
            on_note=self.notes.append,
        )
        self.settlement.on_relief = self.coordinator.press
        self.committer = Committer(self.patient, self._commit, 1.0, Tracing(None, "group"))
        self.coordinator.attach(self.poller, self.committer)
        self.watchdogs = Watchdogs(
            WATCHFUL,
            self.coordinator,
            self.intake,
            self.sinks,
            self.graveyard,
            self.patient,
            self.clock,
            lambda: LONGEST_REQUEST_S,
        )
        self.handed: Counter[TopicPartition] = Counter()

    # --- Kafka, as the owner thread sees it ---

    async def start(self) -> "Process":
        """Open the ledger; schema 1 is known from before."""
        await self.decoder.load([SchemaId(framed(b""))])
        await self.ledger.open()
        loop().at_the_end.append(self.close)
        self.background.spawn(self.committer.run(lambda: list(self.coordinator.assignments.values())))
        return self

    async def assign(self, *partitions: TopicPartition) -> None:
        """What the owner thread does when partitions come."""
        committed = {one: self.stage.committed.get(one) for one in partitions}
        assigned = await self.coordinator.claim(committed)
        positions: dict[TopicPartition, tuple[int, int]] = {}
        for one in partitions:
            offset = committed[one]
            if offset is None:
                offset = assigned[one].position or 0
            positions[one] = (assigned[one].epoch, offset)
        await self.coordinator.begin(positions)
        for one, (epoch, offset) in positions.items():
            self.epochs[one] = epoch
            self.next[one] = offset
            self.handed[one] = 0
            self.stage.members[one] = self

    def poll(self, count: int = 1_000) -> int:
        """Hand on what comes next of every partition, as one poll does; gives how many records."""
        chunks = []
        for one in self.epochs:
            if one.topic in self.poller.resting:
                continue
            records = [record for record in self.stage.logs[one] if record.offset >= self.next[one]][:count]
            if records:
                chunks.append(Chunk(one, self.epochs[one], records))
                if (assignment := self.coordinator.assignments.get(one)) is not None:
                    self.invariants.handed[assignment].extend(record.offset for record in records)
                self.next[one] = records[-1].offset + 1
                self.handed[one] += len(records)
        taken = sum(len(chunk.records) for chunk in chunks)
        if chunks:
            self.coordinator.records(chunks, taken)
        self.coordinator.handed({one: (epoch, self.handed[one]) for one, epoch in self.epochs.items()})
        self.coordinator.lag(
            {one: self.stage.logs[one][-1].offset + 1 for one in self.epochs if self.stage.logs[one]}
        )
        return taken

    async def revoke(self, *partitions: TopicPartition, deadline_s: float = 10.0) -> None:
        """Partitions leave: drain, commit, forget."""
        offsets = await self.coordinator.drain(partitions, deadline_s)
        self._commit({one: (self.epochs[one], offset) for one, offset in offsets.items()})
        for one in partitions:
            self.epochs.pop(one, None)

    def lose(self, *partitions: TopicPartition) -> None:
        for one in partitions:
            self.epochs.pop(one, None)
        self.coordinator.lost(partitions)

    async def commit(self) -> None:
        await self.committer.commit(list(self.coordinator.assignments.values()))

    async def stop(self, deadline_s: float = 10.0) -> None:
        """SIGTERM: drain, commit, end."""
        await self.revoke(*self.epochs, deadline_s=deadline_s)
        await self.close()

    async def close(self) -> None:
        for sink in self.sinks.values():
            sink.close()
        await self.background.close()
        await self.ledger.close()
        self.dead = True

    async def kill(self) -> None:
        """SIGKILL: nothing is said to anybody; the lease lapses by itself."""
        self.ledger.down = True
        for sink in self.sinks.values():
            sink.close()
        await self.background.close()
        await self.ledger.close()
        self.stage.processes.remove(self)

    def _commit(self, offsets: Mapping[TopicPartition, tuple[int, int]]) -> None:
        live = {one: offset for one, (epoch, offset) in offsets.items() if self.epochs.get(one) == epoch}
        foreign = any(self.stage.members[one] is not self for one in live)
        if refusal := self.refuse_commits or ("ILLEGAL_GENERATION" if foreign else ""):
            self.coordinator.committed({}, dict.fromkeys(live, refusal))
            return
        for one, offset in live.items():
            assert self.ledger.advanced.get(one, 0) >= offset, "the broker would be ahead of the ledger"
            assert offset >= self.stage.committed.get(one, 0), "a commit went back"
            self.stage.committed[one] = offset
            self.stage.journal.append(("commit", (one.partition, offset)))
        self.coordinator.committed(dict(live), {})

    # --- what must hold ---

    def check(self) -> None:
        """At every turn of the loop."""
        if self.faults:
            raise self.faults[0]
        books = self.coordinator.count()
        assert books.difference == 0, f"{self.name}: records are {books.difference} apart: {books}"
        for name, one in books.destinations.items():
            assert one.difference == 0, f"{self.name}: {name} is {one.difference} apart: {one}"
        assert self.pressure.records == books.in_flight
        self.watchdogs.look()
        found = self.watchdogs.troubles() if self.watched else {}
        # Who plays the client polls when it likes.
        found = {name: why for name, why in found.items() if "the client gives nothing" not in why}
        assert not found, found
        for assignment in self.coordinator.assignments.values():
            self.invariants.committable(assignment)

    async def settled(self, within_s: float = 300.0) -> None:
        """Let time pass until nothing is in flight."""
        limit_s = loop().now_s + within_s
        await quiet()
        while self.coordinator.count().in_flight:
            assert loop().now_s < limit_s, f"still in flight: {self.coordinator.count()}"
            await asyncio.sleep(0.05)
