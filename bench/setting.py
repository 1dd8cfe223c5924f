"""What both sides run against: broker, registry and receiver."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.workload import CLIENT_KEY, DISTINCT_KEY
from consumer.errors import FaultError
from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
from tests.brokers import Broker, NoSource, SchemaRegistry, find_source


@dataclass(frozen=True, slots=True)
class Setting:
    """All of it is up; `folder` is for files of a run."""

    broker: Broker
    registry: SchemaRegistry
    receiver: SimulatorProcess
    folder: Path


@contextmanager
def open_setting(tell: Callable[[str], None]) -> Iterator[Setting]:
    """Start all of it, and end it at the end of the `with`. Raises FaultError where no broker can be had."""
    source = find_source()
    if isinstance(source, NoSource):
        raise FaultError(f"the bench needs a real Kafka broker: {'; '.join(source.reasons)}")
    tell(f"broker: {source.description}")
    receiver = SimulatorProcess(
        SimulatorConfig(distinct_api_key=DISTINCT_KEY, client_api_key=CLIENT_KEY, keep_items=False)
    )
    broker = source.start()
    try:
        with SchemaRegistry() as registry, receiver, tempfile.TemporaryDirectory() as folder:
            yield Setting(broker, registry, receiver, Path(folder))
    finally:
        broker.close()
