"""`generate` as its users run it: counts on stdout, everything else on stderr."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consumer.cli.generate import generate
from consumer.errors import BrokerError, RegistryUnavailable, UsageError
from consumer.sandbox.embedded import EmbeddedBroker
from tests.brokers import SchemaRegistry

TOPIC = "user-events"


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as embedded:
        yield embedded


def run(embedded: EmbeddedBroker, registry: SchemaRegistry, *options: str) -> Result:
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": embedded.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": registry.url,
    }
    return CliRunner().invoke(generate, ["--topic", TOPIC, "--count", "500", *options], env=environment)


def test_the_counts_are_json_on_stdout_and_agree_with_the_broker(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    result = run(embedded, registry, "--seed", "4", "--output", "json")

    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)
    assert (counts["seed"], counts["total"]) == (4, 500)
    assert sum(counts["by_kind"].values()) == 500
    assert sum(mark.high for mark in embedded.watermarks(TOPIC).values()) == 500


def test_the_table_names_the_seed_that_was_taken(embedded: EmbeddedBroker, registry: SchemaRegistry) -> None:
    first, second = run(embedded, registry), run(embedded, registry)

    assert "500 records on user-events, by seed" in first.stdout
    assert first.stdout.splitlines()[0] != second.stdout.splitlines()[0]


def test_the_same_seed_and_end_give_the_same_counts(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    options = ("--seed", "4", "--end", "2026-04-27T13:35:00Z", "--output", "json")

    first, second = (json.loads(run(embedded, registry, *options).stdout) for _ in range(2))

    assert first["by_kind"] == second["by_kind"]
    assert first["by_payload"] == second["by_payload"]


def test_partitions_leave_a_topic_that_exists_as_it_is(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    embedded.create_topic(TOPIC)

    result = run(embedded, registry, "--partitions", "9", "--output", "json")

    assert result.exit_code == 0, result.output
    assert len(embedded.watermarks(TOPIC)) == 4


def test_the_schema_is_in_the_registry_under_the_topic(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    run(embedded, registry)

    assert any(f"/subjects/{TOPIC}-value" in path for _, path in registry.requests)


def test_a_registry_that_nobody_else_could_reach_is_refused(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    result = run(embedded, registry, "--schema-registry-url", "mock://here")

    assert isinstance(result.exception, UsageError)
    assert "--schema-registry-url" in str(result.exception)


def test_a_registry_that_is_gone_is_named_as_the_trouble(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    registry.close()

    result = run(embedded, registry)

    assert isinstance(result.exception, RegistryUnavailable)


def test_a_properties_file_reaches_the_client(
    embedded: EmbeddedBroker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text("# ours\n\nlinger.ms = 1\ncompression.type=gzip\n")

    assert run(embedded, registry, "--kafka-properties", str(file)).exit_code == 0


def test_a_line_that_is_no_property_is_named_without_its_text(
    embedded: EmbeddedBroker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text("linger.ms=1\nsasl.password=hunter2\\q\n")

    result = run(embedded, registry, "--kafka-properties", str(file))

    assert isinstance(result.exception, UsageError)
    assert f"{file}:2" in str(result.exception)
    assert "hunter2" not in str(result.exception)


def test_a_property_that_librdkafka_does_not_know_is_the_users_mistake(
    embedded: EmbeddedBroker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text("linger.msec=1\n")

    result = run(embedded, registry, "--kafka-properties", str(file))

    assert isinstance(result.exception, UsageError)
    assert "linger.msec" in str(result.exception)


def test_ctrl_c_ends_it_early_and_counts_what_was_acknowledged(
    embedded: EmbeddedBroker, registry: SchemaRegistry
) -> None:
    before = signal.getsignal(signal.SIGINT)
    # At 20 records a second the whole would take 25 s.
    interrupt = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()

    result = run(embedded, registry, "--rate", "20", "--output", "json")
    interrupt.join()

    assert result.exit_code == 0, result.output
    total = json.loads(result.stdout)["total"]
    assert 0 < total < 200
    assert sum(mark.high for mark in embedded.watermarks(TOPIC).values()) == total
    assert signal.getsignal(signal.SIGINT) is before


def test_a_broker_that_creates_no_topics_on_request_is_named_with_the_way_out(
    embedded: EmbeddedBroker, registry: SchemaRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumer.sandbox.generator.topic._TIMEOUT_S", 0.5)

    result = run(embedded, registry, "--partitions", "3")

    assert isinstance(result.exception, BrokerError)
    assert f"the topic {TOPIC} can't be created" in str(result.exception)
