"""A mistake in the configuration: one message with what, where and what to do; exit 2 before all else."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Result, run

COMPLETE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9",
    "LEDGER_URL": "memory:",
    "ADMIN_LISTEN": "127.0.0.1:0",
    "DISTINCT_API_KEY": "canary-distinct-key",
    "CLIENT_API_BASE_URL": "http://127.0.0.1:9",
    "CLIENT_API_KEY": "pk_canary_client_key",
    "EVENT_API_KEY": "canary-event-key",
}
"""All that a run needs, with keys that must never be seen."""


def refused(folder: Path, *flags: str, **environment: str) -> str:
    """The message of a run that ended as a mistake should."""
    ended = run("run", *flags, folder=folder, **environment)
    assert ended.exit_code == 2, ended.stderr
    assert ended.stdout == ""
    assert ended.seconds < 15
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr
    return ended.message


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in COMPLETE.items() if key != name}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_without_settings_all_that_is_missing_is_named_with_the_ways_to_give_it(tmp_path: Path) -> None:
    assert refused(tmp_path).splitlines() == [
        "error: KAFKA_BOOTSTRAP_SERVERS is not set: set it, or kafka_bootstrap_servers in the --config file, "
        "or give --kafka-bootstrap-servers",
        "error: SCHEMA_REGISTRY_URL is not set: set it, or schema_registry_url in the --config file, "
        "or give --schema-registry-url",
    ]


def test_a_missing_secret_is_named_with_its_place_in_the_topology(tmp_path: Path) -> None:
    message = refused(tmp_path, **without("CLIENT_API_KEY"))

    assert "destinations.yaml:" in message
    assert "destinations.client.credential: CLIENT_API_KEY is not set" in message
    assert "CLIENT_API_KEY_FILE" in message
    assert len(message.splitlines()) == 1


def test_a_topology_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "topology"
    broken.mkdir()
    (broken / "all.yaml").write_text("topics:\n  events: {partitions: [\n")

    message = refused(tmp_path, "--topology", str(broken), **COMPLETE)

    assert "all.yaml:3: not valid YAML" in message


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "nowhere" in refused(tmp_path, "--topology", "nowhere", **COMPLETE)


def test_mistakes_in_the_config_file_are_all_told_with_line_and_suggestion(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "kafka_bootstrap_server: a:9092\n"
        "max_pending: canary\n"
        "log_level: canary\n"
        "drain_timeout: 5\n"
        "schema_registry_basic_auth: canary-user:canary-password\n"
    )

    lines = refused(tmp_path, "--config", "c.yaml", **COMPLETE).splitlines()

    assert (
        lines[0]
        == "error: c.yaml:1: kafka_bootstrap_server: unknown key; did you mean kafka_bootstrap_servers?"
    )
    assert lines[1] == "error: c.yaml:2: max_pending: must be a whole number"
    assert lines[2] == "error: c.yaml:3: log_level: must be debug, info, warning or error"
    assert lines[3].startswith("error: c.yaml:4: drain_timeout: must be a duration such as")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--max-pending", "many"], "--max-pending: must be a whole number"),
        (["--drain-timeout", "25"], "--drain-timeout: must be a duration such as"),
        (["--admin-listen", "9464"], "--admin-listen: must be host:port, such as"),
        (["--ledger-url", "postgres://canary:canary@h/db"], "LEDGER_URL: it names no known kind of ledger"),
        (["--schema-registry-url", "https://canary:canary@h"], "use SCHEMA_REGISTRY_BASIC_AUTH"),
        (["--schema-registry-url", "http://registry.example.com"], "is plain http beyond this machine"),
        (["--schema-registry-ca-file", "no.pem"], "SCHEMA_REGISTRY_CA_FILE: the file no.pem can't be read"),
        (["--timeout", "5"], "--timeout bounds a run with --until-end"),
        (["--group-protocol", "consumer", "--instance-id", "a"], "--instance-id"),
        (["--max-pendin", "5"], "--max-pending"),
    ],
)
def test_a_wrong_flag_is_named_with_what_to_write_instead(
    tmp_path: Path, flags: list[str], told: str
) -> None:
    assert told in refused(tmp_path, *flags, **COMPLETE)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sasl.pasword=canary", "k.properties:1: sasl.pasword: No such configuration property"),
        ("security.protocol=SSLX", 'Invalid value "SSLX" for configuration property "security.protocol"'),
        ("group.id=other", "k.properties:1: group.id: cannot be set there: use CONSUMER_GROUP"),
        ("max.poll.interval.ms=20000", "must stay 10 s below max.poll.interval.ms, which is 20 s"),
        ("sasl.password=canary\\q", "k.properties:1: sasl.password: holds a \\ that escapes nothing"),
    ],
)
def test_a_wrong_kafka_property_is_named_without_a_secret(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "k.properties").write_text(line + "\n")

    assert told in refused(tmp_path, "--kafka-properties", "k.properties", **COMPLETE)


def test_a_port_that_is_taken_is_named_as_the_setting_it_is(tmp_path: Path, taken_port: int) -> None:
    message = refused(tmp_path, "--admin-listen", f"127.0.0.1:{taken_port}", **COMPLETE)

    assert message == (
        f"error: ADMIN_LISTEN: 127.0.0.1:{taken_port}: Address already in use; choose another host:port"
    )


def test_a_wrong_tracing_variable_is_named(tmp_path: Path) -> None:
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_SAMPLER": "sometimes"}

    assert "OTEL_TRACES_SAMPLER: must be one of" in refused(tmp_path, **COMPLETE, **tracing)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["simulate", "--client-api-key", "abc"], "must start with pk_"),
        (["simulate", "--error-rate", "0.7", "--lost-rate", "0.7"], "together at most 1"),
        (["demo", "--events", "0"], "--events"),
        (["generate", "--topic", "t"], "KAFKA_BOOTSTRAP_SERVERS is not set"),
        (["check", "--topology", "nowhere"], "nowhere"),
        (["rum"], "rum"),
    ],
)
def test_the_other_commands_refuse_mistakes_alike(tmp_path: Path, arguments: list[str], told: str) -> None:
    ended: Result = run(*arguments, folder=tmp_path)

    assert ended.exit_code == 2
    assert told in ended.message
    assert "Traceback" not in ended.stderr


def test_the_simulator_names_the_port_that_is_taken(tmp_path: Path, taken_port: int) -> None:
    ended = run("simulate", "--port", str(taken_port), folder=tmp_path)

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.message == (
        f"error: cannot listen on 127.0.0.1:{taken_port}: Address already in use; "
        "choose another by --host and --port"
    )
