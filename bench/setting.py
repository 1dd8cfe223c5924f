"""What all sides run against: broker, registry and receiver."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.receiver import Receiver, find_receiver
from consumer.errors import FaultError
from tests.brokers import Broker, NoSource, SchemaRegistry, find_source


@dataclass(frozen=True, slots=True)
class Setting:
    """All of it is up; `folder` is for files of a run."""

    broker: Broker
    registry: SchemaRegistry
    receiver: Receiver
    folder: Path


@contextmanager
def open_setting(tell: Callable[[str], None]) -> Iterator[Setting]:
    """Start all of it, and end it at the end of the `with`. Raises FaultError where no broker can be had."""
    source = find_source()
    if isinstance(source, NoSource):
        raise FaultError(f"the bench needs a real Kafka broker: {'; '.join(source.reasons)}")
    tell(f"broker: {source.description}")
    receiver = find_receiver(tell)
    broker = source.start()
    try:
        with SchemaRegistry() as registry, receiver, tempfile.TemporaryDirectory() as folder:
            yield Setting(broker, registry, receiver, Path(folder))
    finally:
        broker.close()
