"""Fixtures that every suite shares, and what each folder's tests are marked with."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.brokers import Broker, LocalKafka, NoSource, SchemaRegistry, find_source

_TESTS = Path(__file__).parent
_MARKED_FOLDERS = ("integration", "faults", "e2e")
_BROKERS = {"broker", "cluster"}

# Where the command finds its settings. A developer's own values must neither steer a test nor be used by one.
_SETTINGS = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_PROPERTIES",
    "SCHEMA_REGISTRY_URL",
    "CONSUMER_GROUP",
    "LEDGER_URL",
    "ADMIN_LISTEN",
    "TOPOLOGY",
    "DISTINCT_",
    "EVENT_API_",
    "CLIENT_API_",
    "OTEL_",
)

# The time of one example says nothing on a shared machine; a blob lets a failure in CI be replayed at home.
settings.register_profile("consumer", deadline=None, print_blob=True)
settings.load_profile("consumer")


def pytest_configure() -> None:
    for name in list(os.environ):
        if name.startswith(_SETTINGS):
            del os.environ[name]


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder in _MARKED_FOLDERS:
            item.add_marker(folder)
        if not _BROKERS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("integration")


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A real Kafka broker; the test is skipped, with the way to get one, where none can be had."""
    source = find_source()
    if isinstance(source, NoSource):
        pytest.skip(str(source))
    broker = source.start()
    yield broker
    broker.close()


@pytest.fixture
def broker_process(broker: Broker) -> Iterator[LocalKafka]:
    """The broker as a process that the test may stop, kill and start; it runs again afterwards."""
    if broker.process is None:
        pytest.skip("only a broker that the tests start themselves, on Java, can be stopped")
    yield broker.process
    broker.process.start()


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    """A schema registry over HTTP, empty, whose faults the test chooses."""
    with SchemaRegistry() as registry:
        yield registry
