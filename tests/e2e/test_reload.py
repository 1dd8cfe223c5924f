"""A topology edited while the command runs, against the embedded broker."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from consumer.sandbox.embedded import EmbeddedBroker
from tests.brokers import SchemaRegistry
from tests.e2e.command import Running
from tests.e2e.recorder import Recorder
from tests.integration.foreign import Shop
from tests.integration.processes import wait_until

TOPIC = "shop.orders"


class Works:
    """A consumer that runs by the shop's topology, and what it is fed with."""

    def __init__(
        self, broker: EmbeddedBroker, registry: SchemaRegistry, receiver: Recorder, folder: Path
    ) -> None:
        self._terminal, child = os.openpty()
        self.shop = Shop(folder / "shop", TOPIC)
        self.receiver = receiver
        self._broker = broker
        self._schema_id = registry.register(f"{TOPIC}-value", self.shop.schema)
        for topic in (TOPIC, f"{TOPIC}.dead-letters"):
            broker.create_topic(topic)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": registry.url,
            "LEDGER_URL": "memory:",
            "ADMIN_LISTEN": "127.0.0.1:0",
            "TOPOLOGY": str(self.shop.folder),
            "CLIENT_API_BASE_URL": receiver.base_url,
            "SHOP_CLIENT_KEY": "pk_client",
        }
        self.command = Running(["run"], folder, environment, stdin=child)
        os.close(child)

    def close_terminal(self) -> None:
        """What a person does who closes the window that the command was started in."""
        self.close()
        self.command.hang_up()

    def close(self) -> None:
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def order(self, number: str, customer: str = "c-7") -> None:
        value = self.shop.order(self._schema_id, number, customer=customer)
        producer = Producer({"bootstrap.servers": self._broker.bootstrap_servers, "log_level": 2})
        producer.produce(TOPIC, key=customer.encode(), value=value)
        assert producer.flush(10.0) == 0

    def wait_for(self, *names: str) -> None:
        """Until the receiver has events of these names, in this order, and no more."""
        wait_until(
            lambda: self.names == list(names), 20.0, lambda: f"{self.names}; {self.command.stderr[-3000:]}"
        )

    @property
    def names(self) -> list[str]:
        return [event["name"] for event in self.receiver.events]

    @property
    def status(self) -> dict[str, Any]:
        line = self.command.wait_for('"admin"')
        document: dict[str, Any] = httpx.get(
            f"http://{json.loads(line)['admin']}/status", trust_env=False
        ).json()
        return document

    def rename(self, name: str) -> None:
        """The route's event gets another name."""
        text = self.shop.read("placed.yaml")
        before = text[text.index("{const: ") : text.index("}\n", text.index("{const: ")) + 1]
        self.shop.write("placed.yaml", text.replace(before, f"{{const: {name}}}"))


@pytest.fixture
def works(registry: SchemaRegistry, tmp_path: Path) -> Iterator[Works]:
    with EmbeddedBroker() as broker, Recorder() as receiver:
        works = Works(broker, registry, receiver, tmp_path)
        with works.command:
            yield works
        works.close()


def test_a_changed_file_is_used_from_the_next_record_on_and_a_broken_one_is_not(works: Works) -> None:
    works.order("o-1")
    works.wait_for("Order Placed")
    version = works.status["topology_version"]

    works.rename("Order Taken")
    works.command.wait_for("topology reloaded")
    assert works.status["topology_version"] != version
    works.order("o-2")
    works.wait_for("Order Placed", "Order Taken")

    works.shop.write(
        "placed.yaml", works.shop.read("placed.yaml").replace("total: what.total", "total: what.totl")
    )
    told = works.command.wait_for("topology not reloaded")
    assert (
        "placed.yaml:14: routes.placed.map.data.object.total: records of type Placed have no what.totl"
        in told
    )
    works.order("o-3")
    works.wait_for("Order Placed", "Order Taken", "Order Taken")

    assert works.command.stop() == 0


def test_what_is_in_flight_stays_as_it_was_mapped(works: Works) -> None:
    works.receiver.down = True
    works.order("o-1")
    wait_until(lambda: works.status["in_flight"] == 1, 20.0)

    works.rename("Order Taken")
    works.command.hang_up()
    works.command.wait_for("topology reloaded")
    works.order("o-2", customer="c-8")
    wait_until(lambda: works.status["in_flight"] == 2, 20.0)
    works.receiver.down = False
    wait_until(lambda: len(works.names) == 2, 30.0)

    assert sorted(works.names) == ["Order Placed", "Order Taken"]
    assert works.command.stop() == 0


def test_a_destination_moves_while_it_runs(works: Works) -> None:
    works.order("o-1")
    works.wait_for("Order Placed")

    with Recorder() as other:
        text = works.shop.read("destinations.yaml")
        works.shop.write("destinations.yaml", text.replace("${CLIENT_API_BASE_URL}", other.base_url))
        works.command.wait_for("topology reloaded")
        works.order("o-2")
        wait_until(lambda: [event["external_id"] for event in other.events] == ["c-7"], 20.0)

    assert works.names == ["Order Placed"]
    assert works.command.stop() == 0


def test_a_destination_is_paused_and_another_added_while_it_runs(works: Works) -> None:
    works.order("o-1")
    works.wait_for("Order Placed")
    destinations = works.shop.read("destinations.yaml")

    works.shop.write("destinations.yaml", destinations + "    paused: true\n")
    works.command.wait_for("topology reloaded")
    works.order("o-2")
    wait_until(lambda: works.status["in_flight"] == 1, 20.0)
    assert works.status["destinations"]["shop-client"]["state"] == "paused"

    second = destinations.replace("destinations:\n", "").replace("shop-client:", "second:")
    works.shop.write("destinations.yaml", destinations + "    concurrency: 3\n" + second)
    more = (
        works.shop.read("placed.yaml")
        .replace("routes:\n", "")
        .replace("placed:", "again:")
        .replace("shop-client/", "second/")
    )
    works.shop.write(
        "placed.yaml", works.shop.read("placed.yaml") + more.replace("Order Placed", "Order Seen")
    )
    works.wait_for("Order Placed", "Order Placed")
    works.order("o-3")
    wait_until(lambda: sorted(works.names) == [*["Order Placed"] * 3, "Order Seen"], 20.0)

    assert works.status["destinations"]["second"]["delivered"] == 1
    assert works.status["destinations"]["shop-client"]["limit"] <= 3
    assert works.status["balanced"]
    assert works.command.stop() == 0


def test_what_needs_a_restart_is_said_and_the_old_one_goes_on(works: Works) -> None:
    works.order("o-1")
    works.wait_for("Order Placed")

    topics = works.shop.read("topics.yaml")
    works.shop.write("topics.yaml", topics.replace("schema: order", "start: latest\n    schema: order"))
    told = works.command.wait_for("topology not reloaded")
    assert "topics.shop.orders.start: can't be changed while it runs" in told
    works.order("o-2")
    works.wait_for("Order Placed", "Order Placed")

    assert works.command.stop() == 0


def test_when_its_terminal_is_closed_it_stops_instead_of_going_on_unseen(works: Works) -> None:
    works.order("o-1")
    works.wait_for("Order Placed")

    works.close_terminal()

    assert works.command.wait() == 0
    assert "the terminal is gone: stopping" in works.command.stderr
