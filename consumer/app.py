"""The composition root: settings and a topology become objects, by constructor, and run."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consumer.avro.decoder import Decoder, SchemaSource
from consumer.avro.policy import AvroPolicy
from consumer.clock import Clock, SystemClock
from consumer.core.books import Books, DestinationBooks
from consumer.core.gate import Gate
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.core.refusals import IN_A_ROW, RefusalGuard
from consumer.core.retries import Backoff
from consumer.errors import BrokerError, ConfigurationError, StoppedError
from consumer.http.sender import Sender
from consumer.kafka.arrival import where_to_look
from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy, consumer_config, producer_config
from consumer.kafka.letters import LetterWriter
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy
from consumer.ledger.ledger import Ledger
from consumer.pipeline.background import Background
from consumer.pipeline.caution import Caution
from consumer.pipeline.commits import Committer
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.faults import Faults
from consumer.pipeline.intake import Intake, IntakePolicy
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.rehearsal import Rehearsal, RehearsalPolicy
from consumer.pipeline.send import Post
from consumer.pipeline.settle import Settlement
from consumer.pipeline.shipping import shipping
from consumer.pipeline.sink import Sink
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.stalls import stalls_of
from consumer.pipeline.status import Status
from consumer.pipeline.timed_ledger import TimedLedger
from consumer.pipeline.tuning import gate_policy, retry_policy, retune, sink_policy
from consumer.pipeline.verdicts import Verdicts
from consumer.pipeline.watch import Watch, WatchPolicy
from consumer.pipeline.watchdogs import WatchdogPolicy, Watchdogs
from consumer.pipeline.ways import open_way, same_way
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Destination, Plan
from consumer.topology.reload import needs_restart

TICK_S = 0.25
LEAVING_S = 15.0
"""What a stop may take beside the drain: the last commit and the end of the membership."""
RESERVATION_MARGIN_S = 10.0
_LOG = logging.getLogger("consumer.run")


def reservation_age_s(plan: Plan) -> float:
    """How long a reservation must live: the longest request, what it may have waited before, and a margin."""
    return plan.longest_request_s + SinkPolicy().fresh_s + RESERVATION_MARGIN_S


@dataclass(frozen=True, slots=True)
class AppConfig:
    """What the consumer needs besides the topology, the ledger and the registry."""

    bootstrap_servers: str
    kafka: KafkaPolicy
    kafka_properties: Mapping[str, str] = field(default_factory=dict)
    pressure: PressurePolicy = field(default_factory=PressurePolicy)
    commit_interval_s: float = 1.0
    http_client: str = "httptools"
    until_end: bool = False
    timeout_s: float | None = None
    watchdogs: WatchdogPolicy = field(default_factory=WatchdogPolicy)
    accept_ledger: bool = False
    ledger_is_shared: bool = False
    watch: WatchPolicy = field(default_factory=WatchPolicy)
    avro: AvroPolicy = field(default_factory=AvroPolicy)


class App:
    """One consumer process. Made inside of the running loop that it will use."""

    def __init__(
        self,
        config: AppConfig,
        plan: Plan,
        ledger: Ledger,
        schemas: SchemaSource,
        on_note: Callable[[str], None],
        *,
        metrics: Metrics,
        tracing: Tracing,
        learn: Callable[[list[str]], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        """`learn` is told secrets that the logs have to mask, as they come into use."""
        self._config = config
        self._learn = learn
        self._ledger = ledger = TimedLedger(ledger, metrics)
        self._note = on_note
        self._metrics = metrics
        self._tracing = tracing
        self._posts: dict[str, Post] = {}
        self._clock = clock or SystemClock()
        self._faults = Faults(lambda: self.coordinator.lost(list(self.coordinator.assignments)))
        self._background = Background(self._faults)
        self.books = Books(destinations={name: DestinationBooks() for name in plan.destinations})
        pressure = Pressure(config.pressure, plan.topics)
        settlement = Settlement(self.books, pressure)
        # What these note at each attempt, the watch tells once when it begins and once when it is over.
        patient = PatientLedger(ledger, Backoff(base_s=0.1, max_s=5.0), random.random, _LOG.debug)
        self._writer = LetterWriter(producer_config(config.bootstrap_servers, config.kafka_properties))
        graveyard = self._new_graveyard(plan, patient, settlement)
        self._patient, self._graveyard, self._settlement = patient, graveyard, settlement
        self._senders: list[Sender] = []
        self._closing = False
        self._verdicts: dict[str, Verdicts] = {}
        self._plan, self._destinations = plan, dict(plan.destinations)
        self._longest_s = plan.longest_request_s
        self.sinks = {name: self._sink(destination) for name, destination in plan.destinations.items()}
        self._intake = intake = Intake(
            IntakePolicy(), plan, Decoder(schemas, self._clock, config.avro), self.sinks, graveyard, settlement,
            Caution(patient, Rehearsal(RehearsalPolicy(), on_note), self._background, on_note),
            self.books, self._background, tracing, self._clock, random.random, _LOG.debug, metrics,
        )  # fmt: skip
        self.coordinator = Coordinator(
            self.books, pressure, ledger, patient, intake, self.sinks, graveyard, settlement,
            accept_ledger=config.accept_ledger, ledger_is_shared=config.ledger_is_shared, on_note=on_note,
        )  # fmt: skip
        settlement.on_relief = self.coordinator.press
        self.owner = self._owner(plan)
        self._committer = Committer(patient, self.owner.commit, config.commit_interval_s, tracing)
        self.coordinator.attach(self.owner, self._committer)
        self._watch = Watch(config.kafka.group, self._clock, config.watch)
        self._watchdogs = Watchdogs(
            config.watchdogs, self.coordinator, intake, self.sinks, graveyard, patient, self._clock,
            lambda: self._longest_s,
        )  # fmt: skip
        # The watchdog names a thread that stands before /live has the process ended for it.
        stalled_after_s = config.kafka.drain_timeout_s + 30.0
        self._stalls = stalls_of(config.watchdogs.stalled_after_s, stalled_after_s - 5.0, self.owner, ledger)
        self.status = Status(
            self.coordinator, self.owner, intake, self.sinks, self._posts, graveyard, patient,
            self._committer, self._watch, self._watchdogs, self._stalls, plan.version, stalled_after_s,
            answers=lambda: ledger.states([]), wall_s=self._clock.wall_s,
        )  # fmt: skip
        metrics.read_from(self.status.snapshot)

    def _new_graveyard(self, plan: Plan, patient: PatientLedger, settlement: Settlement) -> Graveyard:
        dead_letters = {topic.name: topic.dead_letters for topic in plan.topics.values()}
        return Graveyard(
            self._writer,
            dead_letters,
            patient,
            settlement,
            self._tracing,
            Backoff(base_s=0.5, max_s=15.0),
            random.random,
        )

    def _owner(self, plan: Plan) -> Owner:
        config = self._config
        return Owner(
            consumer_config(config.bootstrap_servers, config.kafka_properties, config.kafka),
            {topic.name: TopicPolicy(topic.start, topic.on_gap) for topic in plan.topics.values()},
            config.kafka,
            Bridge(asyncio.get_running_loop()),
            self.coordinator,
            until_end=config.until_end,
        )

    def _sink(self, destination: Destination) -> Sink:
        name = destination.name
        sink = Sink(
            name, sink_policy(destination), Gate(gate_policy(destination), random.random), self._ledger,
            self._patient, self._settlement, self.books.destinations[name], self._clock,
            self._background, lambda assignment: self.coordinator.fenced(assignment),
        )  # fmt: skip
        sink.paused = destination.paused
        ratio = destination.max_refusal_ratio
        verdicts = self._verdicts[name] = Verdicts(
            sink, retry_policy(destination), RefusalGuard(ratio, in_a_row=IN_A_ROW), RefusalGuard(ratio),
            self._background, self._patient, self._graveyard, self._settlement, self._clock, random.random,
        )  # fmt: skip
        sender, base_url = open_way(self._config.http_client, destination)
        self._senders.append(sender)
        post = self._posts[name] = Post(
            name,
            sender,
            base_url,
            destination.credential.read,
            self._metrics.destination(name),
            self._tracing,
            lambda credential: self._learn([credential]),
        )
        sink.ship = shipping(sink, post, verdicts)
        sink.refuse = verdicts.refuse
        return sink

    def reload(self, plan: Plan) -> None:
        """Go on by another topology, from the next record on; what is in flight stays as it was mapped.

        A destination that is gone serves what it has. Raises ConfigurationError where something in it needs a
        restart: then nothing has changed. Does nothing once the process ends.
        """
        if self._closing:
            return
        reasons = needs_restart(self._plan, plan, self._longest_s)
        if reasons:
            raise ConfigurationError(reasons)
        for name, destination in plan.destinations.items():
            known = self._destinations.get(name)
            if known is None:
                self.books.destinations[name] = DestinationBooks()
                self.sinks[name] = self._sink(destination)
            else:
                retune(self.sinks[name], self._verdicts[name], destination)
                if not same_way(known, destination):
                    self._reconnect(known, destination)
            self._destinations[name] = destination
        self._plan = self._intake.plan = plan
        self.status.topology_version = plan.version

    def _reconnect(self, old: Destination, new: Destination) -> None:
        sender, base_url = open_way(self._config.http_client, new)
        self._senders.append(sender)
        before = self._posts[new.name].redirect(sender, base_url, new.credential.read)
        self._background.spawn(self._retire(before, old.timeouts.total_s + RESERVATION_MARGIN_S))

    async def _retire(self, sender: Sender, after_s: float) -> None:
        """Close connections once the last request on them must have ended."""
        await asyncio.sleep(after_s)
        self._senders.remove(sender)
        await sender.close()

    async def run(self) -> Books:
        """Consume until stopped, or to the end where that was asked for; gives the books.

        Raises what ended it: FaultError for a fault of our own, which is in the log with its trace;
        StoppedError when `timeout_s` passed first, or the drain did not finish.
        """
        asyncio.get_running_loop().set_exception_handler(self._faults.of_loop)
        await self._ledger.open()
        for text in self._ledger.advice:
            self._note(text)
        self._background.spawn(self._committer.run(lambda: list(self.coordinator.assignments.values())))
        self._background.spawn(self._tick())
        self.owner.start()
        self._stalls.start()
        timeout_s = self._config.timeout_s
        try:
            ends = {self.coordinator.finished, self._faults.first}
            done, _ = await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            self.owner.stop()
            # Without brokers, librdkafka's last commit and its leaving have no bound of their own.
            bound_s = self._config.kafka.drain_timeout_s + LEAVING_S
            if not (await asyncio.wait({self.coordinator.finished}, timeout=bound_s))[0]:
                raise StoppedError(
                    f"the brokers did not let us leave in {bound_s:g} s: what is left comes again"
                )
            self._raise_fault()
            unfinished = self.coordinator.count().in_flight
        finally:
            await self._close()
        again = "what is not settled comes again at the next start"
        if unfinished:
            drain_s = self._config.kafka.drain_timeout_s
            raise StoppedError(f"the drain did not finish in {drain_s:g} s ({unfinished} in flight); {again}")
        if self.coordinator.unburied:
            raise StoppedError(f"stopped with dead letters left: {self.coordinator.unburied}; {again}")
        if not done:
            raise StoppedError(f"stopped after {timeout_s:g} s, before the end was reached; {again}")
        return self.coordinator.count()

    def stop(self) -> None:
        """Drain, commit and end; `run` returns then. Idempotent."""
        # What was over by now is told, and not left standing in the log as the last that was heard of it.
        self._watch.look(self.status.view())
        self.owner.stop()

    def use_credentials(self, username: str, password: str) -> None:
        """Kafka's, for the connections that are made from now on."""
        self._learn([password])
        self.owner.use_credentials(username, password)
        self._writer.use_credentials(username, password)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._stalls.beat()
            self.coordinator.look_around()
            self._watchdogs.look()
            self._watch.look(self.status.view())

    def _raise_fault(self) -> None:
        """What failed first: in a task or callback of ours, or in the owner thread."""
        if self._faults.first.done():
            self._faults.first.result()
        fault = self.coordinator.finished.exception()
        if isinstance(fault, BrokerError) and not self.coordinator.joined:
            raise BrokerError(f"{fault}. {where_to_look(self._config.bootstrap_servers)}")
        if fault is not None:
            raise self._faults.told(fault)

    async def _close(self) -> None:
        self._stalls.stop()
        self._closing = True  # No reload may wake what is closed below.
        for sink in self.sinks.values():
            sink.close()
        await self._background.close()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(sender.close() for sender in self._senders))
        await asyncio.to_thread(self._writer.close, 5.0)
        await self._ledger.close()
        self._faults.close()
