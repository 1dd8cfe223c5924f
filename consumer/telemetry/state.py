"""Metrics of what stands or is counted elsewhere: read from a snapshot at each scrape."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consumer.core.books import DestinationBooks
from consumer.telemetry.labels import BoundedLabels
from consumer.telemetry.snapshot import Snapshot

PREFIX = "distinct_consumer_"
_OUTCOMES = ("delivered", "suppressed", "windowed", "dropped", "dead_lettered", "abandoned")


class StateMetrics(Collector):
    """The books, lags, gates and bounds. Without a source (yet) there are none."""

    def __init__(self) -> None:
        self.source: Callable[[], Snapshot] | None = None
        self._reasons = BoundedLabels()

    def collect(self) -> Iterator[Metric]:
        """All families, from one snapshot, so that they fit together."""
        if self.source is None:
            return
        now = self.source()
        yield from _records(now)
        yield from _deliveries(now)
        yield from _destinations(now)
        yield from _partitions(now)
        yield from _bounds(now)
        yield from _watchdogs(now)
        yield from _rest(now)
        yield self._dead_letters(now)

    def _dead_letters(self, now: Snapshot) -> Metric:
        counts: Counter[tuple[str, str]] = Counter()
        for (destination, reason), count in now.dead_letters.items():
            counts[destination, self._reasons.of(reason)] += count
        family = CounterMetricFamily(
            f"{PREFIX}dead_letters",
            "Letters written, by destination and reason.",
            labels=("destination", "reason"),
        )
        for labels, count in sorted(counts.items()):
            family.add_metric(labels, count)
        return family


def _records(now: Snapshot) -> Iterator[Metric]:
    books = now.books
    yield _count("records_consumed", "Records taken from Kafka.", books.consumed)
    yield _count("records_settled", "Records of which every delivery ended.", books.settled)
    yield _count("records_abandoned", "Records given up at the end of an assignment.", books.abandoned)
    yield _count("records_undecodable", "Settled records that could not be decoded.", books.undecodable)
    yield _count("records_unrouted", "Settled records that no route matched.", books.unrouted)
    yield _count("records_tombstones", "Settled records without a value.", books.tombstones)
    yield _gauge("records_in_flight", "Records that are neither settled nor abandoned.", books.in_flight)
    difference = GaugeMetricFamily(
        f"{PREFIX}books_difference",
        "What the books don't account for: anything but 0 is an alarm.",
        labels=("books",),
    )
    difference.add_metric(("records",), books.difference)
    for name, destination in books.destinations.items():
        difference.add_metric((f"destination:{name}",), destination.difference)
    difference.add_metric(("audit",), sum(abs(one) for one in now.differences))
    yield difference


def _deliveries(now: Snapshot) -> Iterator[Metric]:
    books = now.books.destinations
    ended = CounterMetricFamily(
        f"{PREFIX}deliveries", "Deliveries that ended, by outcome.", labels=("destination", "outcome")
    )
    for name, destination in books.items():
        for outcome in _OUTCOMES:
            ended.add_metric((name, outcome), getattr(destination, outcome))
    yield ended
    yield _counts("deliveries_matched", "Deliveries that routes asked for.", _each(books, "matched"))
    yield _counts("retries", "Attempts after the first.", _each(books, "retries"))
    yield _gauges("deliveries_in_flight", "Deliveries that have not ended.", _each(books, "in_flight"))
    yield _gauges(
        "deliveries_in_doubt", "Those whose last attempt had no clear answer.", _each(books, "in_doubt")
    )


def _each(books: dict[str, DestinationBooks], column: str) -> list[tuple[str, float]]:
    return [(name, getattr(destination, column)) for name, destination in books.items()]


def _destinations(now: Snapshot) -> Iterator[Metric]:
    states = now.destinations.items()
    yield _gauges(
        "destination_halted", "1 while it is halted; /status says why.", [(n, s.halted) for n, s in states]
    )
    yield _gauges("destination_paused", "1 while the topology pauses it.", [(n, s.paused) for n, s in states])
    yield _gauges(
        "requests_in_flight", "Requests on the wire.", [(n, s.requests_in_flight) for n, s in states]
    )
    yield _gauges(
        "concurrency_limit", "Requests it may have now.", [(n, s.concurrency_limit) for n, s in states]
    )
    yield _counts("throttled", "Answers that asked for less.", [(n, s.throttled) for n, s in states])
    yield _counts("unclear", "Attempts without a clear answer.", [(n, s.unclear) for n, s in states])


def _partitions(now: Snapshot) -> Iterator[Metric]:
    names = ("topic", "partition")
    lag = GaugeMetricFamily(f"{PREFIX}lag_records", "End offset minus committed offset.", labels=names)
    age = GaugeMetricFamily(
        f"{PREFIX}lag_seconds",
        "Age of the oldest record that is not settled, to within a chunk.",
        labels=names,
    )
    unsettled = GaugeMetricFamily(
        f"{PREFIX}partition_unsettled_records", "Records taken, not settled.", labels=names
    )
    stuck = GaugeMetricFamily(
        f"{PREFIX}partition_stuck",
        "1 while it has stood for long without a known reason; /status says where.",
        labels=names,
    )
    for one in now.partitions:
        labels = (one.partition.topic, str(one.partition.partition))
        stuck.add_metric(labels, float(one.stuck))
        if one.lag_records is not None:
            lag.add_metric(labels, one.lag_records)
        if one.lag_s is not None:
            age.add_metric(labels, one.lag_s)
        unsettled.add_metric(labels, one.unsettled)
    yield from (lag, age, unsettled, stuck)
    yield _gauge("partitions_assigned", "Partitions that this process owns.", len(now.partitions))
    paused = sum(one.partition.topic in now.resting_topics for one in now.partitions)
    yield _gauge("partitions_paused", "Partitions not polled, as the bound is reached.", paused)


def _bounds(now: Snapshot) -> Iterator[Metric]:
    yield _gauge("pending_records", "Records that count against the bound.", now.pending_records)
    yield _gauge("pending_bytes", "Their bytes.", now.pending_bytes)
    yield _gauge("pending_limit_records", "The bound in records.", now.max_pending_records)
    yield _gauge("pending_limit_bytes", "The bound in bytes.", now.max_pending_bytes)


def _watchdogs(now: Snapshot) -> Iterator[Metric]:
    lanes = [(name, now.stuck_lanes.get(name, 0)) for name in now.destinations]
    yield _gauges("stuck_lanes", "Lanes that have stood for long without a known reason.", lanes)
    stalls = CounterMetricFamily(
        f"{PREFIX}stalls", "How often it did not turn for too long.", labels=("what",)
    )
    stalled = GaugeMetricFamily(f"{PREFIX}stalled", "1 while it does not turn.", labels=("what",))
    for what, count in now.stalls.items():
        stalls.add_metric((what,), count)
        stalled.add_metric((what,), float(what in now.stalled))
    yield from (stalls, stalled)


def _rest(now: Snapshot) -> Iterator[Metric]:
    commits = CounterMetricFamily(f"{PREFIX}commits", "Commits, counted by partition.", labels=("outcome",))
    commits.add_metric(("ok",), now.commits_ok)
    commits.add_metric(("failed",), now.commits_failed)
    yield commits
    yield _count("rebalances", "Assignments received.", now.rebalances)
    yield _gauge("ledger_up", "1 while the ledger answers.", now.ledger_answers)
    yield _count(
        "ledger_alarms", "Partitions found ahead of the ledger: another was in use.", now.ledger_alarms
    )
    yield _gauge("decoding_halted", "1 while no record is decoded; /status says why.", now.decoding_halted)
    yield _gauge("dead_letters_unwritable", "1 while letters are refused.", now.dead_letters_unwritable)
    info = GaugeMetricFamily(f"{PREFIX}topology_info", "The topology in force.", labels=("version",))
    info.add_metric((now.topology_version,), 1)
    yield info


def _count(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(PREFIX + name, text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _counts(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, text, labels=("destination",))
    for destination, value in values:
        family.add_metric((destination,), value)
    return family


def _gauges(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=("destination",))
    for destination, value in values:
        family.add_metric((destination,), float(value))
    return family
