"""A Kafka that asks who is there: every client of ours gets in as the properties file says, or says why not."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer.sandbox.simulator.touchpoint import DOCUMENTED_TOUCHPOINTS
from tests.e2e.command import Result, Running
from tests.integration.security.access import (
    CLIENT_SECRET,
    PASSWORD,
    Access,
    by_certificate,
    by_password,
    by_tls,
    by_token,
)
from tests.integration.security.secure_kafka import SecureKafka
from tests.integration.security.token_server import TokenServer
from tests.integration.stage import Stage

SECRETS = (PASSWORD, "canary-registry-password", CLIENT_SECRET, "canary-wrong-password", "PRIVATE KEY")


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer("team", CLIENT_SECRET) as server:
        yield server


def settings_of(stage: Stage, access: Access) -> dict[str, str]:
    """All that `check --online` and the other commands need."""
    return {
        "SCHEMA_REGISTRY_URL": stage.registry.url,
        "CONSUMER_GROUP": stage.group,
        "LEDGER_URL": "memory:",
        "TOPOLOGY": str(stage.topology()),
        "DISTINCT_BASE_URL": stage.receiver.base_url,
        "DISTINCT_API_KEY": "distinct-key",
        "CLIENT_API_BASE_URL": stage.receiver.base_url,
        "CLIENT_API_KEY": "pk_client",
        **access.settings(stage.folder),
    }


@pytest.mark.parametrize("way", ["certificate", "password", "token"])
def test_check_and_run_get_in_by_client_certificate_password_and_token(
    secure: SecureKafka, secure_stage: Stage, tokens: TokenServer, way: str
) -> None:
    """`check` is an admin client, `run` a consumer and a producer of dead letters."""
    stage = secure_stage
    ways = {"certificate": by_certificate, "password": by_password}
    access = by_token(secure, tokens) if way == "token" else ways[way](secure)
    stage.produce_customs("e-1", "e-2")
    stage.produce(b"not Avro")
    settings = settings_of(stage, access)

    with Running(["check", "--online"], stage.folder, settings) as check:
        consumer = stage.to_the_end(**access.settings(stage.folder))
        assert check.wait() == 0, check.stderr + check.stdout

    assert "1 answering" in check.stdout
    assert consumer.wait() == 0, consumer.tail()
    assert stage.accepted_ids() == ["e-1", "e-2"]
    assert [letter.value for letter in stage.read_letters()] == [b"not Avro"]
    assert stage.committed == {0: 3}
    told = consumer.stdout + consumer.stderr + check.stdout + check.stderr
    assert [secret for secret in SECRETS if secret in told] == []
    if way == "token":
        assert tokens.given >= 3


def test_the_other_commands_take_the_same_properties(secure: SecureKafka, secure_stage: Stage) -> None:
    stage = secure_stage
    access = by_password(secure)
    topic = secure.broker.unused("visits")
    vendor = {"DISTINCT_ADMIN_API_KEY": "distinct-admin-sandbox-key"}
    settings = {**settings_of(stage, access), **vendor}
    touchpoint = DOCUMENTED_TOUCHPOINTS[0].id
    generated, written = secure.broker.unused("generated"), secure.broker.unused("applied")
    other = stage.folder / "other"
    other.mkdir()
    text = (stage.topology() / "all.yaml").read_text()
    (other / "all.yaml").write_text(
        text.replace(stage.topic, written).replace("replication: 3", "replication: 1")
    )
    commands = {
        "generate": [
            "generate",
            "--topic",
            generated,
            "--partitions",
            "1",
            "--count",
            "20",
            "--output",
            "json",
        ],
        "apply": ["topology", "apply", "--yes", "--topology", str(other)],
        "stream": [
            "touchpoints",
            "stream",
            "--topic",
            topic,
            "--touchpoint",
            touchpoint,
            "--once",
            "--partitions",
            "1",
        ],
    }

    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Running(arguments, stage.folder, settings))
            for name, arguments in commands.items()
        }
        ended = {name: one.wait(90.0) for name, one in running.items()}

    told = {name: one.stdout + one.stderr for name, one in running.items()}
    assert set(ended.values()) == {0}, told
    assert json.loads(running["generate"].stdout)["total"] == 20
    assert sum(secure.broker.end_offsets(generated).values()) == 20
    assert set(secure.broker.end_offsets(f"{written}.dead-letters").values()) == {0}
    assert sum(secure.broker.end_offsets(topic).values()) > 0
    everything = "".join(told.values())
    assert [secret for secret in (*SECRETS, *vendor.values()) if secret in everything] == []


def _denied(secure: SecureKafka, stage: Stage) -> dict[str, tuple[Access, str]]:
    """Each with what has to be said."""
    other = stage.folder / "other-authority"
    other.mkdir()
    untrusted = type(secure.authority).create(other).ca_file
    tls, scram = by_tls(secure), by_password(secure)
    stranger = by_password(secure, "stranger")
    reader = by_password(secure, "reader")
    secure.allow("reader", "TOPIC", stage.topic, "READ", "DESCRIBE")
    return {
        "untrusted authority": (tls.but(ssl_ca_location=untrusted), "certificate is not accepted"),
        "wrong host name": (
            tls.but(servers=secure.servers("TLS", "localhost"), broker_address_family="v4"),
            "is not valid for 'localhost'",
        ),
        "expired": (tls.but(servers=secure.servers("EXPIRED")), "certificate has expired"),
        "wrong password": (scram.but(sasl_password="canary-wrong-password"), "invalid credentials"),
        "may not see the topic": (stranger, "Topic authorization failed"),
        "may not use the group": (reader, "Group authorization failed"),
    }


def test_who_is_not_let_in_is_told_why_in_one_message_that_holds_no_secret(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    stage = secure_stage
    stage.produce_customs("e-1")
    denied = _denied(secure, stage)

    with ExitStack() as stack:
        running = {}
        for name, (access, _) in denied.items():
            folder = stage.folder / name.replace(" ", "-")
            folder.mkdir()
            settings = {
                **settings_of(stage, access),
                **access.settings(folder),
                "ADMIN_LISTEN": "127.0.0.1:0",
            }
            running[name] = stack.enter_context(Running(["run", "--until-end"], folder, settings))
        ended = {name: one.wait(60.0) for name, one in running.items()}

    for name, one in running.items():
        result = Result(ended[name], one.stdout, one.stderr, 0.0)
        assert denied[name][1] in result.message, f"{name}: {one.stderr}"
        assert ended[name] == 1, name
        assert "Traceback" not in one.stderr, one.stderr
        assert [secret for secret in SECRETS if secret in one.stderr + one.stdout] == []
    assert stage.accepted_ids() == []
    assert stage.committed == {}


def test_check_online_says_why_it_is_not_let_in_as_soon_as_it_is_known(
    secure: SecureKafka, secure_stage: Stage, tmp_path: Path
) -> None:
    stage = secure_stage
    denied = _denied(secure, stage)
    for name in ("expired", "wrong password"):
        access, told = denied[name]
        settings = settings_of(stage, access)
        with Running(["check", "--online", "--output", "json"], tmp_path, settings) as check:
            assert check.wait() == 1
        (broker,) = [one for one in json.loads(check.stdout)["online"] if one["area"] == "broker"]
        assert broker["state"] == "failed"
        assert told in broker["text"]
        assert "within 10 s" not in broker["text"]
        assert [secret for secret in SECRETS if secret in check.stderr + check.stdout] == []


@pytest.mark.slow
def test_a_broker_that_asks_for_our_certificate_is_told_while_it_is_tried_again(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    access = by_tls(secure).but(servers=secure.servers("MTLS"))
    settings = {**settings_of(secure_stage, access), "ADMIN_LISTEN": "127.0.0.1:0"}
    with Running(["run"], secure_stage.folder, settings) as running:
        assert "alert" in running.wait_for("no answer from Kafka yet")
        assert running.stop() == 0


def test_a_missing_permission_for_the_dead_letters_holds_the_record_and_granting_it_needs_no_restart(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    stage = secure_stage
    access = by_password(secure, "writer")
    secure.allow("writer", "TOPIC", stage.topic, "READ", "DESCRIBE")
    secure.allow("writer", "GROUP", stage.group, "READ", "DESCRIBE")
    stage.produce(b"not Avro")
    consumer = stage.consumer(**access.settings(stage.folder))

    consumer.wait_for_status(lambda status: "AUTHORIZATION_FAILED" in str(status["dead_letters"]), 60.0)
    assert stage.committed == {0: 0}

    secure.allow("writer", "TOPIC", stage.letters, "WRITE", "DESCRIBE")
    stage.wait_until(lambda: stage.committed == {0: 1}, 60.0)
    assert [letter.value for letter in stage.read_letters()] == [b"not Avro"]
    assert consumer.stop() == 0
    assert "Traceback" not in consumer.stderr
