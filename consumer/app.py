"""The composition root: settings and a topology become objects, by constructor, and run."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consumer.avro.decoder import Decoder, SchemaSource
from consumer.clock import Clock, SystemClock
from consumer.core.books import Books, DestinationBooks
from consumer.core.gate import Gate, GatePolicy
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff
from consumer.endpoints.outcome import Delivered
from consumer.errors import BrokerError, StoppedError
from consumer.http.httpx_sender import HttpxSender
from consumer.http.pyreqwest_sender import PyreqwestSender
from consumer.http.sender import Sender, SenderPolicy
from consumer.http.urls import BaseUrl, parse_base_url
from consumer.kafka.arrival import where_to_look
from consumer.kafka.bridge import Bridge
from consumer.kafka.config import KafkaPolicy, consumer_config, producer_config
from consumer.kafka.letters import LetterWriter
from consumer.kafka.owner import Owner
from consumer.kafka.starting import TopicPolicy
from consumer.ledger.ledger import Ledger
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.commits import Committer
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.faults import Faults
from consumer.pipeline.intake import Intake, IntakePolicy
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.send import Post
from consumer.pipeline.settle import Settlement
from consumer.pipeline.sink import Sink, SinkPolicy
from consumer.pipeline.status import Status
from consumer.pipeline.timed_ledger import TimedLedger
from consumer.pipeline.verdicts import RetryPolicy, Verdicts
from consumer.pipeline.watch import Watch
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.plan import Destination, Plan

SENDERS: Mapping[str, Callable[[SenderPolicy], Sender]] = {"pyreqwest": PyreqwestSender, "httpx": HttpxSender}
TICK_S = 0.25
LEAVING_S = 15.0
"""What a stop may take beside the drain: the last commit and the end of the membership."""
RESERVATION_MARGIN_S = 10.0
_LOG = logging.getLogger("consumer.run")


def reservation_age_s(plan: Plan) -> float:
    """How long a reservation must live: the longest request, what it may have waited before, and a margin."""
    longest_s = max((one.timeouts.total_s for one in plan.destinations.values()), default=30.0)
    return longest_s + SinkPolicy().fresh_s + RESERVATION_MARGIN_S


@dataclass(frozen=True, slots=True)
class AppConfig:
    """What the consumer needs besides the topology, the ledger and the registry."""

    bootstrap_servers: str
    kafka: KafkaPolicy
    kafka_properties: Mapping[str, str] = field(default_factory=dict)
    pressure: PressurePolicy = field(default_factory=PressurePolicy)
    commit_interval_s: float = 1.0
    http_client: str = "pyreqwest"
    until_end: bool = False
    timeout_s: float | None = None
    accept_ledger: bool = False
    ledger_is_shared: bool = False


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
        patient = PatientLedger(
            ledger, Backoff(base_s=0.1, max_s=5.0), random.random, _LOG.debug, self._background
        )
        self._writer = LetterWriter(producer_config(config.bootstrap_servers, config.kafka_properties))
        graveyard = self._graveyard(plan, patient, settlement)
        self._senders: list[Sender] = []
        self.sinks = {
            name: self._sink(destination, patient, graveyard, settlement)
            for name, destination in plan.destinations.items()
        }
        intake = Intake(
            IntakePolicy(), plan, Decoder(schemas, self._clock), self.sinks, graveyard, settlement,
            self.books, self._background, tracing, self._clock, random.random, _LOG.debug,
            metrics,
        )  # fmt: skip
        self.coordinator = Coordinator(
            self.books, pressure, ledger, patient, intake, self.sinks, graveyard, settlement,
            accept_ledger=config.accept_ledger, ledger_is_shared=config.ledger_is_shared, on_note=on_note,
        )  # fmt: skip
        settlement.on_relief = self.coordinator.press
        self.owner = self._owner(plan)
        self._committer = Committer(patient, self.owner.commit, config.commit_interval_s, tracing)
        self.coordinator.attach(self.owner, self._committer)
        self._watch = Watch(config.kafka.group, self._clock)
        self.status = Status(
            self.coordinator, self.owner, intake, self.sinks, self._posts, graveyard, patient,
            self._committer, self._watch, plan.version, stalled_after_s=config.kafka.drain_timeout_s + 30.0,
            answers=lambda: ledger.states([]), wall_s=self._clock.wall_s,
        )  # fmt: skip
        metrics.read_from(self.status.snapshot)

    def _graveyard(self, plan: Plan, patient: PatientLedger, settlement: Settlement) -> Graveyard:
        dead_letters = {topic.name: topic.dead_letters for topic in plan.topics.values()}
        return Graveyard(
            self._writer,
            dead_letters,
            plan.version,
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

    def _sink(
        self, destination: Destination, patient: PatientLedger, graveyard: Graveyard, settlement: Settlement
    ) -> Sink:
        retry = destination.retry
        backoff = Backoff(base_s=retry.base_delay_s, max_s=retry.max_delay_s)
        gate = Gate(
            GatePolicy(
                max_in_flight=destination.concurrency, rate_per_s=destination.rate_per_s, backoff=backoff
            ),
            random.random,
        )
        batch = destination.batch
        sink = Sink(
            destination.name,
            SinkPolicy(max_items=batch.max_items, max_bytes=batch.max_bytes, linger_s=batch.linger_s),
            gate, self._ledger, patient, settlement, self.books.destinations[destination.name], self._clock,
            self._background, lambda assignment: self.coordinator.fenced(assignment),
        )  # fmt: skip
        sink.paused = destination.paused
        verdicts = Verdicts(
            sink,
            RetryPolicy(
                backoff=backoff,
                unclear_votes=retry.unclear_votes,
                unknown_user_attempts=retry.unknown_user_attempts,
                unknown_user_delay_s=retry.unknown_user_delay_s,
            ),
            RefusalGuard(destination.max_refusal_ratio), RefusalGuard(destination.max_refusal_ratio),
            self._background, patient, graveyard, settlement, self._clock, random.random,
        )  # fmt: skip
        sender = SENDERS[self._config.http_client](
            SenderPolicy(
                connect_timeout_s=destination.timeouts.connect_s,
                total_timeout_s=destination.timeouts.total_s,
                max_connections=destination.concurrency,
                ca_file=destination.ca_file,
            )
        )
        self._senders.append(sender)
        base_url = parse_base_url(
            destination.base_url, allow_plain_http=True
        )  # decided when the topology was loaded
        assert isinstance(base_url, BaseUrl)
        name = destination.name
        post = self._posts[name] = Post(
            name,
            sender,
            base_url,
            destination.credential.read,
            self._metrics.destination(name),
            self._tracing,
            lambda credential: self._learn([credential]),
        )

        async def ship(one: Batch) -> None:
            try:
                outcome = await post.send(one)
                if isinstance(outcome, Delivered):
                    # The permit is kept until the confirmation is durable: so what a kill can send twice is bounded
                    # by the concurrency, not by how far the ledger is behind.
                    await verdicts.apply(one, outcome)
                    return
            finally:
                gate.end()
            await verdicts.apply(one, outcome)

        sink.ship = ship
        sink.refuse = verdicts.refuse
        return sink

    async def run(self) -> Books:
        """Consume until stopped, or to the end where that was asked for; gives the books.

        Raises what ended it: FaultError for a fault of our own, which is in the log with its trace;
        StoppedError when `timeout_s` passed first, or the drain did not finish.
        """
        asyncio.get_running_loop().set_exception_handler(self._faults.of_loop)
        await self._ledger.open()
        self._background.spawn(self._committer.run(lambda: list(self.coordinator.assignments.values())))
        self._background.spawn(self._tick())
        self.owner.start()
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
        self.owner.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.coordinator.look_around()
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
        for sink in self.sinks.values():
            sink.close()
        await self._background.close()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(sender.close() for sender in self._senders))
        await asyncio.to_thread(self._writer.close, 5.0)
        await self._ledger.close()
        self._faults.close()
