"""What a running consumer says of itself on its admin port."""

import json
import time

from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from consumer.sandbox.simulator.outage import Outage
from tests.e2e.admin_port import AdminPort
from tests.e2e.people import Person
from tests.integration.processes import wait_until
from tests.integration.stage import Stage


def test_the_books_health_and_metrics_of_a_run_agree(stage: Stage) -> None:
    stage.generate(1_000)
    consumer = stage.consumer()
    port = AdminPort(consumer)
    wait_until(lambda: port.status["settled"] == 1_000, 60.0, lambda: f"{port.status}")

    assert port.get("/live").json() == {"live": True, "reason": "ok"}
    assert port.get("/ready").json() == {"ready": True, "reason": "ok"}
    status = port.status
    assert status["balanced"]
    assert status["consumed"] == status["settled"] + status["in_flight"] + status["abandoned"] == 1_000
    for name, books in status["destinations"].items():
        ended = ("delivered", "suppressed", "windowed", "dropped", "dead_lettered", "abandoned")
        assert books["matched"] == sum(books[word] for word in ended) + books["in_flight"], name
        assert (books["state"], books["reason"]) == ("running", "")
    letters = sum(one["count"] for one in status["dead_letters"]["reasons"])
    assert letters == len(stage.read_letters()) > 0

    shown = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(port.get("/metrics").text)
        for sample in family.samples
    }
    assert shown["distinct_consumer_records_consumed_total",] == 1_000
    assert shown["distinct_consumer_records_settled_total",] == 1_000
    assert shown["distinct_consumer_books_difference", ("books", "records")] == 0
    for name, books in status["destinations"].items():
        delivered = ("destination", name), ("outcome", "delivered")
        assert shown["distinct_consumer_deliveries_total", *delivered] == books["delivered"] > 0
        requests = shown["distinct_consumer_request_duration_seconds_count", *delivered]
        assert 0 < requests <= books["delivered"]
    assert consumer.stop() == 0, consumer.tail()


def test_a_refused_key_halts_the_destination_and_a_good_one_lets_it_go_on(
    stage: Stage, person: Person
) -> None:
    stage.receiver.remote.declare({"client_api": Outage(status=401)})
    stage.produce(person.engaged("e-1"))
    consumer = stage.consumer()
    port = AdminPort(consumer)
    wait_until(lambda: port.state_of("client")[0] == "halted", 30.0, lambda: f"{port.status}")

    assert "401" in port.state_of("client")[1]
    wait_until(lambda: bool(port.status["troubles"]), 10.0)
    (trouble,) = port.status["troubles"]
    assert trouble["what"] == "destination client"
    assert trouble["reason"].startswith("halted: 401")
    assert trouble["seconds"] >= 0
    assert port.get("/ready").status_code == 200
    assert 'distinct_consumer_destination_halted{destination="client"} 1.0' in port.get("/metrics").text
    # The other one goes on meanwhile, and nothing is committed over what waits.
    wait_until(lambda: port.status["destinations"]["user-analytics"]["delivered"] == 1, 30.0)
    assert port.state_of("user-analytics") == ("running", "")
    assert stage.committed == {0: 0}

    stage.receiver.remote.declare({})
    wait_until(lambda: port.state_of("client") == ("running", ""), 30.0, lambda: f"{port.status}")
    wait_until(lambda: port.status["settled"] == 1, 30.0)
    assert stage.accepted_ids() == ["e-1"]
    wait_until(lambda: port.status["troubles"] == [], 10.0)
    assert consumer.stop() == 0, consumer.tail()
    begin, over = [line for line in consumer.stderr.splitlines() if '"destination client"' in line]
    assert "halted: 401" in begin
    assert "over, after" in over


def test_the_age_of_the_oldest_unsettled_record_is_a_metric(stage: Stage, person: Person) -> None:
    stage.receiver.remote.declare({"client_api": Outage(status=401)})
    hour_ago_ms = int((time.time() - 3600) * 1000)
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "log_level": 2})
    producer.produce(stage.topic, person.did("e-1"), b"user-1", partition=0, timestamp=hour_ago_ms)
    producer.flush(30.0)
    consumer = stage.consumer()
    port = AdminPort(consumer)

    def age_s() -> float | None:
        families = text_string_to_metric_families(port.get("/metrics").text)
        (family,) = [one for one in families if one.name == "distinct_consumer_lag_seconds"]
        return family.samples[0].value if family.samples else None

    wait_until(lambda: port.state_of("client")[0] == "halted", 30.0, lambda: f"{port.status}")
    assert 3600 <= (age_s() or 0) < 3700

    stage.receiver.remote.declare({})
    wait_until(lambda: port.status["settled"] == 1, 30.0)
    wait_until(lambda: age_s() == 0.0, 10.0, lambda: str(age_s()))
    assert consumer.stop() == 0, consumer.tail()


def test_when_the_bound_is_reached_it_is_said_who_fills_it(stage: Stage, person: Person) -> None:
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(latency_ms=30_000.0)))
    stage.produce(*(person.engaged(f"e-{number}") for number in range(300)))
    consumer = stage.consumer(CONSUMER_MAX_PENDING="100", CONSUMER_DRAIN_TIMEOUT="1s")
    port = AdminPort(consumer)
    wait_until(lambda: port.status["pending"]["paused"], 30.0, lambda: f"{port.status}")
    # The other destination has its share of them too, until it has delivered it.
    wait_until(
        lambda: port.status["destinations"]["user-analytics"]["in_flight"] == 0,
        30.0,
        lambda: f"{port.status}",
    )

    status = port.status
    assert status["pending"]["records"] >= status["pending"]["max_records"] == 100
    first = status["held_by"][0]
    assert (first["destination"], first["in_flight"] >= 100) == ("client", True)
    assert first["longest_lane"] > 0
    assert (first["lane"]["topic"], first["lane"]["partition"]) == (stage.topic, 0)
    assert first["lane"]["offset"] >= 0
    assert status["hottest_partition"] == {
        "topic": stage.topic,
        "partition": 0,
        "unsettled": status["in_flight"],
    }
    assert person.user_id not in json.dumps(status), "a key may be a person's name"
    assert status["balanced"]
    assert "distinct_consumer_partitions_paused 1.0" in port.get("/metrics").text
    # Pauses are told when they last.
    wait_until(lambda: '"polling: paused' in consumer.stderr, 30.0, consumer.tail)
    assert "wait for client" in consumer.stderr
