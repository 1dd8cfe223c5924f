"""The log of a whole run: a JSON object a line, the story of what happened, and nobody's data."""

import json

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from consumer.sandbox.simulator.outage import Outage
from tests.brokers import Reply
from tests.e2e.admin_port import AdminPort
from tests.e2e.collector import Collector
from tests.e2e.people import Person
from tests.e2e.produced import Context, produce_traced
from tests.integration.processes import wait_until
from tests.integration.stage import Stage

KEYS = ("canary-distinct-key", "pk_canary_client_key", "canary-registry-password", "canary-broker-password")
PEOPLE = ("canary-user", "canary@example.org", "14155550123", "canary-nobody", "nobody@unknown.invalid")
FORBIDDEN = (*KEYS, *PEOPLE, "canary-card-number", "canary")


def test_a_run_with_all_kinds_of_trouble_tells_its_story_and_nobodys_data(
    stage: Stage, collector: Collector
) -> None:
    with SimulatorProcess(SimulatorConfig(distinct_api_key=KEYS[0], client_api_key=KEYS[1])) as receiver:
        stage.registry.break_with(Reply(503, b"canary"))
        receiver.remote.declare({"user_analytics": Outage(status=500, body="canary@example.org", count=6)})
        user = Person(stage.schema_id, PEOPLE[0], PEOPLE[1], f"+{PEOPLE[2]}")
        unknown = Person(stage.schema_id, f"unknown-{PEOPLE[3]}", PEOPLE[4], None)
        wrong = Person(stage.schema_id, PEOPLE[0], PEOPLE[1], "canary, not a number")
        values = [
            *(user.engaged(f"e-{number}", card="canary-card-number") for number in range(8)),
            unknown.engaged("e-8"),
            wrong.engaged("e-9"),
            user.did("e-10", name="canary" * 100),
            b"canary: no Avro",
            user.engaged("e-11") + b"canary",
        ]
        produce_traced(stage, [(value, Context.new()) for value in values])
        (stage.folder / "k.properties").write_text(f"sasl.username=canary\nsasl.password={KEYS[3]}\n")

        consumer = stage.consumer(
            "--log-level",
            "debug",
            DISTINCT_BASE_URL=receiver.base_url,
            CLIENT_API_BASE_URL=receiver.base_url,
            DISTINCT_API_KEY=KEYS[0],
            CLIENT_API_KEY=KEYS[1],
            SCHEMA_REGISTRY_BASIC_AUTH=f"canary:{KEYS[2]}",
            KAFKA_PROPERTIES=str(stage.folder / "k.properties"),
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        )
        port = AdminPort(consumer)
        wait_until(lambda: "decoding: halted: schema registry" in consumer.stderr, 60.0)
        assert "schema registry" in str(port.status["decoding"]["reason"])
        stage.registry.heal()
        wait_until(lambda: port.status["settled"] == len(values), 90.0, lambda: f"{port.status}")
        receiver.remote.declare({"client_api": Outage(status=401, body={"error": "canary", "code": 1000})})
        stage.produce(user.did("e-12"))
        wait_until(
            lambda: "destination client: halted: 401" in consumer.stderr, 30.0, lambda: f"{port.status}"
        )
        assert port.state_of("client")[0] == "halted"
        seen = [port.get(path).text for path in ("/status", "/metrics", "/ready", "/live")]
        receiver.remote.declare({})
        wait_until(lambda: port.status["settled"] == len(values) + 1, 30.0, lambda: f"{port.status}")
        seen += [port.get(path).text for path in ("/status", "/metrics")]
        assert consumer.stop() == 0, consumer.tail()

    lines = [json.loads(line) for line in consumer.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    told = [line["message"] for line in lines]
    assert any(text.startswith("joined the group") for text in told)
    assert any(text.startswith("decoding: halted: schema registry") for text in told)
    assert any(text.startswith("decoding: over") for text in told)
    assert any(text.startswith("destination user-analytics: halted") for text in told)
    assert any(text.startswith("destination client: halted: 401") for text in told)
    assert any(text.startswith("destination client: over") for text in told)
    assert told[-1] == "stopped"

    assert len(collector.spans) > 5
    letters = stage.read_letters()
    assert len(letters) >= 5
    ours = [
        (name, value)
        for letter in letters
        for name, value in letter.headers
        if name.startswith("distinct-consumer.")
    ]
    everything = "\n".join((consumer.stdout, consumer.stderr, *seen, repr(ours), repr(collector.raw)))
    assert [word for word in FORBIDDEN if word in everything] == []
