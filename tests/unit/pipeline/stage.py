"""Where the traces of the protocol are played: partitions with records, processes of one group over one ledger, the
receivers, the dead letters, and what must hold at every turn of the loop."""

import asyncio
import hashlib
import json
import struct
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any

from fastavro import parse_schema, schemaless_writer

from consumer.avro.decoder import Decoder
from consumer.avro.framing import SchemaId
from consumer.avro.schemas import SchemaText
from consumer.avro.undecodable import UNKNOWN_ID, Undecodable
from consumer.core.books import Books, DestinationBooks
from consumer.core.gate import Gate, GatePolicy
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff
from consumer.endpoints.client_alias import ClientAlias
from consumer.endpoints.client_devices import ClientDevices
from consumer.endpoints.client_events import ClientEvents
from consumer.endpoints.client_identify import ClientIdentify
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Delivered, Unclear
from consumer.endpoints.user_analytics import UserAnalytics
from consumer.errors import RegistryUnavailable
from consumer.http.urls import BaseUrl
from consumer.ledger.ledger import Once
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_store import MemoryStore
from consumer.ledger.policy import LedgerPolicy
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.commits import Committer
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake, IntakePolicy
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.send import Post
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink, SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy, Verdicts
from consumer.pipeline.work import Assignment, Delivery, Phase, Work
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Dropped, Matched, Plan, Route, Routed, Unmapped
from consumer.types import Chunk, Record, TopicPartition
from tests.unit.pipeline.edges import Journal, LetterTopic, PlayedPoller, WatchedLedger
from tests.unit.pipeline.receiver import Receiver, ScriptedSender
from tests.unit.pipeline.virtual_time import LoopClock, loop, quiet

TOPIC = "user-events"
P0, P1 = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
OTHER_TOPIC = "other-events"
OTHER = TopicPartition(OTHER_TOPIC, 0)
MINUTE_MS = 60_000
LEASE_S = 15.0
AGE_S = 60.0

_SCHEMA: Any = {
    "type": "record",
    "name": "Said",
    "fields": [{"name": "routes", "type": "string"}, {"name": "user", "type": "string"}],
}
_PARSED = parse_schema(_SCHEMA)


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def framed(value: bytes, schema_id: int = 1) -> bytes:
    return b"\0" + struct.pack(">I", schema_id) + value


def saying(user: str, routes: Sequence[Mapping[str, Any]]) -> bytes:
    """A record's value: what the stage's router is to make of it."""
    out = BytesIO()
    schemaless_writer(out, _PARSED, {"routes": json.dumps(list(routes)), "user": user})
    return out.getvalue()


GARBAGE = framed(b"\xff\xff\xff")
"""Of a known schema, and cut off."""


class Registry:
    """A schema source: id 1 is known, `extra` too, and all others are not; may be down."""

    def __init__(self) -> None:
        self.down = False
        self.known = {1}
        self.asked = 0

    async def fetch(self, schema: SchemaId) -> SchemaText | Undecodable:
        self.asked += 1
        await asyncio.sleep(0.001)
        if self.down:
            raise RegistryUnavailable("503")
        if struct.unpack(">I", schema[1:])[0] in self.known:
            return SchemaText(json.dumps(_SCHEMA))
        return Undecodable(UNKNOWN_ID)


@dataclass
class DestinationSpec:
    """What a test may set of a destination."""

    operation: Callable[[], Operation]
    gate: GatePolicy = GatePolicy(max_in_flight=4, breaker_after=5, backoff=Backoff(base_s=0.2, max_s=5.0))
    sink: SinkPolicy = SinkPolicy(max_items=10, linger_s=0.01)
    retry: RetryPolicy = RetryPolicy(
        backoff=Backoff(base_s=0.2, max_s=5.0), unknown_user_attempts=3, unknown_user_delay_s=5.0
    )
    ratio: float = 0.5


