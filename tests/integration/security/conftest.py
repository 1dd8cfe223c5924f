"""One broker that asks who is there, for all tests of this folder, and the stage beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.sandbox.simulator import SimulatorProcess
from tests.brokers import SchemaRegistry
from tests.brokers.kafka_libs import fetch_kafka_libs, java_and_maven_lack
from tests.integration.security.secure_kafka import REGISTRY_AUTH, SecureKafka
from tests.integration.stage import Stage


@pytest.fixture(scope="package")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """Its listeners need settings of our own, so it is one on this machine's Java or none."""
    if (lacks := java_and_maven_lack()) is not None:
        pytest.skip(f"no broker with TLS and SASL: {lacks}")
    kafka = SecureKafka(fetch_kafka_libs(), tmp_path_factory.mktemp("authority"))
    yield kafka
    kafka.close()


@pytest.fixture
def secure_registry(secure: SecureKafka) -> Iterator[SchemaRegistry]:
    """Over https, for who has the password."""
    with SchemaRegistry(tls=secure.authority.server_context()) as registry:
        registry.basic_auth = REGISTRY_AUTH
        yield registry


@pytest.fixture
def secure_stage(
    secure: SecureKafka, secure_registry: SchemaRegistry, receiver: SimulatorProcess, tmp_path: Path
) -> Iterator[Stage]:
    """Topics on that broker; its own clients come in by the plain listener, which nobody else knows."""
    stage = Stage(secure.broker, secure_registry, receiver, tmp_path, 1)
    stage.create_letters({"max.message.bytes": "2097152", "retention.ms": str(30 * 86_400_000)})
    yield stage
    stage.close()
