"""Several workers' books, status documents and metrics as one."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.core.books import Books, DestinationBooks
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.snapshot import DestinationState, PartitionLag, Snapshot
from consumer.types import TopicPartition
from consumer.workers import metrics_sum
from consumer.workers.books_sum import add_up, books_of, given_up
from consumer.workers.status_sum import status_sum


def books(times: int = 1) -> Books:
    """Balanced ones, each column other than the others."""
    client = DestinationBooks(
        matched=28, delivered=2, suppressed=3, windowed=4, dropped=5, dead_lettered=6, in_flight=7,
        abandoned=1, in_doubt=1, retries=9,
    )  # fmt: skip
    one = Books(
        consumed=20, settled=11, in_flight=7, abandoned=2, undecodable=3, unrouted=4, tombstones=1,
        destinations={"client": client},
    )  # fmt: skip
    return add_up([one] * times)


def scrape(
    consumed: int = 0,
    *,
    ledger: bool = True,
    destination: DestinationState | None = None,
    partitions: tuple[PartitionLag, ...] = (),
    difference: int = 0,
    durations: tuple[float, ...] = (),
) -> str:
    """What a worker's /metrics says, by the catalogue itself."""
    metrics = Metrics()
    now = Books(consumed=consumed, settled=consumed - difference, destinations={"client": DestinationBooks()})
    snapshot = Snapshot(
        books=now,
        destinations={"client": destination or DestinationState()},
        partitions=partitions,
        ledger_answers=ledger,
        stalls={"ledger": 0},
        topology_version="abc",
    )
    metrics.read_from(lambda: snapshot)
    for seconds in durations:
        metrics.destination("client").request("delivered", seconds)
    return metrics.render("text/plain")[1].decode()


def summed(*texts: str, past: str = "") -> dict[tuple[Any, ...], float]:
    """Samples of the sum as a scraper reads them, by name and labels."""
    by_worker = {str(at): metrics_sum.read_metrics(text) for at, text in enumerate(texts, 1)}
    counted = metrics_sum.counted(metrics_sum.read_metrics(past))
    _, body = metrics_sum.render(metrics_sum.add_up(by_worker, counted), "text/plain")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


# --- books ---


def test_books_are_added_column_by_column_and_still_balance() -> None:
    both = add_up([books(), books()])

    assert both.balanced
    assert (both.consumed, both.settled, both.in_flight, both.abandoned) == (40, 22, 14, 4)
    assert both.destinations["client"].retries == 18
    assert books_of(both.as_json(1.0)) == both


def test_a_destination_that_only_one_worker_knows_counts_too() -> None:
    other = Books(destinations={"event": DestinationBooks(matched=1, delivered=1)})

    assert set(add_up([books(), other]).destinations) == {"client", "event"}


def test_what_a_killed_worker_had_in_flight_comes_again_and_is_in_doubt() -> None:
    left = given_up(books())

    assert left.balanced
    assert (left.in_flight, left.abandoned) == (0, 9)
    client = left.destinations["client"]
    assert (client.in_flight, client.abandoned, client.in_doubt) == (0, 8, 8)


def test_adding_up_leaves_what_is_added_as_it_was() -> None:
    one = books()
    add_up([one, books()])
    given_up(one)

    assert one == books()


# --- /status ---


def document(**changed: Any) -> dict[str, Any]:
    """A worker's /status with nothing in trouble."""
    gate = {"state": "running", "reason": "", "requests_in_flight": 2, "limit": 8}
    whole = books().as_json(1.0)
    whole["destinations"]["client"] |= gate
    return {
        **whole,
        "topology_version": "abc",
        "troubles": [],
        "pending": {
            "records": 3, "bytes": 30, "max_records": 10, "max_bytes": 100,
            "paused": False, "resting_topics": [],
        },
        "held_by": [{"destination": "client", "in_flight": 7, "longest_lane": 2, "lane": None}],
        "hottest_partition": None,
        "watch": {
            "books": [], "stuck_partitions": [], "stuck_lanes": [], "stalled": [], "stalls": {"ledger": 1},
        },
        "decoding": {"state": "running", "reason": None},
        "dead_letters": {
            "unwritable": None, "reasons": [{"destination": "client", "reason": "400", "count": 6}],
        },
        "ledger": {"trouble": None, "alarms": 1},
        "partitions": [{"topic": "t", "partition": 0, "lag": 1}],
        **changed,
    }  # fmt: skip


def both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return status_sum(books(2).as_json(1.0), {1: first, 2: second})


def test_the_status_of_all_has_the_words_of_one_and_the_sums() -> None:
    status = both(document(), document(partitions=[{"topic": "t", "partition": 1, "lag": 2}]))

    assert status.keys() == document().keys()
    client = status["destinations"]["client"]
    assert (client["requests_in_flight"], client["limit"], client["delivered"]) == (4, 16, 4)
    assert status["pending"]["records"] == 6
    assert status["pending"]["max_bytes"] == 200
    assert status["dead_letters"]["reasons"] == [{"destination": "client", "reason": "400", "count": 12}]
    assert status["watch"]["stalls"] == {"ledger": 2}
    assert status["ledger"] == {"trouble": None, "alarms": 2}
    assert [(one["worker"], one["partition"]) for one in status["partitions"]] == [(1, 0), (2, 1)]
    assert [one["worker"] for one in status["held_by"]] == [1, 2]
    assert status["topology_version"] == "abc"