class CheckedSettlement(Settlement):
    """Looks on: each delivery ends once, and each record is settled or abandoned once, as its deliveries say."""

    def __init__(self, stage: "Stage", books: Books, pressure: Pressure) -> None:
        super().__init__(books, pressure)
        self._stage = stage
        self._of_work: dict[Work, list[Ending]] = defaultdict(list)
        self.endings: dict[Delivery, Ending] = {}
        self.settled: dict[Assignment, set[int]] = defaultdict(set)

    def end(self, books: DestinationBooks, deliveries: Sequence[Delivery], ending: Ending) -> None:
        for one in deliveries:
            assert one not in self.endings, f"{one.intent.origin} ended twice: {self.endings[one]}, {ending}"
            self.endings[one] = ending
            self._of_work[one.work].append(ending)
            self._stage.journal.append((ending.value, one.intent.origin))
        super().end(books, deliveries, ending)

    def _finish(self, work: Work) -> None:
        assert work.open == 0
        endings = self._of_work.pop(work, [])
        assert not endings or work.abandoned == (Ending.ABANDONED in endings)
        offsets = self.settled[work.assignment]
        assert work.record.offset not in offsets
        if not work.abandoned and work.assignment.phase is not Phase.ENDED:
            offsets.add(work.record.offset)
        super()._finish(work)


