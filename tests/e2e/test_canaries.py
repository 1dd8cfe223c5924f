"""A marked word in every secret and in all of a user's data, sent through everything: it comes out nowhere."""

import base64
import json
from pathlib import Path

import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.outage import Outage
from tests.brokers import Reply
from tests.e2e.admin_port import AdminPort
from tests.e2e.collector import Collector
from tests.e2e.command import Running, run
from tests.e2e.people import Person
from tests.e2e.produced import Context, produce_traced
from tests.integration.processes import ConsumerProcess, wait_until
from tests.integration.stage import Stage
from tests.integration.topology_copy import Changes, copy_topology

WORD = b"canary"
PHONE = b"4155550123"
_AUTH = base64.b64encode(b"canary:canary-registry-password")
FORBIDDEN = (WORD, PHONE, _AUTH, base64.b64encode(b"canary-collector-key"))
KEYS = {
    "DISTINCT_API_KEY": "canary-distinct-key",
    "CLIENT_API_KEY": "pk_canary_client_key",
    "EVENT_API_KEY": "canary-event-key",
}
SECRETS = {
    **KEYS,
    "SCHEMA_REGISTRY_BASIC_AUTH": "canary:canary-registry-password",
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=canary-collector-key",
}
ALL = ("user-analytics", "client", "event", "capture")
APIS: tuple[ApiName, ...] = ("user_analytics", "client_api", "event_api", "capture_analytics")
QUICK: Changes = {
    "retry": {
        "base_delay": "50ms",
        "max_delay": "500ms",
        "unknown_user_delay": "100ms",
        "unknown_user_attempts": 2,
    }
}
LOUD = "canary@example.org asked: canary"
TROUBLES = (
    Outage(status=401, body={"error": LOUD, "code": 1000}, count=2),
    Outage(status=500, body=LOUD, count=3),
    Outage(status=302, headers={"location": "https://canary.example/canary"}, count=2),
    Outage(status=200, body=LOUD, count=2),
    Outage(drop=True, count=2),
    Outage(status=400, body={"error": LOUD, "message": LOUD, "statusCode": 400, "errors": [LOUD]}, count=2),
)


def found_in(places: dict[str, bytes]) -> list[str]:
    """Where something forbidden stands, with what is around it."""
    found = []
    for name, content in places.items():
        for word in FORBIDDEN:
            at = content.lower().find(word.lower())
            if at >= 0:
                found.append(f"{name}: {content[max(0, at - 80) : at + 60]!r}")
    return found


@pytest.fixture
def receiver_of_canaries() -> object:
    with SimulatorProcess(
        SimulatorConfig(
            distinct_api_key=KEYS["DISTINCT_API_KEY"],
            client_api_key=KEYS["CLIENT_API_KEY"],
            event_api_key=KEYS["EVENT_API_KEY"],
        )
    ) as receiver:
        yield receiver


def events(stage: Stage) -> list[bytes]:
    """Every type for somebody who is known, for nobody, and for somebody whose number is none; and what is no event."""
    person = Person(stage.schema_id, "canary-user", "canary@example.org", f"+1{PHONE.decode()}")
    nobody = Person(stage.schema_id, "unknown-canary", "canary-nobody@unknown.invalid", None)
    wrong = Person(stage.schema_id, "canary-user", "canary: no address", "canary: no number")
    damaged = person.engaged("canary-damaged")
    return [
        *person.all_kinds("canary"),
        *nobody.all_kinds("canary-2"),
        *wrong.all_kinds("canary-3"),
        person.engaged("canary-e-1"),
        person.engaged("canary-e-1"),
        person.did("canary-long", name="canary" * 100),
        b"canary: no Avro",
        damaged + b"canary",
        damaged[:-9],
        b"\0\xff\xff\xff\xffcanary",
    ]


def started(stage: Stage, receiver: SimulatorProcess, collector: Collector) -> ConsumerProcess:
    """With everything on: debug logs, traces of each record, all destinations."""
    topology = copy_topology(
        stage.folder / "all", stage.topic, only=ALL, of_destinations=dict.fromkeys(ALL, QUICK)
    )
    url = receiver.base_url
    return stage.consumer(
        "--log-level",
        "debug",
        topology=topology,
        **SECRETS,
        DISTINCT_BASE_URL=url,
        CLIENT_API_BASE_URL=url,
        EVENT_API_BASE_URL=url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        PYTHONFAULTHANDLER="1",
    )


