"""One process of the touchpoint stream over a fake cluster and a fake vendor."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader

from consumer.avro.decoder import Decoder
from consumer.avro.encoder import Encoder
from consumer.avro.framing import SchemaId, schema_id
from consumer.avro.schemas import SchemaText
from consumer.clock import ManualClock
from consumer.core.retries import Backoff
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.http.urls import BaseUrl
from consumer.kafka.transactional_log import TransactionalLog
from consumer.operations.touchpoint_metrics import MetricsPolicy, TouchpointMetrics
from consumer.operations.touchpoint_stream import Scope, StreamPolicy, TouchpointStream
from consumer.operations.visit_topic import VisitTopic
from consumer.resources import schemas_dir
from tests.unit.operations.cluster import TOPIC, Cluster, FakeClients
from tests.unit.operations.fate import Fate
from tests.unit.operations.vendor import EXPERIENCE, KEY, Vendor

BASE_URL = BaseUrl("https", "api.distinct.example", 443, "")
SCHEMA = (schemas_dir() / "touchpoint-visit.avsc").read_text()
ID = schema_id(7)
_PARSED = parse_schema(json.loads(SCHEMA))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Registry:
    """Knows the one schema."""

    async def fetch(self, schema: SchemaId) -> SchemaText:
        assert schema == ID
        return SchemaText(SCHEMA)


class Sleeps:
    """Sleeps that take no time, and are remembered."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept_s.append(seconds)


def metrics_of(
    vendor: Vendor,
    *,
    sleep: Sleeps | None = None,
    page_size: int = 2,
    on_progress: Callable[..., None] = print,
) -> TouchpointMetrics:
    return TouchpointMetrics(
        vendor,
        BASE_URL,
        lambda: KEY,
        TouchpointAnswers(ManualClock()),
        lambda: 1.0,
        MetricsPolicy(page_size=page_size, attempts=4, backoff=Backoff(base_s=1.0, max_s=3.0)),
        sleep=sleep or Sleeps(),
        on_progress=on_progress,
    )


def stream_of(
    vendor: Vendor, cluster: Cluster, fate: Fate | None = None, *, scope: Scope | None = None, **policy: Any
) -> TouchpointStream:
    """A process that has just started."""
    fate = vendor.fate = fate or Fate()
    clients = FakeClients(cluster, fate)

    def make_topic() -> VisitTopic:
        log = TransactionalLog(TOPIC, clients)
        return VisitTopic(log, Decoder(Registry(), ManualClock()), Encoder(SCHEMA, ID))

    return TouchpointStream(
        metrics_of(vendor, on_progress=lambda _: None),
        make_topic,
        scope or Scope(experiences=(EXPERIENCE,)),
        StreamPolicy(**{"chunk_visits": 3, **policy}),
    )


def values(cluster: Cluster) -> list[dict[str, Any]]:
    """The visits that a reader of the topic gets."""
    return [schemaless_reader(BytesIO(raw[5:]), _PARSED, None) for raw in cluster.committed()]  # type: ignore[misc]


def written(cluster: Cluster) -> Counter[tuple[str, str, str, int]]:
    """How often each visit is on the topic."""
    return Counter(
        (one["touchpoint_id"], one["user_id"], one["visited_at"].isoformat(), one["occurrence"])
        for one in values(cluster)
    )


def expected(vendor: Vendor) -> Counter[tuple[str, str, str, int]]:
    """Every scan at the vendor, once; worked out apart from the code under test."""
    out: Counter[tuple[str, str, str, int]] = Counter()
    for touchpoint in vendor.scans.all():
        seen: Counter[tuple[str, datetime]] = Counter()
        for scan in touchpoint.visits:
            at = _EPOCH + (scan.at() - _EPOCH) // timedelta(milliseconds=1) * timedelta(milliseconds=1)
            seen[scan.user_id, at] += 1
            out[touchpoint.id, scan.user_id, at.isoformat(), seen[scan.user_id, at]] += 1
    return out
