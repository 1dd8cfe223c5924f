"""What the command meets in these tests: a receiver with keys of the test's own, and a topic."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.brokers import Broker, SchemaRegistry
from tests.e2e.collector import Collector
from tests.e2e.people import Person
from tests.integration.stage import Stage


@pytest.fixture
def receiver() -> Iterator[SimulatorProcess]:
    """Both APIs in a process of their own."""
    with SimulatorProcess(
        SimulatorConfig(distinct_api_key="distinct-key", client_api_key="pk_client")
    ) as receiver:
        yield receiver


@pytest.fixture
def make_stage(
    broker: Broker, registry: SchemaRegistry, receiver: SimulatorProcess, tmp_path: Path
) -> Iterator[Callable[[int], Stage]]:
    """Makes a stage with so many partitions; its consumers end with the test."""
    made: list[Stage] = []

    def make(partitions: int) -> Stage:
        made.append(Stage(broker, registry, receiver, tmp_path, partitions))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.fixture
def stage(make_stage: Callable[[int], Stage]) -> Stage:
    """One partition, and a dead-letter topic that takes everything."""
    stage = make_stage(1)
    stage.create_letters()
    return stage


@pytest.fixture
def person(stage: Stage) -> Person:
    """One whom every receiver knows."""
    return Person(stage.schema_id)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Where spans are sent to, over OTLP."""
    with Collector() as collector:
        yield collector


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that takes connections and never answers: no broker is there, and none is refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
