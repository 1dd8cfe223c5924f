"""The catalogue of metrics. What the books count is read from them; here is what only an event knows.

Names: `distinct_consumer_…`, units in them; where OpenTelemetry's semantic conventions (1.44) name a metric,
its name.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from consumer import __version__
from consumer.telemetry.histogram import Histogram, Observe
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.state import PREFIX, StateMetrics

# The conventions' advice for durations, in seconds.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TRANSACTION_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ITEMS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


class DestinationMetrics:
    """One destination's events. Its children are bound once."""

    def __init__(self, name: str, durations: Histogram, sizes: Histogram) -> None:
        self._name = name
        self._durations = durations
        self._by_outcome: dict[str, Observe] = {}
        self.batch_items: Observe = sizes.labels(name)
        """How many items a request carried."""

    def request(self, outcome: str, seconds: float) -> None:
        """One attempt ended. `outcome`: delivered, retry, rejected, halted or unclear."""
        observe = self._by_outcome.get(outcome)
        if observe is None:
            observe = self._by_outcome[outcome] = self._durations.labels(self._name, outcome)
        observe(seconds)


class Metrics:
    """One process's metrics, in a registry of their own. Any thread may read; one observes."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nothing reads
        self.registry = CollectorRegistry()
        self._state = StateMetrics()
        self.registry.register(self._state)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._destinations: dict[str, DestinationMetrics] = {}
        self._requests = self._histogram(
            f"{PREFIX}request_duration_seconds",
            "One attempt, from send to answer.",
            _SECONDS,
            "destination",
            "outcome",
        )
        self._sizes = self._histogram(f"{PREFIX}request_items", "Items in a request.", _ITEMS, "destination")
        self._waits = self._histogram(
            f"{PREFIX}ledger_wait_duration_seconds",
            "What callers wait for the ledger, transaction included.",
            _TRANSACTION_SECONDS,
            "operation",
        )
        self._process = self._histogram(
            "messaging_process_duration_seconds",
            "Decoding and routing one chunk.",
            _SECONDS,
            "messaging_destination_name",
        )
        self._spans = Counter(
            f"{PREFIX}spans_dropped", "Spans that were not exported.", ("reason",), registry=self.registry
        )
        info = Gauge(f"{PREFIX}info", "The version that runs.", ("version",), registry=self.registry)
        info.labels(__version__).set(1)

    def read_from(self, source: Callable[[], Snapshot]) -> None:
        """Where the books and states come from. Called at each scrape, in the scraping thread."""
        self._state.source = source

    def destination(self, name: str) -> DestinationMetrics:
        """The events of one destination: keep it, rather than ask again."""
        if name not in self._destinations:
            self._destinations[name] = DestinationMetrics(name, self._requests, self._sizes)
        return self._destinations[name]

    def ledger_wait(self, operation: str) -> Observe:
        """Seconds that a caller waited for its transaction to be done. Keep it."""
        return self._waits.labels(operation)

    def process_duration(self, topic: str) -> Observe:
        """Seconds of decoding and routing a chunk of this topic. Keep it."""
        return self._process.labels(topic)

    def spans_dropped(self, reason: str, count: int) -> None:
        """Spans were lost: queue_full or export_failed."""
        self._spans.labels(reason).inc(count)

    def render(self, accept: str) -> tuple[str, bytes]:
        """(content type, text) in the format that the scraper asks for in its Accept header."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self.registry)

    def _histogram(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        histogram = Histogram(name, text, labels, bounds)
        self.registry.register(histogram)
        return histogram
