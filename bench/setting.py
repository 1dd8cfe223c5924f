"""What both sides run against: broker, registry and receiver."""

from dataclasses import dataclass
from pathlib import Path

from consumer.sandbox.simulator import SimulatorProcess
from tests.brokers import Broker, SchemaRegistry


@dataclass(frozen=True, slots=True)
class Setting:
    """All of it is up; `folder` is for files of a run."""

    broker: Broker
    registry: SchemaRegistry
    receiver: SimulatorProcess
    folder: Path
