"""The commands as their help shows them, one after the other."""

import json
import re
import signal
from pathlib import Path

import httpx
import pytest

from consumer.cli.run import run as run_command
from consumer.cli.simulate import simulate as simulate_command
from consumer.settings.model import variable_of
from tests.brokers import Broker, SchemaRegistry
from tests.checker import committed_offsets
from tests.e2e.command import Running, Terminal, run
from tests.e2e.recorder import Recorder
from tests.integration.topology_copy import copy_topology

ANALYTICS = "/api/v1/user/analytics"
EVENTS = "/api/client/events"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def test_check_shows_what_goes_where_and_what_run_would_still_need(tmp_path: Path) -> None:
    shown = run("check", folder=tmp_path)

    assert shown.exit_code == 0
    for text in (
        "user-events.dead-letters",
        "https://api.distinct.so",
        "env:CLIENT_API_KEY",
        "analytics-opens",
    ):
        assert text in shown.stdout
    assert "note: client: CLIENT_API_KEY is not set" in shown.stderr
    assert "the topology is sound: version" in shown.stderr

    document = run("check", "--output", "json", folder=tmp_path).json
    assert [one["name"] for one in document["destinations"]] == [
        "capture",
        "user-analytics",
        "client",
        "event",
    ]


def test_check_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    code, screen = Terminal(["check"], tmp_path).screen()

    assert code == 0
    lines = _CONTROL.sub("", screen).splitlines()
    table = lines[: next(number for number, line in enumerate(lines) if line.startswith("note:"))]
    assert max(len(line.rstrip()) for line in table) <= 80
    # No word is cut: every route stands whole in its line.
    assert any(line.split()[:1] == ["analytics-opens-as-engagements"] for line in table)


def test_the_demo_balances_to_the_record(tmp_path: Path) -> None:
    demo = run("demo", "--events", "3000", "--output", "json", folder=tmp_path)

    assert demo.exit_code == 0, demo.stderr
    books = demo.json
    assert books["balanced"]
    assert books["differences"] == []
    assert books["produced"] == books["consumed"] == books["settled"] == 3_000
    assert (books["in_flight"], books["abandoned"]) == (0, 0)
    assert set(books["destinations"]) == {"user-analytics", "client", "event", "capture"}
    for name, one in books["destinations"].items():
        assert one["delivered"] == books["receiver"][name]["accepted"] > 50, name
        assert books["receiver"][name]["duplicates"] == 0
    assert "demo: 3000 events" in demo.stderr
    assert list(tmp_path.glob("*.db*")) == []


def test_the_demo_balances_with_faults_too(tmp_path: Path) -> None:
    demo = run("demo", "--faults", "--events", "3000", "--seed", "2", folder=tmp_path)

    assert demo.exit_code == 0, demo.stderr
    assert "The books balance to the record" in demo.stdout
    assert "receiver: duplicates" in demo.stdout


def test_the_demo_ends_at_once_on_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    with Running(["demo", "--events", "200000"], tmp_path) as demo:
        demo.wait_for("demo: produced")
        assert demo.stop(signal.SIGINT, 40.0) == 130
        assert "Traceback" not in demo.stderr
    assert list(tmp_path.glob("*.db*")) == []