def test_the_worst_state_counts_and_names_its_worker() -> None:
    halted = document()
    halted["destinations"]["client"] |= {"state": "halted", "reason": "401"}
    halted["troubles"] = [{"what": "destination client", "reason": "halted: 401", "seconds": 3.0}]
    halted["decoding"] = {"state": "halted", "reason": "no registry"}
    halted["ledger"] = {"trouble": "locked", "alarms": 0}

    status = both(document(), halted)

    client = status["destinations"]["client"]
    assert (client["state"], client["reason"]) == ("halted", "worker 2: 401")
    assert status["troubles"] == [
        {"worker": 2, "what": "destination client", "reason": "worker 2: halted: 401", "seconds": 3.0}
    ]
    assert status["decoding"] == {"state": "halted", "reason": "worker 2: no registry"}
    assert status["ledger"]["trouble"] == "worker 2: locked"


def test_the_hottest_partition_of_all_is_the_hottest_of_any() -> None:
    cool, hot = ({"topic": "t", "partition": number, "unsettled": number} for number in (1, 9))

    assert both(document(hottest_partition=hot), document(hottest_partition=cool))["hottest_partition"] == {
        "worker": 1,
        **hot,
    }


def test_a_status_is_there_before_any_worker_has_answered() -> None:
    status = status_sum(books().as_json(1.0), {})

    assert status["destinations"]["client"]["state"] == "unknown"
    assert status["pending"]["records"] == 0


# --- /metrics ---


def test_counters_and_histograms_are_added_under_the_names_of_a_single_process() -> None:
    samples = summed(scrape(3, durations=(0.003, 0.2)), scrape(4, durations=(0.004,)))

    assert samples["distinct_consumer_records_consumed_total",] == 7
    labels = ("destination", "client"), ("outcome", "delivered")
    name = "distinct_consumer_request_duration_seconds"
    assert samples[f"{name}_count", *labels] == 3
    assert samples[f"{name}_bucket", labels[0], ("le", "0.005"), labels[1]] == 2
    assert samples[f"{name}_bucket", labels[0], ("le", "+Inf"), labels[1]] == 3
    assert samples[f"{name}_sum", *labels] == pytest.approx(0.207)


def test_what_an_ended_worker_counted_stays_and_its_gauges_go() -> None:
    ended = scrape(5, durations=(0.1,), destination=DestinationState(halted=True, requests_in_flight=9))

    samples = summed(scrape(3), past=ended)

    assert samples["distinct_consumer_records_consumed_total",] == 8
    labels = ("destination", "client"), ("outcome", "delivered")
    assert samples["distinct_consumer_request_duration_seconds_count", *labels] == 1
    assert samples["distinct_consumer_destination_halted", labels[0]] == 0
    assert samples["distinct_consumer_requests_in_flight", labels[0]] == 0


def test_gauges_follow_their_sense() -> None:
    bad = scrape(
        ledger=False,
        destination=DestinationState(halted=True, requests_in_flight=2, concurrency_limit=8),
        partitions=(PartitionLag(partition=TopicPartition("t", 0), lag_records=5),),
    )
    moving = scrape(
        destination=DestinationState(requests_in_flight=3, concurrency_limit=8),
        partitions=(PartitionLag(partition=TopicPartition("t", 0), lag_records=4),),
    )

    samples = summed(bad, moving)

    client = ("destination", "client")
    assert samples["distinct_consumer_ledger_up",] == 0
    assert samples["distinct_consumer_destination_halted", client] == 1
    assert samples["distinct_consumer_requests_in_flight", client] == 5
    assert samples["distinct_consumer_concurrency_limit", client] == 16
    assert samples["distinct_consumer_lag_records", ("partition", "0"), ("topic", "t")] == 5
    assert samples["distinct_consumer_topology_info", ("version", "abc")] == 1


@pytest.mark.parametrize("other", [1, 0])
def test_a_difference_is_not_hidden_by_another_worker(other: int) -> None:
    samples = summed(scrape(3, difference=-1), scrape(3, difference=other))

    assert samples["distinct_consumer_books_difference", ("books", "records")] != 0


def test_what_only_a_process_has_is_labelled_with_the_worker() -> None:
    samples = summed(scrape(), scrape())

    for worker in ("1", "2"):
        assert samples["process_resident_memory_bytes", ("worker", worker)] > 0
    assert ("process_resident_memory_bytes",) not in samples


def test_every_gauge_of_the_catalogue_has_a_sense() -> None:
    partitions = (PartitionLag(partition=TopicPartition("t", 0), lag_records=1, lag_s=1.0),)
    gauges = {
        family.name
        for family in metrics_sum.read_metrics(scrape(1, partitions=partitions))
        if family.type == "gauge" and family.name.startswith("distinct_consumer_")
    }

    senses = [metrics_sum.ADDED, metrics_sum.LEAST, metrics_sum.FARTHEST, metrics_sum.MOST]
    assert gauges == frozenset().union(*senses)
    assert sum(map(len, senses)) == len(gauges), "one sense each"


def test_the_sum_speaks_openmetrics_too() -> None:
    families = metrics_sum.add_up({"1": metrics_sum.read_metrics(scrape(3, durations=(0.1,)))})

    content_type, body = metrics_sum.render(families, "application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert b"distinct_consumer_records_consumed_total 3.0" in body
