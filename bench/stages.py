"""Where the time of a record goes: the consumer's own parts, one after the other, on real records.

Each stage is timed by the CPU time of the whole process while it runs alone. What is missing from their sum
to what a run costs is what the parts cost together: the event loop and its tasks, hand-overs between threads,
commits, metrics.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import uvloop

from bench.chunks import read
from bench.reader import AVRO_POLICY
from bench.setting import Setting
from bench.workload import CLIENT_KEY, DISTINCT_KEY, Workload, write_topology
from consumer.avro.address import RegistryAddress
from consumer.avro.decoder import Decoder
from consumer.avro.registry import Registry
from consumer.avro.undecodable import Undecodable
from consumer.cli.service import spare_the_collector
from consumer.clock import SystemClock
from consumer.core.books import Books, DestinationBooks
from consumer.core.lanes import Lanes
from consumer.core.pressure import Pressure, PressurePolicy
from consumer.endpoints.outcome import Delivered
from consumer.errors import FaultError
from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.sender import Answer, SenderPolicy
from consumer.ledger.ledger import Intent
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.pipeline.batch import Batch
from consumer.pipeline.reserve import reserve
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.shortcuts import Shortcuts
from consumer.pipeline.work import Assignment, Delivery, Work
from consumer.resources import schemas_dir
from consumer.topology.load import load_plan
from consumer.topology.plan import Datum, Matched, Routed
from consumer.types import Record, TopicPartition

STAGES = ("consume", "decode", "route, map, encode", "lanes", "reserve", "body", "send", "confirm", "settle")


def measure_stages(
    workload: Workload, topic: str, records: int, rounds: int, setting: Setting
) -> dict[str, float]:
    """CPU µs a record of each stage, medians of the rounds. Blocks."""
    spare_the_collector()  # as `run` does: thousands of records wait between the stages
    walks = [uvloop.run(_walk(workload, topic, records, number, setting)) for number in range(rounds)]
    return {stage: median(walk[stage] for walk in walks) for stage in STAGES}


async def _walk(
    workload: Workload, topic: str, records: int, number: int, setting: Setting
) -> dict[str, float]:
    setting.receiver.expect(records)
    reading = await read(topic, records, setting)
    walk = Walk(workload, topic, number, setting)
    walk.spent_s["consume"] = reading.cpu_s
    await walk.open()
    try:
        # As much at a time as fills every permit of the gate once.
        lot = max(1, workload.items * workload.in_flight // 500)
        for first in range(0, len(reading.chunks), lot):
            await walk.take(reading.chunks[first : first + lot])
    finally:
        await walk.close()
    return {stage: walk.spent_s[stage] / reading.records_read * 1e6 for stage in STAGES}


class Walk:
    """Takes chunks through all stages, and keeps the time of each apart."""

    def __init__(self, workload: Workload, topic: str, number: int, setting: Setting) -> None:
        environment = {
            "DISTINCT_BASE_URL": setting.receiver.base_url,
            "DISTINCT_API_KEY": DISTINCT_KEY,
            "CLIENT_API_BASE_URL": setting.receiver.base_url,
            "CLIENT_API_KEY": CLIENT_KEY,
        }
        clock = SystemClock()
        folder = write_topology(workload, topic, setting.folder)
        self._plan = load_plan(folder, environment, schemas=schemas_dir())
        destination = self._plan.destinations[workload.destination]
        self._credential = destination.credential.read()
        self._url = destination.base_url + workload.path
        self._workload = workload
        self._topic = topic
        self._registry = Registry(RegistryAddress(url=setting.registry.url))
        self._decoder = Decoder(self._registry, clock, AVRO_POLICY)
        file = setting.folder / f"stages-{workload.name}-{number}.db"
        self._shortcuts = Shortcuts(self._decoder)
        self._ledger = open_ledger(f"sqlite:///{file}", "stages", LedgerPolicy(reservation_age_s=60.0), clock)
        self._sender = HttptoolsSender(SenderPolicy(max_connections=workload.in_flight))
        self._lanes: Lanes[Delivery] = Lanes()
        self._books = DestinationBooks()
        self._settlement = Settlement(Books(), Pressure(PressurePolicy()))
        self._assignments: dict[int, Assignment] = {}
        self.spent_s: dict[str, float] = defaultdict(float)

    async def open(self) -> None:
        """Before the first `take`."""
        await self._ledger.open()

    async def close(self) -> None:
        """After the last one."""
        await self._sender.close()
        await self._ledger.close()
        self._registry.close()

    async def take(self, chunks: Sequence[list[Record]]) -> None:
        """All stages for these chunks. Raises FaultError for any answer but an acknowledgement."""
        for records in chunks:
            while missing := self._decoder.missing(records):
                await self._decoder.load(missing)
        with self._stage("decode"):
            data = [self._decoded(records) for records in chunks]
        router = self._plan.router(self._topic)
        with self._stage("route, map, encode"):
            routed = [
                [
                    datum if isinstance(datum, list) else router(datum, record)
                    for datum, record in zip(*pair, strict=True)
                ]
                for pair in zip(data, chunks, strict=True)
            ]
        for records in chunks:
            await self._assigned(records[0])
        with self._stage("lanes"):
            for records, answers in zip(chunks, routed, strict=True):
                self._offer(records, answers)
        while len(self._lanes):
            await self._deliver()

    def _decoded(self, records: list[Record]) -> list[Datum | list[Routed]]:
        self._decoder.missing(records)  # the pipeline asks for every chunk
        data = self._decoder.answer(records, self._shortcuts.of(self._plan, self._topic))
        good = [datum for datum in data if not isinstance(datum, Undecodable)]
        if len(good) < len(data):
            raise FaultError("an event of the bench cannot be decoded")
        return good

    async def _assigned(self, record: Record) -> None:
        if record.partition not in self._assignments:
            partition = TopicPartition(record.topic, record.partition)
            epoch = (await self._ledger.assign([partition]))[partition].epoch
            self._assignments[record.partition] = Assignment(
                partition, epoch, record.offset, record.partition
            )

    def _offer(self, records: list[Record], answers: list[list[Routed]]) -> None:
        assignment = self._assignments[records[0].partition]
        first = assignment.tracker.track(len(records))
        for number, (record, routed) in enumerate(zip(records, answers, strict=True), first):
            work = Work(record, assignment, number)
            work.open = len(routed)
            for one in routed:
                if not isinstance(one, Matched):
                    raise FaultError(f"route {one.route.id} did not map an event of the bench")
                intent = Intent(
                    one.key,
                    record.topic,
                    record.partition,
                    record.offset,
                    assignment.epoch,
                    one.route.id,
                    one.once,
                )
                delivery = Delivery(work, one.route.operation, one.body, intent)
                self._lanes.add((assignment.lane_prefix, record.key), delivery)

    async def _deliver(self) -> None:
        """One gate's worth of requests, from the lanes to the end."""
        with self._stage("lanes"):
            batches = self._batches()
        with self._stage("reserve"):
            outcome = await reserve(self._ledger, batches)
        if outcome.windowed:
            self._settlement.end(self._books, outcome.windowed, Ending.WINDOWED)
            self._lanes.done(outcome.windowed)
        # Two opens of one user met in this call: the later one comes again when the first is confirmed.
        self._lanes.give_back(outcome.waiting)
        with self._stage("body"):
            for batch in outcome.granted:
                _ = batch.body, batch.idempotency_key
        with self._stage("send"):
            await asyncio.gather(*(self._send(batch) for batch in outcome.granted))
        with self._stage("confirm"):
            await self._ledger.confirm([one.intent for batch in outcome.granted for one in batch.members])
        with self._stage("settle"):
            for batch in outcome.granted:
                self._settlement.end(self._books, batch.members, Ending.DELIVERED)
                self._lanes.done(batch.members)

    def _batches(self) -> list[Batch]:
        batches: list[Batch] = []
        for operation, _ in self._lanes.ready():
            while len(batches) < self._workload.in_flight:
                members = self._lanes.take(operation, self._workload.items, operation.max_body_bytes)
                if not members:
                    break
                batches.append(Batch(operation, members))
        return batches

    async def _send(self, batch: Batch) -> None:
        operation = batch.operation
        headers = {**operation.headers(self._credential), "Idempotency-Key": batch.idempotency_key}
        answer = await self._sender.post(self._url, headers, batch.body)
        if not isinstance(answer, Answer) or not isinstance(operation.classify(answer), Delivered):
            raise FaultError("the receiver did not acknowledge an event of the bench")

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began_s = time.process_time()
        yield
        self.spent_s[name] += time.process_time() - began_s
