"""What fault tests share: the stage of the integration tests, proxies around it, and the record of what came out."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest

from consumer.sandbox.simulator import SimulatorProcess
from tests.brokers import Broker, KafkaCluster, SchemaRegistry
from tests.brokers.kafka_libs import fetch_kafka_libs, java_and_maven_lack
from tests.faults.outcomes import Recorder, outcomes_file
from tests.faults.proxy import FaultProxy
from tests.integration.conftest import MakeStage, make_stage, receiver, stage
from tests.integration.stage import Stage

__all__ = ["make_stage", "receiver", "stage"]  # fixtures, found here by their names


CALL = pytest.StashKey[pytest.TestReport]()


@pytest.fixture
def outcome(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Where a test says what came out; one that passes without saying it fails."""
    test, _, case = request.node.name.partition("[")
    recorder = Recorder(test, case.rstrip("]"), outcomes_file())
    yield recorder
    report = request.node.stash.get(CALL, None)
    assert recorder.recorded or report is None or not report.passed, "the outcome was not recorded"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what became of the test's body for its fixtures."""
    report = yield
    if report.when == "call":
        item.stash[CALL] = report
    return report


@pytest.fixture
def to_receiver(receiver: SimulatorProcess) -> Iterator[FaultProxy]:
    """A way to the receiver that breaks on request: consumers get it by `**ways.to_receivers(to_receiver)`."""
    with FaultProxy(receiver.base_url.removeprefix("http://")) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def cluster() -> Iterator[KafkaCluster]:
    """Three brokers, formatted once a session; `make_cluster_stage` sees to it that all of them run."""
    if (lacks := java_and_maven_lack()) is not None:
        pytest.skip(f"three brokers of our own need Java 17 and Maven: {lacks}")
    cluster = KafkaCluster(fetch_kafka_libs())
    yield cluster
    cluster.close()


@pytest.fixture
def make_cluster_stage(
    cluster: KafkaCluster, registry: SchemaRegistry, receiver: SimulatorProcess, tmp_path: Path
) -> Iterator[MakeStage]:
    """As `make_stage`, on three brokers that all run when the test begins."""
    cluster.start()
    broker = Broker(cluster.bootstrap_servers, "java")
    made: list[Stage] = []

    def make(partitions: int, topic_config: Mapping[str, str] | None = None) -> Stage:
        made.append(Stage(broker, registry, receiver, tmp_path, partitions, topic_config))
        return made[-1]

    yield make
    for one in made:
        one.close()
