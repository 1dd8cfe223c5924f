"""The consumer as it is wired, between edges that answer at once: no broker, no socket, no thread, no clock. Its ledger
is the one in SQLite, without the worker's thread: each call is a transaction of its own.

So what a record costs in calls is the same in every run, and on every machine.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zlib import crc32

from bench.workload import (
    CLIENT_KEY,
    DISTINCT_KEY,
    MIX,
    SPACING_MS,
    TOPIC,
    Workload,
    write_topology,
)
from consumer.app import App, AppConfig
from consumer.avro.framing import SchemaId
from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import SchemaText
from consumer.http.sender import Answer
from consumer.http.urls import BaseUrl
from consumer.kafka.config import KafkaPolicy
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_store import Operation, SqliteStore
from consumer.resources import schemas_dir
from consumer.sandbox.generator import Emission, Plan, Stream, user_event_schema, user_event_text
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.load import load_plan
from consumer.topology.plan import Destination
from consumer.types import Chunk, Record, TopicPartition
from tests.unit.pipeline.edges import LetterTopic, PlayedPoller
from tests.unit.pipeline.virtual_time import NOON_S, LoopClock

_PARTITIONS = 4
_POLL = KafkaPolicy("guard").chunk_records
"""Records that one poll hands on, in a chunk for each partition: as the owner thread does."""
_TURNS = 100_000
_ENVIRONMENT = {
    "DISTINCT_BASE_URL": "http://127.0.0.1:9",
    "DISTINCT_API_KEY": DISTINCT_KEY,
    "CLIENT_API_BASE_URL": "http://127.0.0.1:9",
    "CLIENT_API_KEY": CLIENT_KEY,
}


class _OneSchema:
    """The registry: it knows one."""

    async def fetch(self, schema: SchemaId) -> SchemaText:
        return SchemaText(user_event_text())


class _Accepting:
    """Every receiver, at no distance."""

    _ANSWERS: Mapping[bool, Answer] = {
        True: Answer(200, {"content-type": "application/json"}, b'{"statusCode":200,"message":"ok"}'),
        False: Answer(204, {}, b""),
    }

    def __init__(self) -> None:
        self.requests = 0

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = inf
    ) -> Answer:
        self.requests += 1
        return self._ANSWERS[url.endswith("/analytics")]

    async def close(self) -> None: ...


class _SameThread:
    """The ledger's worker without its thread and its queue, where it depends on the clock who shares a transaction."""

    def __init__(self, store: SqliteStore, idle_s: float) -> None:
        self._store = store

    async def start(self) -> None:
        self._store.open()

    async def stop(self) -> None:
        self._store.close()

    async def call(self, operation: Operation) -> Any:
        (result,) = self._store.run([operation])
        if isinstance(result, Exception):
            raise result
        return result


class _Owner(PlayedPoller):
    """The owner thread's face; what it is told to commit is taken."""

    def commit(self, offsets: Mapping[TopicPartition, tuple[int, int]]) -> None: ...


class Line:
    """One consumer, and the records that it is given. Inside of a running loop whose time is virtual."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        plan = load_plan(write_topology(workload, TOPIC, folder), _ENVIRONMENT, schemas=schemas_dir())
        clock = LoopClock()
        with patch("consumer.ledger.sqlite.GroupCommit", _SameThread):
            self._ledger = open_ledger(
                f"sqlite:///{folder}/guard.db", "guard", LedgerPolicy(reservation_age_s=60.0), clock
            )
        self.receiver = receiver = _Accepting()

        def way(client: str, destination: Destination) -> tuple[_Accepting, BaseUrl]:
            return receiver, BaseUrl("http", "127.0.0.1", 9, "")

        with (
            patch("consumer.app.open_way", way),
            patch("consumer.app.LetterWriter", lambda _: LetterTopic([])),
            patch("consumer.app.Owner", lambda *_, **__: _Owner()),
        ):
            self.app = App(
                # By Python's reader, also where the native one is there: what is written down is what everybody has.
                AppConfig("127.0.0.1:9", KafkaPolicy("guard"), avro=AvroPolicy(native=False)),
                plan,
                self._ledger,
                _OneSchema(),
                lambda _: None,
                metrics=Metrics(),
                tracing=Tracing(None, "guard"),
                clock=clock,
            )
        self._events = _events(workload)
        self._offsets: dict[int, Iterator[int]] = defaultdict(count)
        self._epochs: dict[int, int] = {}

    async def start(self) -> None:
        """The partitions are ours."""
        await self._ledger.open()
        partitions = [TopicPartition(TOPIC, number) for number in range(_PARTITIONS)]
        assigned = await self.app.coordinator.claim(dict.fromkeys(partitions))
        self._epochs = {one.partition: assigned[one].epoch for one in partitions}
        await self.app.coordinator.begin({one: (assigned[one].epoch, 0) for one in partitions})

    def polls(self, records: int) -> list[list[Chunk]]:
        """So many more records, as polls give them."""
        return [self._poll(min(_POLL, records - first)) for first in range(0, records, _POLL)]

    def _poll(self, records: int) -> list[Chunk]:
        chunks: dict[int, list[Record]] = {}
        for one in islice(self._events, records):
            assert one.key is not None
            partition = crc32(one.key) % _PARTITIONS
            record = Record(
                TOPIC, partition, next(self._offsets[partition]), int(NOON_S * 1000), one.key, one.value, None
            )
            chunks.setdefault(partition, []).append(record)
        return [
            Chunk(TopicPartition(TOPIC, number), self._epochs[number], some)
            for number, some in sorted(chunks.items())
        ]

    def take(self, polls: Sequence[list[Chunk]]) -> None:
        """As the owner thread hands them on. What follows is in the loop's next turns."""
        for chunks in polls:
            self.app.coordinator.records(chunks, sum(len(chunk.records) for chunk in chunks))

    async def settle(self) -> None:
        """Until nothing is in flight."""
        for _ in range(_TURNS):
            if not self.app.coordinator.count().in_flight:
                return
            await asyncio.sleep(0.001)
        raise AssertionError(f"still in flight: {self.app.coordinator.count()}")

    async def close(self) -> None:
        await self._ledger.close()


def _events(workload: Workload) -> Iterator[Emission]:
    """Plain events without an end that is met here, the same in every run."""
    plan = Plan(100_000, 1, 1, int(NOON_S * 1000), span_ms=100_000 * SPACING_MS, mix=MIX)
    stream = Stream(plan, user_event_schema())
    return (one for one in stream if workload.payloads is None or one.payload in workload.payloads)
