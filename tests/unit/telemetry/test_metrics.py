"""What a scraper sees."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer import __version__
from consumer.core.books import Books, DestinationBooks
from consumer.telemetry.labels import BoundedLabels
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.snapshot import DestinationState, PartitionLag, Snapshot
from consumer.types import TopicPartition


def scraped(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels, read with Prometheus' own parser."""
    _, body = metrics.render("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return scraped(metrics).get((f"distinct_consumer_{name}", tuple(sorted(labels.items()))))


@pytest.fixture
def books() -> Books:
    books = Books(consumed=10, settled=7, in_flight=2, abandoned=1, undecodable=1, unrouted=2, tombstones=3)
    books.destinations["ua"] = DestinationBooks(
        matched=9, delivered=4, suppressed=1, windowed=1, dropped=1, dead_lettered=1, in_flight=1, retries=5
    )
    return books


def test_the_books_are_shown_as_they_are_at_the_scrape(books):
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot(books=books, destinations={}))
    assert value(metrics, "records_consumed_total") == 10
    assert value(metrics, "records_tombstones_total") == 3
    assert value(metrics, "deliveries_total", destination="ua", outcome="suppressed") == 1
    assert value(metrics, "retries_total", destination="ua") == 5
    books.consumed += 1
    books.destinations["ua"].delivered += 1
    assert value(metrics, "records_consumed_total") == 11
    assert value(metrics, "deliveries_total", destination="ua", outcome="delivered") == 5


def test_a_difference_in_the_books_is_a_metric_to_alarm_on(books):
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot(books=books, destinations={}))
    assert value(metrics, "books_difference", books="records") == 0
    assert value(metrics, "books_difference", books="destination:ua") == 0
    books.settled -= 1
    books.destinations["ua"].matched += 2
    assert value(metrics, "books_difference", books="records") == 1
    assert value(metrics, "books_difference", books="destination:ua") == 2


def test_states_lags_and_bounds_are_gauges(books):
    metrics = Metrics()
    lag = PartitionLag(partition=TopicPartition("events", 3), lag_records=12, lag_s=1.5, unsettled=2)
    fresh = PartitionLag(partition=TopicPartition("events", 4))
    metrics.read_from(
        lambda: Snapshot(
            books=books,
            destinations={"ua": DestinationState(halted=True, requests_in_flight=2, throttled=4)},
            partitions=[lag, fresh],
            pending_records=2,
            max_pending_records=100,
            resting_topics={"events"},
            ledger_answers=False,
            commits_ok=5,
            commits_failed=1,
            rebalances=2,
        )
    )
    assert value(metrics, "destination_halted", destination="ua") == 1
    assert value(metrics, "requests_in_flight", destination="ua") == 2
    assert value(metrics, "throttled_total", destination="ua") == 4
    assert value(metrics, "lag_records", topic="events", partition="3") == 12
    assert value(metrics, "lag_seconds", topic="events", partition="3") == 1.5
    assert value(metrics, "lag_records", topic="events", partition="4") is None
    assert value(metrics, "partitions_assigned") == value(metrics, "partitions_paused") == 2
    assert value(metrics, "pending_records") == 2
    assert value(metrics, "pending_limit_records") == 100
    assert value(metrics, "ledger_up") == 0
    assert value(metrics, "commits_total", outcome="failed") == 1
    assert value(metrics, "rebalances_total") == 2


def test_events_are_observed_by_their_labels():
    metrics = Metrics()
    one = metrics.destination("ua")
    one.request("delivered", 0.03)
    one.request("delivered", 0.3)
    one.request("unclear", 30.0)
    one.batch_items(50)
    metrics.ledger_wait("reserve")(0.004)
    metrics.spans_dropped("queue_full", 3)
    labels = {"destination": "ua", "outcome": "delivered"}
    assert value(metrics, "request_duration_seconds_count", **labels) == 2
    assert value(metrics, "request_duration_seconds_sum", **labels) == pytest.approx(0.33)
    assert value(metrics, "request_duration_seconds_bucket", le="0.05", **labels) == 1
    assert value(metrics, "request_items_sum", destination="ua") == 50
    assert value(metrics, "ledger_wait_duration_seconds_sum", operation="reserve") == pytest.approx(0.004)
    assert value(metrics, "spans_dropped_total", reason="queue_full") == 3


def test_the_conventions_name_is_used_where_there_is_one():
    metrics = Metrics()
    metrics.process_duration("events")(0.02)
    samples = scraped(metrics)
    topic = (("messaging_destination_name", "events"),)
    assert samples["messaging_process_duration_seconds_count", topic] == 1


def test_before_there_is_a_source_the_process_shows_itself_only():
    metrics = Metrics()
    assert value(metrics, "info", version=__version__) == 1
    assert value(metrics, "records_consumed_total") is None
    assert any(name == "process_cpu_seconds_total" for name, _ in scraped(metrics))


def test_two_sets_of_metrics_do_not_share_anything():
    first, second = Metrics(), Metrics()
    first.destination("ua").request("delivered", 0.1)
    labels = {"destination": "ua", "outcome": "delivered"}
    assert value(second, "request_duration_seconds_count", **labels) is None


def test_reasons_of_dead_letters_are_bounded_and_their_counts_never_fall():
    letters = {("ua", f"reason {index}"): 1 for index in range(100)}
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot(books=Books(), destinations={}, dead_letters=letters))

    def counts() -> dict[str, float]:
        return {
            dict(labels)["reason"]: count
            for (name, labels), count in scraped(metrics).items()
            if name == "distinct_consumer_dead_letters_total"
        }

    before = counts()
    assert len(before) == 40 + 1
    assert before["other"] == 60
    letters["ua", "a reason that sorts first"] = 7
    letters["ua", "reason 0"] += 1
    after = counts()
    assert sum(after.values()) == 100 + 7 + 1
    assert all(after[reason] >= count for reason, count in before.items())


def test_a_label_is_cut_and_stays_the_same_once_it_was_let_through():
    labels = BoundedLabels(limit=2, max_length=5)
    assert labels.of("abcdefgh") == "abcde"
    assert labels.of("b") == "b"
    assert labels.of("c") == "other"
    assert labels.of("abcdefgh") == "abcde"


def test_the_scraper_chooses_the_format():
    metrics = Metrics()
    assert metrics.render("text/plain")[0].startswith("text/plain")
    content_type, body = metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_labels_with_quotes_and_line_breaks_keep_the_text_parsable(books):
    metrics = Metrics()
    letters = {('u"a\n', 'bad\\ "reason"\n'): 1}
    metrics.read_from(lambda: Snapshot(books=books, destinations={}, dead_letters=letters))
    assert value(metrics, "dead_letters_total", destination='u"a\n', reason='bad\\ "reason"\n') == 1
