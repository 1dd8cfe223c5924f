"""The stage on which integration tests let consumers run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.brokers import Broker, SchemaRegistry
from tests.brokers.apicurio import Apicurio, registry_lacks
from tests.integration.stage import Stage


class MakeStage(Protocol):
    """Makes a stage with so many partitions; `topic_config`: of its topic."""

    def __call__(self, partitions: int, topic_config: Mapping[str, str] | None = None) -> Stage: ...


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
) -> Iterator[MakeStage]:
    """Makes a stage with so many partitions; its consumers end with the test."""
    made: list[Stage] = []

    def make(partitions: int, topic_config: Mapping[str, str] | None = None) -> Stage:
        made.append(Stage(broker, registry, receiver, tmp_path, partitions, topic_config))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    """One partition, and a dead-letter topic that takes everything."""
    stage = make_stage(1)
    stage.create_letters()
    return stage


@pytest.fixture(scope="session")
def apicurio() -> Iterator[Apicurio]:
    """A real schema registry."""
    if (lacks := registry_lacks()) is not None:
        pytest.skip(f"no real schema registry: {lacks}")
    with Apicurio() as registry:
        yield registry
