"""A stage on which one hostile endpoint is the receiver of all four destinations."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from consumer.sandbox.generator import Mix
from consumer.sandbox.simulator import SimulatorProcess
from tests.brokers import Broker, SchemaRegistry, StoredRecord
from tests.hostile.endpoint import HostileEndpoint
from tests.hostile.script import Script
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage
from tests.integration.topology_copy import Changes, copy_topology

ALL = ("user-analytics", "client", "capture", "event")
QUICK: Changes = {
    "retry": {"base_delay": "20ms", "max_delay": "200ms"},
    "timeouts": {"connect": "1s", "total": "1500ms"},
}
FAULTLESS = Mix(
    duplicates=0.0, bots=0.0, machine_opens=0.0, repeated_opens=0.0, repeated_orders=0.0, null_keys=0.0,
    unknown_users=0.0, invalid_phones=0.0, unregistered_pairs=0.0, unknown_experiences=0.0, long_names=0.0,
    wrong_magic=0.0, unknown_schemas=0.0, truncated=0.0, trailing_bytes=0.0, empty_values=0.0, tombstones=0.0,
)  # fmt: skip
"""Nothing that a receiver or the decoder would refuse: what is dead-lettered then is the outage's."""


class EndpointStage(Stage):
    """Everything that is sent goes to `endpoint`, which plays `script`."""

    def __init__(self, broker: Broker, registry: SchemaRegistry, folder: Path) -> None:
        self.script = Script()
        self.endpoint = HostileEndpoint(self.script)
        receiver = cast(SimulatorProcess, SimpleNamespace(base_url=self.endpoint.base_url))
        super().__init__(broker, registry, receiver, folder, partitions=1)
        self.create_letters()

    def serve(
        self, *flags: str, only: tuple[str, ...] = ALL, changes: Changes | None = None, **settings: str
    ) -> ConsumerProcess:
        """Start a consumer of the shipped routes to these destinations, impatient."""
        of_destinations = {name: {**QUICK, **(changes or {})} for name in only}
        if len(only) > 1:
            of_destinations["client"]["batch"] = {"max_items": 10}
        folder = self.folder / f"topology-{time.monotonic_ns()}"
        topology = copy_topology(folder, self.topic, of_destinations=of_destinations, only=only)
        url = self.endpoint.base_url
        own = {
            "CLIENT_API_BASE_URL": url,
            "EVENT_API_BASE_URL": url,
            "EVENT_API_KEY": "event-key",
        }
        return self.consumer(*flags, topology=topology, **own, **settings)

    def generate_faultless(self, count: int) -> None:
        """Events of all kinds, with nothing wrong in them."""
        self.generate(count, mix=FAULTLESS)

    def until_halted(self, consumer: ConsumerProcess, reason: str = "", names: tuple[str, ...] = ALL) -> None:
        """Until all these destinations halt, for a reason that contains this, or have nothing left to halt for."""

        def halted(status: dict[str, Any]) -> bool:
            found = [status["destinations"][name] for name in names]
            return all(
                one["in_flight"] == 0 or (one["state"] == "halted" and reason in str(one["reason"]))
                for one in found
            ) and any(one["in_flight"] for one in found)

        consumer.wait_for_status(halted, 60.0)

    def settle(self, consumer: ConsumerProcess, timeout_s: float = 90.0) -> Mapping[str, Any]:
        """Wait for the end of the topic, and stop; gives the destinations' books, which balance with the endpoint's."""
        with self.watch() as watch:
            self.wait_for_the_end(watch, timeout_s)
        books: Mapping[str, Any] = consumer.wait_for_status(lambda status: status["in_flight"] == 0)
        assert consumer.stop() == 0, consumer.tail()
        assert books["balanced"]
        falsely = self.settled_falsely(books)
        assert falsely == {}, f"(delivered, acknowledged in truth): {falsely}"
        return cast(Mapping[str, Any], books["destinations"])

    def settled_falsely(self, books: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
        """Destinations at which (delivered, acknowledged in truth) differ."""
        taken: Counter[str] = self.script.items()
        return {
            name: (one["delivered"], taken[name])
            for name, one in books["destinations"].items()
            if one["delivered"] != taken[name]
        }

    def letters_by(self, header: str) -> Counter[str]:
        """How many letters there are, by one of their headers."""
        return Counter(_header(letter, header) for letter in self.read_letters())

    def close(self) -> None:
        super().close()
        self.endpoint.close()


def _header(letter: StoredRecord, name: str) -> str:
    return (letter.header(f"distinct-consumer.{name}") or b"").decode()
