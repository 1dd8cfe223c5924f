"""Secrets exchanged while a consumer runs: it goes on by itself, and nothing is lost."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.e2e.people import Person
from tests.integration.security.access import by_certificate, by_password
from tests.integration.security.secure_kafka import SecureKafka
from tests.integration.stage import Stage
from tests.kubernetes_secret import put_secret

SECOND = "canary-second-password"


def test_a_kafka_password_exchanged_at_the_broker_and_then_in_the_file_needs_no_restart(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    """The broker asks for it every few seconds here, so the old one is refused in between."""
    stage = secure_stage
    access = by_password(secure, "rotator").but(servers=secure.servers("ANEW"))
    secure.allow("rotator", "TOPIC", stage.topic, "READ", "DESCRIBE")
    secure.allow("rotator", "GROUP", stage.group, "READ", "DESCRIBE")
    secure.allow("rotator", "TOPIC", stage.letters, "WRITE", "DESCRIBE")
    secrets = stage.folder / "secrets"
    file = put_secret(secrets, "kafka.properties", access.text)
    consumer = stage.consumer(
        KAFKA_BOOTSTRAP_SERVERS=access.servers, KAFKA_PROPERTIES=str(file), **secure.registry_settings
    )
    stage.produce_customs("e-1")
    stage.wait_until(lambda: stage.committed == {0: 1}, 60.0)

    secure.set_password("rotator", SECOND)
    stage.wait_until(lambda: "tried again, also with a new password" in consumer.stderr, 60.0)
    stage.produce_customs("e-2")
    stage.produce(b"not Avro")
    put_secret(secrets, "kafka.properties", access.but(sasl_password=SECOND).text)

    stage.wait_until(lambda: stage.committed == {0: 3}, 60.0)
    assert stage.accepted_ids() == ["e-1", "e-2"]
    assert [letter.value for letter in stage.read_letters()] == [b"not Avro"]
    assert consumer.stop() == 0
    assert SECOND not in consumer.stderr
    assert "read again: connections to Kafka are made with its new user and password" in consumer.stderr


def test_keys_exchanged_at_the_receivers_and_then_in_their_files_need_no_restart(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    stage = secure_stage
    secrets = stage.folder / "secrets"
    files: dict[str, Any] = {
        **secure.registry_settings,
        "DISTINCT_API_KEY_FILE": str(put_secret(secrets, "distinct", "canary-distinct-1\n")),
        "CLIENT_API_KEY_FILE": str(put_secret(stage.folder / "more", "client", "pk_canary_client_1")),
    }
    first = SimulatorConfig(distinct_api_key="canary-distinct-1", client_api_key="pk_canary_client_1")
    person = Person(stage.schema_id)
    with SimulatorProcess(first) as receiver:
        url = receiver.base_url
        consumer = stage.consumer(
            **files, DISTINCT_BASE_URL=url, CLIENT_API_BASE_URL=url, DISTINCT_API_KEY="", CLIENT_API_KEY=""
        )
        stage.produce(person.engaged("e-1"))
        stage.wait_until(lambda: stage.committed == {0: 1}, 60.0)

    second = SimulatorConfig(
        distinct_api_key="canary-distinct-2",
        client_api_key="pk_canary_client_2",
        port=urlsplit(url).port or 0,
    )
    with SimulatorProcess(second) as receiver:
        stage.produce(person.engaged("e-2"), person.engaged("e-3"))
        consumer.wait_for_status(
            lambda status: all(one["state"] == "halted" for one in status["destinations"].values()), 60.0
        )
        assert stage.committed == {0: 1}
        put_secret(secrets, "distinct", "canary-distinct-2\n")
        put_secret(stage.folder / "more", "client", "pk_canary_client_2")

        stage.wait_until(lambda: stage.committed == {0: 3}, 60.0)
        stage.receiver = receiver
        assert stage.accepted_ids("client") == ["e-2", "e-3"]
        assert len(stage.accepted("user-analytics")) == 2
        assert stage.read_letters() == []
        assert consumer.stop() == 0
    assert "canary" not in consumer.stderr + consumer.stdout


@pytest.mark.slow
def test_what_the_kafka_client_cannot_exchange_is_said_to_need_a_restart(
    secure: SecureKafka, secure_stage: Stage
) -> None:
    stage = secure_stage
    access = by_certificate(secure)
    file = stage.folder / "kafka.properties"
    consumer = stage.consumer(**access.settings(stage.folder))
    consumer.wait_for_status(lambda status: bool(status["partitions"]), 60.0)

    file.write_text(access.but(client_id="another").text)
    secure.authority.issue("team")

    stage.wait_until(lambda: "client.id as of the next start only" in consumer.stderr, 30.0)
    stage.wait_until(lambda: "uses it from the next start on only" in consumer.stderr, 30.0)
    assert consumer.stop() == 0
