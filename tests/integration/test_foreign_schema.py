"""A team's own records, schema and topology: nothing of ours is there but the package, and no code is written."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.avro.address import RegistryAddress
from consumer.avro.framing import as_number_or_guid
from consumer.avro.registry import Registry
from tests.brokers import Broker
from tests.brokers.apicurio import Apicurio
from tests.checker import committed_offsets
from tests.e2e.recorder import Recorder
from tests.integration.foreign import Shop
from tests.integration.processes import ConsumerProcess

_ROOT = Path(__file__).resolve().parents[2]


class Works:
    """The shop's topic on a real broker, its receiver, and the command without the folders that ship."""

    def __init__(self, broker: Broker, registry_url: str, receiver: Recorder, folder: Path) -> None:
        self.broker = broker
        self.receiver = receiver
        self.group = broker.group()
        self.topic = broker.topic("shop-orders", partitions=1)
        self.letters = f"{self.topic}.dead-letters"
        broker.create(self.letters, partitions=1)
        self.shop = Shop(folder / "shop", self.topic)
        self.schema_id = asyncio.run(
            _register(registry_url, f"{self.topic}-value", json.dumps(self.shop.schema))
        )
        self.package = folder / "bare"
        # Beside the copy lies neither topology/ nor schemas/: what ships is as good as deleted.
        shutil.copytree(
            _ROOT / "consumer", self.package / "consumer", ignore=shutil.ignore_patterns("__pycache__")
        )
        self._folder = folder
        self._runs = 0
        self._environment = {
            "PYTHONPATH": str(self.package),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": registry_url,
            "CONSUMER_GROUP": self.group,
            "CONSUMER_SCHEMAS": str(self.shop.folder),
            "LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
            "ADMIN_LISTEN": "127.0.0.1:0",
            "TOPOLOGY": str(self.shop.folder),
            "CLIENT_API_BASE_URL": receiver.base_url,
            "SHOP_CLIENT_KEY": "pk_client",
        }

    def order(self, number: str, total: float) -> None:
        value = self.shop.order(self.schema_id, number, total=total)
        self.broker.produce(self.topic, [(b"c-7", value)], partition=0)

    def to_the_end(self, *flags: str) -> ConsumerProcess:
        """Run it until it has read what is there; it must end well."""
        self._runs += 1
        bounds = ("--until-end", "--timeout", "60", "--output", "json")
        one = ConsumerProcess(f"run-{self._runs}", self._folder, (*bounds, *flags), self._environment)
        try:
            assert one.wait(90.0) == 0, one.tail()
        finally:
            one.close()
        return one

    def committed(self, group: str) -> dict[int, int]:
        return committed_offsets(self.broker.bootstrap_servers, group, self.topic)


async def _register(url: str, subject: str, schema: str) -> int:
    registry = Registry(RegistryAddress(url=url))
    try:
        return int(as_number_or_guid(await registry.register(subject, schema)))
    finally:
        registry.close()


@pytest.fixture
def works(broker: Broker, apicurio: Apicurio, tmp_path: Path) -> Iterator[Works]:
    with Recorder() as receiver:
        yield Works(broker, apicurio.url, receiver, tmp_path)


def test_a_foreign_schema_is_delivered_by_a_topology_alone(works: Works) -> None:
    assert [entry.name for entry in works.package.iterdir()] == ["consumer"], (
        "nothing of ours but the package"
    )
    works.order("o-1", 12.5)
    works.order("o-2", 250.0)
    works.order("o-1", 12.5)  # written twice: delivered once
    works.broker.produce(works.topic, [(b"c-7", b"no Avro")], partition=0)

    ended = works.to_the_end()

    assert ended.books["balanced"]
    assert ended.books["undecodable"] == 1
    client = ended.books["destinations"]["shop-client"]
    assert (client["delivered"], client["suppressed"]) == (3, 1)
    events = works.receiver.events
    assert [event for event in events if event["name"] == "Order Placed"] == [
        {
            "name": "Order Placed",
            "external_id": "c-7",
            "data": {"order_id": number, "occurred_at": "2026-03-01T12:00:00Z", "total": total},
        }
        for number, total in (("o-1", 12.5), ("o-2", 250.0))
    ]
    assert [event for event in events if event["name"] == "Large Order"] == [
        {"name": "Large Order", "external_id": "c-7", "data": {"cents": 25_000, "domain": "example.com"}}
    ]
    (letter,) = works.broker.read(works.letters)
    assert letter.value == b"no Avro"
    assert works.committed(works.group) == {0: 4}


def test_each_destination_has_a_group_of_its_own(works: Works) -> None:
    text = works.shop.read("destinations.yaml")
    second = text.replace("destinations:\n", "").replace("shop-client:", "archive:")
    works.shop.write("destinations.yaml", text + second)
    large = works.shop.read("expressions.yaml").replace("to: shop-client", "to: archive")
    works.shop.write("expressions.yaml", large)
    works.order("o-1", 12.5)
    works.order("o-2", 250.0)

    first = works.to_the_end("--destination", "shop-client")
    assert [event["name"] for event in works.receiver.events] == ["Order Placed", "Order Placed"]
    assert set(first.books["destinations"]) == {"shop-client"}
    assert works.committed(f"{works.group}.shop-client") == {0: 2}
    assert works.committed(f"{works.group}.archive") == {}

    other = works.to_the_end("--destination", "archive")
    assert [event["name"] for event in works.receiver.events[2:]] == ["Large Order"]
    assert (other.books["unrouted"], other.books["destinations"]["archive"]["delivered"]) == (1, 1)
    assert works.committed(f"{works.group}.archive") == {0: 2}
    assert works.committed(works.group) == {}