def test_no_secret_and_nobodys_data_comes_out_by_any_way_under_any_trouble(
    stage: Stage, collector: Collector, receiver_of_canaries: SimulatorProcess
) -> None:
    receiver = receiver_of_canaries
    stage.registry.break_with(Reply(503, LOUD.encode()))
    values = events(stage)
    produce_traced(stage, [(value, Context.new()) for value in values])
    consumer = started(stage, receiver, collector)
    port = AdminPort(consumer)
    wait_until(lambda: port.status["decoding"]["state"] == "halted", 60.0, consumer.tail)
    seen = [port.get("/status").text]
    stage.registry.heal()
    for trouble in TROUBLES:
        receiver.remote.declare(dict.fromkeys(APIS, trouble))
        person = Person(stage.schema_id, "canary-user", "canary@example.org")
        more = person.all_kinds(f"canary-{trouble.status}-{trouble.drop}")
        produce_traced(stage, [(value, Context.new()) for value in more])
        values += more
        halted = port.get("/status").text
        wait_until(
            lambda: port.status["settled"] == len(values), 60.0, lambda: f"{port.status}{consumer.tail()}"
        )
        seen += [halted, *(port.get(path).text for path in ("/status", "/metrics", "/ready", "/live", "/"))]
    books = port.status["destinations"]
    wait_until(lambda: len(collector.spans) > 20, 30.0, consumer.tail)  # they are exported now and then
    consumer.abort()  # with the ledger open: its write-ahead log is still there

    assert all(books[name]["delivered"] > 0 for name in ALL), books
    letters = stage.read_letters()
    ours = [
        header
        for letter in letters
        for header in letter.headers
        if header[0].startswith("distinct-consumer.")
    ]
    assert len(letters) > 10
    assert any("Fatal Python error: Aborted" in line for line in consumer.stderr.splitlines())
    files = {str(file): file.read_bytes() for file in stage.folder.rglob("*") if file.is_file()}
    assert {"ledger.db", "ledger.db-wal"} <= {Path(name).name for name in files}
    places = {
        **files,
        "admin port": "\n".join(seen).encode(),
        "letters' headers": repr(ours).encode(),
        "spans": collector.raw,
    }
    assert found_in(places) == []


@pytest.mark.parametrize(
    "where",
    [
        "import threading; t = threading.Thread(target=fail); t.start(); t.join()",
        "class Gone:\n    def __del__(self):\n        fail()\nGone()",
        "import click; click.Command.invoke = fail",
    ],
    ids=["thread", "unraisable", "main"],
)
def test_a_fault_that_nobody_catches_is_told_without_what_it_quotes(tmp_path: Path, where: str) -> None:
    prelude = (
        "def fail(*_):\n"
        "    raise RuntimeError('no connection to https://canary:canary@example.org for canary@example.org')\n"
        "from consumer.cli.last_words import tell_faults; tell_faults()\n"
        f"{where}"
    )
    with Running(["config", "show"], tmp_path, prelude=prelude) as running:
        running.wait()

    assert "please report it" in running.stderr
    assert "RuntimeError" in running.stderr
    assert "canary" not in running.stderr
    assert all(json.loads(line) for line in running.stderr.splitlines())


def test_what_the_commands_print_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "k.properties").write_text("sasl.username=canary\nsasl.password=canary-broker-password\n")
    settings = {**SECRETS, "KAFKA_PROPERTIES": "k.properties", "LEDGER_URL": "memory:"}
    for arguments in (["config", "show"], ["config", "show", "--output", "json"], ["check"]):
        ended = run(*arguments, folder=tmp_path, **settings)

        assert ended.exit_code == 0, ended.stderr
        assert "canary" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "trouble", [None, *(one for one in TROUBLES if one.status in (200, 302, 400, 401))], ids=str
)
def test_what_is_asked_of_the_touchpoints_tells_neither_key_nor_answer(
    tmp_path: Path, trouble: Outage | None
) -> None:
    config = SimulatorConfig(
        distinct_api_key="shared", client_api_key="pk_test", distinct_admin_api_key="canary-admin-key"
    )
    with SimulatorProcess(config) as vendor:
        if trouble is not None:
            vendor.remote.declare({"touchpoint_metrics": trouble})
        ended = run(
            *("touchpoints", "user", "47Gop5", "user-1"),
            folder=tmp_path,
            DISTINCT_ADMIN_API_KEY="canary-admin-key",
            DISTINCT_BASE_URL=vendor.base_url,
        )

    assert ended.exit_code == (0 if trouble is None else 1), ended.stderr
    assert found_in({"output": ended.stdout.encode(), "errors": ended.stderr.encode()}) == []
