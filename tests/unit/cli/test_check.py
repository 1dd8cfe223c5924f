"""`check`: what a topology amounts to on stdout, or every mistake, and nothing that changes anything."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from consumer.cli.check import _described, check
from consumer.errors import ConfigurationError
from consumer.resources import schemas_dir, topology_dir
from consumer.topology.load import load_plan
from tests.unit.topology.workshop import FILE, Workshop

EMPTY: dict[str, str | None] = dict.fromkeys(
    [
        "TOPOLOGY",
        "CONSUMER_SCHEMAS",
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_PROPERTIES",
        "LEDGER_URL",
        "SCHEMA_REGISTRY_URL",
        "DISTINCT_API_KEY",
        "DISTINCT_BASE_URL",
        "CLIENT_API_KEY",
        "CLIENT_API_BASE_URL",
    ]
)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(check, arguments, env={**EMPTY, **environment})


def as_json(*arguments: str, **environment: str) -> dict[str, Any]:
    result = run(*arguments, "--output", "json", **environment)
    assert result.exit_code == 0, result.exception
    decoded = json.loads(result.stdout)
    assert isinstance(decoded, dict)
    return decoded


def test_the_shipped_topology_is_sound_and_shown_whole() -> None:
    result = run()

    assert result.exit_code == 0
    for text in (
        "user-events.dead-letters",
        "analytics-opens",
        "client-custom-events",
        "20m",
        "env:DISTINCT_API_KEY",
    ):
        assert text in result.stdout
    assert "the topology is sound" in result.stderr


def test_what_run_would_need_is_a_note_on_stderr() -> None:
    result = run(DISTINCT_API_KEY="k", KAFKA_BOOTSTRAP_SERVERS="a:9092")

    assert "note: client: CLIENT_API_KEY is not set" in result.stderr
    assert "note: client: ${CLIENT_API_BASE_URL} is not set" in result.stderr
    assert "note: SCHEMA_REGISTRY_URL is not set" in result.stderr
    assert "DISTINCT_API_KEY is not set" not in result.stderr
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" not in result.stderr


def test_json_holds_topics_destinations_and_routes(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    shown = as_json("--topology", str(workshop.folder))

    assert [topic["name"] for topic in shown["topics"]] == ["visits"]
    assert shown["topics"][0]["dead_letters"] == "visits.dead-letters"
    crm, stats = shown["destinations"]
    assert (crm["name"], crm["base_url"], crm["credential"]) == ("crm", "https://crm.example", "env:CRM_KEY")
    assert (crm["concurrency"], crm["rate_per_s"], crm["max_items"]) == (64, None, 100)
    assert stats["max_items"] == 1
    assert [(route["id"], route["operation"], route["types"]) for route in shown["routes"]] == [
        ("looked", "events", ["Looked"]),
        ("bought", "user_analytics", ["Bought"]),
    ]


def test_a_key_is_never_shown(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    result = run("--topology", str(workshop.folder), CRM_KEY="pk_hunter2", STATS_KEY="hunter3")

    assert result.exit_code == 0
    assert "hunter" not in result.output


def test_what_is_deprecated_is_a_note(workshop: Workshop) -> None:
    workshop.write(
        "t.yaml",
        "topics: {visits: {user: who}}\n"
        "destinations:\n"
        "  old: {api: distinct_capture, base_url: 'https://x.example', credential: env:OLD_KEY}\n"
        "routes:\n"
        "  visit:\n"
        "    from: visits\n"
        "    to: old\n"
        "    map: {experienceValue: e, type: t, eventValue: v, recordCapturedAt: at, email: m}\n",
    )

    result = run("--topology", str(workshop.folder), OLD_KEY="k")

    assert result.exit_code == 0
    assert "note: visit: Capture Analytics is deprecated" in result.stderr
    assert any("deprecated" in note for note in as_json("--topology", str(workshop.folder))["notes"])


def test_mistakes_are_all_told_and_end_with_exit_code_2(workshop: Workshop) -> None:
    workshop.write(
        "t.yaml",
        FILE.replace("to: stats", "to: stat").replace("wen:", "when:").replace("from: visits", "from: vsits"),
    )

    result = run("--topology", str(workshop.folder))

    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.exit_code == 2
    assert len(result.exception.findings) == 3
    assert result.stdout == ""


def test_the_topology_may_come_from_the_config_file_or_the_environment(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    config = workshop.folder / "consumer.conf"
    config.write_text(f"topology: {workshop.folder}\n")

    assert as_json("--config", str(config))["topics"][0]["name"] == "visits"
    assert as_json(TOPOLOGY=str(workshop.folder))["topics"][0]["name"] == "visits"


def test_plain_http_is_a_mistake_unless_it_is_allowed(workshop: Workshop) -> None:
    workshop.change("https://crm.example", "http://crm.example")

    assert isinstance(run("--topology", str(workshop.folder)).exception, ConfigurationError)
    assert as_json("--topology", str(workshop.folder), "--allow-plain-http")["destinations"]


def test_replicas_need_a_ledger_that_they_can_share(workshop: Workshop) -> None:
    workshop.change("credential: env:CRM_KEY\n", "credential: env:CRM_KEY\n    rate_per_s: 12.5\n")
    flags = ("--topology", str(workshop.folder), "--replicas", "3")

    crm, _ = as_json(*flags[:2])["destinations"]
    assert (crm["concurrency_all"], crm["rate_per_s_all"]) == (64, 12.5)

    refused = run(*flags).exception
    assert isinstance(refused, ConfigurationError)
    assert "which 3 replicas cannot share" in str(refused)


def test_what_all_replicas_may_do_stands_beside_what_one_may() -> None:
    destination = load_plan(topology_dir(), {}, schemas=schemas_dir(), resolve=False).destinations["client"]

    assert "16 requests at a time," in _described(destination, 1)
    assert "16 requests at a time (48 in 3 replicas)" in _described(destination, 3)
    limited = replace(destination, rate_per_s=12.5)
    assert "12.5 a second (37.5 in 3 replicas)" in _described(limited, 3)


def test_a_renamed_route_is_a_warning_and_under_strict_a_mistake(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)
    topology = ("--topology", str(workshop.folder))
    assert "topology.lock" in run(*topology, "--lock").stderr
    workshop.change("  looked:\n", "  seen:\n")

    told = run(*topology)
    refused = run(*topology, "--strict").exception
    accepted = run(*topology, "--lock")

    assert told.exit_code == 0
    assert "routes.seen: seems to be looked under a new name" in told.stderr
    assert accepted.exit_code == 0
    assert isinstance(refused, ConfigurationError)
    assert run(*topology, "--strict").exit_code == 0


def test_mistakes_in_settings_do_not_hide_those_of_the_topology(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.change("to: stats", "to: stat")
    config = workshop.folder / "consumer.conf"
    config.write_text("max_pendin: 5\n")
    monkeypatch.setenv("CONSUMER_DRAIN_TIMEOUT", "soon")

    refused = run("--topology", str(workshop.folder), "--config", str(config)).exception

    assert isinstance(refused, ConfigurationError)
    assert len(refused.findings) == 3


def test_a_mistake_in_what_the_topology_is_read_by_is_told_alone(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMER_ALLOW_PLAIN_HTTP", "perhaps")
    refused = run("--topology", str(workshop.folder)).exception
    assert isinstance(refused, ConfigurationError)
    (finding,) = refused.findings
    assert "CONSUMER_ALLOW_PLAIN_HTTP" in finding


def test_a_mistake_in_one_setting_hides_none_in_what_the_others_name(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE.replace("to: stats", "to: stat"))
    properties = workshop.folder / "kafka.conf"
    properties.write_text("securty.protocol=SSL\n")

    result = run(
        "--topology",
        str(workshop.folder),
        CONSUMER_MAX_PENDING="many",
        LEDGER_URL="postgres://ledger.example/db",
        KAFKA_PROPERTIES=str(properties),
    )

    assert isinstance(result.exception, ConfigurationError)
    told = result.exception.findings
    assert len(told) == 4, told
    for words in ("CONSUMER_MAX_PENDING", "LEDGER_URL", f"{properties}:1: securty.protocol", "stat"):
        assert any(words in one for one in told), words


def test_a_config_file_that_is_wrong_in_one_key_is_read_for_the_others(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE.replace("to: stats", "to: stat"))
    config = workshop.folder / "consumer.conf"
    config.write_text(f"topology: {workshop.folder}\nledger_ur: memory\nledger_url: memory\n")

    result = run("--config", str(config))

    assert isinstance(result.exception, ConfigurationError)
    unknown, ledger, route = result.exception.findings
    assert f"{config}:2: ledger_ur: unknown key" in unknown
    assert "LEDGER_URL" in ledger
    assert "stat" in route


def test_every_option_that_kafka_would_not_take_is_told_with_its_line_and_nothing_is_logged_beside_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    properties = tmp_path / "kafka.properties"
    properties.write_text(
        "# ours\nsecurity.protocol=SASL_SLL\nacks=1\nsasl.password=canary\nsession.timeout.ms=soon\nfoo.bar=canary\n"
    )

    result = run(KAFKA_PROPERTIES=str(properties))

    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.exit_code == 2
    protocol, acks, session, foo = result.exception.findings
    assert protocol.startswith(f'{properties}:2: security.protocol: Invalid value "SASL_SLL"')
    assert acks.startswith(f"{properties}:3: acks: cannot be set there")
    assert session.startswith(f"{properties}:5: session.timeout.ms: Invalid value")
    assert foo.startswith(f"{properties}:6: foo.bar: No such configuration property")
    assert "canary" not in str(result.exception)
    assert capfd.readouterr() == ("", "")


def test_options_that_do_not_go_together_are_told_with_their_file(tmp_path: Path) -> None:
    properties = tmp_path / "kafka.properties"
    properties.write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nssl.ca.location=/nowhere/ca.pem\n"
    )

    result = run(KAFKA_PROPERTIES=str(properties))

    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.findings == [
        f"{properties}: sasl.username and sasl.password must be set",
        f"{properties}:3: ssl.ca.location: /nowhere/ca.pem does not exist",
    ]


def test_nobody_is_connected_to_for_a_look_at_the_options(tmp_path: Path) -> None:
    properties = tmp_path / "kafka.properties"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = f"127.0.0.1:{listening.getsockname()[1]}"
        properties.write_text(
            f"bootstrap.servers={here}\nmetadata.broker.list={here}\nsecurity.protocol=SASL_PLAINTEXT\n"
            "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.method=oidc\nsasl.oauthbearer.client.id=us\n"
            f"sasl.oauthbearer.client.secret=canary\nsasl.oauthbearer.token.endpoint.url=http://{here}/token\n"
        )
        assert run(KAFKA_PROPERTIES=str(properties)).exit_code == 0

        listening.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listening.accept()