def test_generate_fills_a_topic_of_a_real_broker_and_registers_the_schema(
    broker: Broker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    topic = broker.unused("generated")

    made = run(
        "generate", "--topic", topic, "--partitions", "3", "--count", "500", "--seed", "4", "--output", "json",
        folder=tmp_path,
        KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers,
        SCHEMA_REGISTRY_URL=registry.url,
    )  # fmt: skip

    assert made.exit_code == 0, made.stderr
    assert (made.json["seed"], made.json["total"]) == (4, 500)
    stored = broker.read(topic)
    assert len(stored) == 500
    assert len(broker.end_offsets(topic)) == 3
    assert len({one.key for one in stored}) > 100
    assert ("POST", f"/subjects/{topic}-value/versions?normalize=False") in registry.requests


def test_generate_names_a_topic_that_is_missing(
    broker: Broker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    made = run(
        "generate", "--topic", "no-such-topic",
        folder=tmp_path,
        KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers,
        SCHEMA_REGISTRY_URL=registry.url,
    )  # fmt: skip

    assert made.exit_code == 1
    assert "no-such-topic" in made.message
    assert "name a number of partitions" in made.message
    assert "Traceback" not in made.stderr


@pytest.fixture
def simulated(tmp_path: Path) -> Running:
    return Running(["simulate", "--port", "0"], tmp_path)


def test_simulate_answers_as_its_help_says(simulated: Running) -> None:
    with simulated:
        base_url = simulated.wait_for("simulating on ").removeprefix("simulating on ").strip()
        urls = ("DISTINCT_BASE_URL", "EVENT_API_BASE_URL", "CLIENT_API_BASE_URL")
        assert f"export {' '.join(f'{name}={base_url}' for name in urls)}" in simulated.stderr
        assert f"{base_url}/_simulator/" in simulated.stderr
        with httpx.Client(base_url=base_url, trust_env=False) as client:
            opened = {
                "userId": "u-1",
                "feature": "registration_email",
                "action": "opened",
                "experienceId": "47Gop5",
                "capturedAt": "2026-04-27T13:35:00Z",
            }
            key = {"x-distinct-api-key": "distinct-sandbox-key"}
            assert client.post(ANALYTICS, json=opened).status_code == 401
            assert client.post(ANALYTICS, json=opened, headers=key).json()["statusCode"] == 200
            wrong = client.post(ANALYTICS, json={**opened, "action": "eaten"}, headers=key)
            assert (wrong.status_code, wrong.json()["message"]) == (400, "Invalid feature/action.")

            bearer = {"authorization": "Bearer pk_sandbox"}
            did = [{"external_id": "u-1", "name": "Badge Earned", "data": {}}]
            assert client.post(EVENTS, json=did, headers=bearer).status_code == 204

            assert client.put("/_simulator/outages", json={"client_api": {"status": 401}}).is_success
            assert client.post(EVENTS, json=did, headers=bearer).status_code == 401
            assert client.delete("/_simulator/outages").is_success
            assert client.post(EVENTS, json=did, headers=bearer).status_code == 204

            ledger = client.get("/_simulator/ledger").json()
        assert ledger["user_analytics"]["accepted"] == 1
        assert ledger["client_api"]["accepted"] == 2
        assert simulated.stop() == 0


def test_events_generated_are_delivered_to_the_simulator_by_a_run(
    broker: Broker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    """All commands that the README names for a try on one's own broker."""
    topic = broker.unused("user-events")
    broker.create(f"{topic}.dead-letters")
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": registry.url,
        "CONSUMER_GROUP": broker.group(),
        "ADMIN_LISTEN": "127.0.0.1:0",
        "DISTINCT_API_KEY": "distinct-sandbox-key",
        "CLIENT_API_KEY": "pk_sandbox",
        "TOPOLOGY": str(_topology_of(topic, tmp_path)),
    }
    made = run(
        "generate", "--topic", topic, "--partitions", "2", "--count", "300", folder=tmp_path, **environment
    )
    assert made.exit_code == 0, made.stderr
    with Running(["simulate", "--port", "0"], tmp_path) as simulated:
        base_url = simulated.wait_for("simulating on ").removeprefix("simulating on ").strip()
        urls = {"DISTINCT_BASE_URL": base_url, "CLIENT_API_BASE_URL": base_url}
        done = run("run", "--until-end", "--timeout", "60", folder=tmp_path, **environment, **urls)
        ledger = httpx.get(f"{base_url}/_simulator/ledger", trust_env=False).json()

    assert done.exit_code == 0, done.stderr
    assert "The books balance." in done.stdout
    delivered = next(line for line in done.stdout.splitlines() if "delivered" in line)
    counts = [int(word) for word in delivered.split() if word.isdecimal()]
    assert sorted(counts) == sorted([ledger["user_analytics"]["accepted"], ledger["client_api"]["accepted"]])
    assert json.loads(done.stderr.splitlines()[-1])["message"] == "stopped"


def _topology_of(topic: str, folder: Path) -> Path:
    quick = {"retry": {"unknown_user_delay": "200ms"}}
    return copy_topology(folder / "topology", topic, of_topic={}, of_destinations={"user-analytics": quick})


def test_every_flag_of_run_is_taken_and_wins_over_its_variable(
    broker: Broker, registry: SchemaRegistry, tmp_path: Path
) -> None:
    topic, group = broker.unused("user-events"), broker.group()
    broker.create(f"{topic}.dead-letters")
    servers = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "SCHEMA_REGISTRY_URL": registry.url}
    arguments = ("--topic", topic, "--partitions", "1", "--count", "50")
    assert run("generate", *arguments, folder=tmp_path, **servers).exit_code == 0
    (tmp_path / "k.properties").write_text("session.timeout.ms=6000\n")
    (tmp_path / "c.yaml").write_text("consumer_group: not-this-one\nclient_api_key: pk_client\n")
    values = {
        "config": "c.yaml",
        "topology": str(_topology_of(topic, tmp_path)),
        "schemas": str(Path(__file__).resolve().parents[2] / "schemas"),
        "kafka-bootstrap-servers": broker.bootstrap_servers,
        "kafka-properties": "k.properties",
        "consumer-group": group,
        "instance-id": "only-one",
        "group-protocol": "classic",
        "commit-interval": "200ms",
        "schema-registry-url": registry.url,
        "max-pending": "20",
        "max-pending-bytes": "1MiB",
        "drain-timeout": "5s",
        "ledger-url": "sqlite:///mine.db",
        "ledger-keep-keys": "1h",
        "ledger-keep-windows": "1h",
        "ledger-keep-once": "1d",
        "stuck-after": "120s",
        "stalled-after": "5s",
        "admin-listen": "127.0.0.1:0",
        "http-client": "httpx",
        "avro-reader": "python",
        "log-level": "warning",
        "timeout": "60",
        "output": "json",
        "workers": "1",
    }
    flags = [word for name, value in values.items() for word in (f"--{name}", value)]
    # `--destination` changes the group: it has tests of its own.
    files = ("ca-file", "certificate-file", "key-file")
    tls = {f"--{server}-{file}" for server in ("schema-registry", "ledger") for file in files}
    switches = ["--until-end", "--accept-ledger", "--allow-plain-http"]
    taken = {name for option in run_command.params for name in option.opts}
    assert taken - tls - {"--destination"} == {*switches, *(f"--{name}" for name in values)}

    wrong = {variable_of(key): "wrong" for key in ("kafka_bootstrap_servers", "log_level", "max_pending")}
    with Recorder() as recorder:
        urls = {"DISTINCT_BASE_URL": recorder.base_url, "CLIENT_API_BASE_URL": recorder.base_url}
        key = {"DISTINCT_API_KEY": "distinct-key"}
        done = run("run", *switches, *flags, folder=tmp_path, **key, **urls, **wrong)

    assert done.exit_code == 0, done.stderr
    assert done.json["settled"] == 50
    assert committed_offsets(broker.bootstrap_servers, group, topic) == {0: 50}
    assert (tmp_path / "mine.db").exists()
    assert '"level": "info"' not in done.stderr
    assert {
        headers["authorization"] for _, headers, _ in recorder.requests if "authorization" in headers
    } == {"Bearer pk_client"}


def test_the_faults_that_are_ordered_happen(tmp_path: Path) -> None:
    faults = ("--latency-ms", "1", "--throttle-rate", "0.25", "--error-rate", "0.25", "--drop-rate", "0.25")
    keys = ("--distinct-api-key", "a-key", "--client-api-key", "pk_a", "--event-api-key", "e-key")
    admin = ("--distinct-admin-api-key", "admin", "--keep", "5", "--world", str(tmp_path / "world.yaml"))
    (tmp_path / "world.yaml").write_text("users: [u-1]\n")
    more = (*admin, "--lost-rate", "0.1", "--seed", "7", "--host", "127.0.0.1", "--port", "0")
    taken = {name for option in simulate_command.params for name in option.opts}
    assert taken == {word for word in (*faults, *keys, *more) if word.startswith("--")}

    with Running(["simulate", *faults, *keys, *more], tmp_path) as simulated:
        base_url = simulated.wait_for("simulating on ").removeprefix("simulating on ").strip()
        outcomes: set[int | str] = set()
        headers = {"authorization": "Bearer pk_a"}
        did = [{"external_id": "u-1", "name": "Badge Earned", "data": {}}]
        for _ in range(100):
            try:
                answer = httpx.post(f"{base_url}{EVENTS}", json=did, headers=headers, trust_env=False)
                outcomes.add(answer.status_code)
            except httpx.RemoteProtocolError:
                outcomes.add("dropped")
        report = httpx.get(f"{base_url}/_simulator/ledger", trust_env=False).json()["client_api"]

    assert outcomes == {204, 429, 500, "dropped"}
    assert report["lost_responses"] > 0
