"""What fault tests share: the stage of the integration tests, proxies around it, and the record of what came out."""

from collections.abc import Generator, Iterator

import pytest

from consumer.sandbox.simulator import SimulatorProcess
from tests.faults.outcomes import Recorder, outcomes_file
from tests.faults.proxy import FaultProxy
from tests.integration.conftest import make_stage, receiver, stage

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