@dataclass
class Stage:
    """The world outside of the processes."""

    receiver: Receiver = field(default_factory=Receiver)
    store: MemoryStore = field(default_factory=MemoryStore)
    registry: Registry = field(default_factory=Registry)
    journal: Journal = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(1))
    logs: dict[TopicPartition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    processes: list["Process"] = field(default_factory=list)
    members: dict[TopicPartition, "Process"] = field(default_factory=dict)
    """Who has which partition, as the broker sees it."""
    dubious: Counter[str] = field(default_factory=Counter)
    """By destination, how many sent records had no answer that was clear and in time: each may come twice."""

    def __post_init__(self) -> None:
        self.letters = LetterTopic(self.journal)
        loop().each_turn = self.check

    # --- records ---

    def say(
        self,
        id: str,
        user: str = "ann",
        *,
        key: str | None = "",
        to: Sequence[str] = ("distinct",),
        partition: TopicPartition = P0,
        at_min: float | None = None,
        how: str = "matched",
        ordered: bool = True,
        record_key: bytes | None = b"",
    ) -> Record:
        """Produce a record. `to`: destinations, or `client/alias` and so on; `key`: the event's id, None for a route
        without keys; `at_min`: it is an open, at this minute."""
        routes = [
            {
                "to": name,
                "user": user,
                "id": id,
                "key": id if key == "" else key,
                "at_min": at_min,
                "how": how,
                "ordered": ordered,
            }
            for name in to
        ]
        return self.produce(
            framed(saying(user, routes)), record_key if record_key != b"" else user.encode(), partition
        )

    def produce(
        self, value: bytes | None, key: bytes | None = b"k", partition: TopicPartition = P0, gap: int = 0
    ) -> Record:
        """Any bytes as a record; `gap` offsets before it hold none."""
        log = self.logs[partition]
        offset = (log[-1].offset + 1 if log else 0) + gap
        record = Record(partition.topic, partition.partition, offset, 0, key, value, None)
        log.append(record)
        return record

    def process(self, name: str = "", **policies: Any) -> "Process":
        one = Process(self, name or f"process-{len(self.processes) + 1}", **policies)
        self.processes.append(one)
        return one

    # --- what must hold at every turn ---

    def check(self) -> None:
        for one in self.processes:
            one.check()

    @property
    def delivered(self) -> dict[str, int]:
        """By destination, in all processes."""
        return {
            name: sum(one.books.destinations[name].delivered for one in self.processes)
            for name in ("distinct", "client")
        }

    def check_receiver(self, *, whole: bool = True) -> None:
        """The books beside the receiver's own; `whole`: no process took its books with it."""
        for name, accepted in self.receiver.accepted.items():
            arrived = accepted.total() - self.receiver.duplicates(name)
            books = [one.books.destinations[name] for one in self.processes]
            delivered = sum(one.delivered for one in books)
            in_doubt = sum(one.in_doubt for one in books)
            assert delivered <= arrived, (name, delivered, arrived)
            assert not whole or arrived <= delivered + in_doubt, (name, delivered, arrived, in_doubt)

    def names(self, *events: str) -> list[str]:
        """The journal's events of these kinds, in order."""
        return [name for name, _ in self.journal if name in events]

    def happened(self, *events: str) -> list[tuple[str, Any]]:
        return [entry for entry in self.journal if entry[0] in events]


class Process:
    """One consumer process: the real pipeline between played edges."""

    def __init__(
        self,
        stage: Stage,
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
        self.next: dict[TopicPartition, int] = {}
        self.epochs: dict[TopicPartition, int] = {}
        self.poller = PlayedPoller()
        self.refuse_commits = ""
        self._lanes: dict[tuple[str, Hashable], deque[Delivery]] = defaultdict(deque)
        self._handed: dict[Assignment, deque[int]] = defaultdict(deque)
        self._committable: dict[Assignment, int] = {}
        self.memory = MemoryLedger(stage.store, "group", LedgerPolicy(AGE_S, LEASE_S), self.clock)
        self.ledger = WatchedLedger(self.memory, stage.journal)
        self.background = Background(self.faults.append)
        self.books = Books(destinations={"distinct": DestinationBooks(), "client": DestinationBooks()})
        self.pressure = Pressure(pressure or PressurePolicy(), topics)
        self.settlement = CheckedSettlement(stage, self.books, self.pressure)
        random = stage.random.random
        backoff = Backoff(base_s=0.1, max_s=2.0)
        self.patient = PatientLedger(self.ledger, backoff, random, self.notes.append, self.background)
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
        self.sinks: dict[str, Sink] = {}
        self.posts: dict[str, Post] = {}
        for api, changes in (("distinct", distinct), ("client", client)):
            self.sinks[api] = self._sink(api, changes or {})
        self.decoder = Decoder(stage.registry, self.clock)
        self.intake = Intake(
            intake or IntakePolicy(),
            self._plan(),
            self.decoder,
            self.sinks,
            self.graveyard,
            self.settlement,
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

    def _sink(self, api: str, changes: Mapping[str, Any]) -> Sink:
        spec = DestinationSpec(lambda: self.operations[api], **changes)
        gate = Gate(spec.gate, self.stage.random.random)
        sink = Sink(
            api,
            spec.sink,
            gate,
            self.ledger,
            self.patient,
            self.settlement,
            self.books.destinations[api],
            self.clock,
            self.background,
            lambda assignment: self.coordinator.fenced(assignment),
        )
        verdicts = Verdicts(
            sink,
            spec.retry,
            RefusalGuard(spec.ratio),
            RefusalGuard(spec.ratio),
            self.background,
            self.patient,
            self.graveyard,
            self.settlement,
            self.clock,
            self.stage.random.random,
        )
        post = self.posts[api] = Post(
            api,
            ScriptedSender(self.stage.receiver, api, self.name),
            BaseUrl("https", f"{api}.example", 443, ""),
            lambda: "a-key",
            Metrics().destination(api),
            Tracing(None, "group"),
        )

        async def ship(batch: Batch) -> None:
            self._check_order(sink, batch)
            members, clear = batch.members, False
            try:
                # As `consumer.app` has it: the permit is kept until the confirmation is durable.
                try:
                    outcome = await post.send(batch)
                    if isinstance(outcome, Delivered):
                        await verdicts.apply(batch, outcome)
                finally:
                    gate.end()
                if not isinstance(outcome, Delivered):
                    await verdicts.apply(batch, outcome)
                clear = not isinstance(outcome, Delivered | Unclear) or (
                    isinstance(outcome, Delivered)
                    and all(one.work.assignment.phase is not Phase.ENDED for one in members)
                )
            finally:
                if not clear:
                    self.stage.dubious[api] += len(members)

        offer = sink.offer

        def watched_offer(lane_key: Hashable, delivery: Delivery) -> None:
            self._lanes[api, lane_key].append(delivery)
            offer(lane_key, delivery)

        sink.offer = watched_offer  # type: ignore[method-assign]
        sink.ship = ship
        sink.refuse = verdicts.refuse
        return sink

    # --- the plan: a record says itself what is to become of it ---

    def _plan(self) -> Plan:
        def user_of(datum: dict[str, Any]) -> bytes | None:
            return datum["user"].encode() or None

        topics = (TOPIC, OTHER_TOPIC)
        return Plan(
            "0123456789ab",
            {},
            {},
            (),
            dict.fromkeys(topics, self._route),
            dict.fromkeys(topics, user_of),
        )

    def _route(self, datum: dict[str, Any], _: Record) -> list[Routed]:
        return [self._routed(one) for one in json.loads(datum["routes"])]

    def _routed(self, said: dict[str, Any]) -> Routed:
        name = said["to"]
        api = name.partition("/")[0]
        route = Route(
            id=f"to-{name}",
            topic=TOPIC,
            destination=api,
            operation=self.operations[name],
            ordered=said["ordered"],
            types=(),
            window="",
        )
        match said["how"]:
            case "dropped":
                return Dropped(route, "bot")
            case "unmapped":
                return Unmapped(route, "is required and missing", "feature")
        key = None if said["key"] is None else digest(f"{name}/{said['key']}")
        once = None
        if said["at_min"] is not None:
            # The scope is in the stage's hands: one window for all opens of a destination.
            once = Once(digest(f"opens at {api}"), round(said["at_min"] * MINUTE_MS), 20 * MINUTE_MS)
        body: dict[str, Any] = {"id": said["id"]}
        if name == "client/identify":
            # Traits that are told apart after they were collapsed.
            body = {"external_id": said["user"], "data": {said["id"]: True}}
        return Matched(route, json.dumps(body).encode(), key, once)

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
                    self._handed[assignment].extend(record.offset for record in records)
                self.next[one] = records[-1].offset + 1
        taken = sum(len(chunk.records) for chunk in chunks)
        if chunks:
            self.coordinator.records(chunks, taken)
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
            position = self.stage.store.positions["group", one]
            assert position >= offset, "the broker would be ahead of the ledger"
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
        for assignment in self.coordinator.assignments.values():
            self._check_committable(assignment)

    def _check_committable(self, assignment: Assignment) -> None:
        handed, settled = self._handed[assignment], self.settlement.settled[assignment]
        while handed and handed[0] in settled:
            handed.popleft()
        committable = assignment.tracker.committable
        assert not handed or committable <= handed[0], "the commit would pass an unsettled record"
        assert committable >= self._committable.get(assignment, 0), "it went back"
        self._committable[assignment] = committable

    def _check_order(self, sink: Sink, batch: Batch) -> None:
        """A record goes only when those before it in its lane ended, or are before it in the same array."""
        for index, one in enumerate(batch.members):
            keyed = one.intent.key is not None or one.intent.once is not None
            assert one.token or not keyed, f"{one.intent.origin} is sent without a reservation"
            assert not one.work.assignment.phase, f"{one.intent.origin} is sent after its assignment ended"
            lane = self._lanes[sink.name, one.lane.key]
            while lane and lane[0] in self.settlement.endings:
                lane.popleft()
            for other in lane:
                if other is one:
                    break
                ended = other in self.settlement.endings or other in batch.members[:index]
                assert ended, f"{one.intent.origin} overtakes {other.intent.origin} at {sink.name}"

    async def settled(self, within_s: float = 300.0) -> None:
        """Let time pass until nothing is in flight."""
        limit_s = loop().now_s + within_s
        await quiet()
        while self.coordinator.count().in_flight:
            assert loop().now_s < limit_s, f"still in flight: {self.coordinator.count()}"
            await asyncio.sleep(0.05)
