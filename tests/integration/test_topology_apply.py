"""`topology plan` and `apply`, `schema register` and `lint --online`, on a real broker and a real schema registry."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from consumer.avro.address import RegistryAddress
from consumer.avro.proof import prove
from consumer.avro.registry import Registry
from consumer.avro.schemas import SchemaText
from consumer.resources import schemas_dir
from consumer.sandbox.simulator import SimulatorConfig, SimulatorThread
from tests.brokers import Broker
from tests.brokers.apicurio import Apicurio
from tests.e2e.command import Result, run

VISIT: dict[str, Any] = {
    "type": "record",
    "name": "Visit",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "who", "type": ["null", "string"], "default": None},
    ],
}
WITH_A_PAGE = {**VISIT, "fields": [*VISIT["fields"], {"name": "page", "type": "string", "default": ""}]}
"""Compatible both ways."""
WITH_A_NUMBER = {**VISIT, "fields": [*VISIT["fields"], {"name": "floor", "type": "int"}]}
"""Data without a floor cannot be read with it."""
MIB = 1024 * 1024


class Shop:
    """A topology of one topic, the cluster that it is for, and the command."""

    def __init__(self, broker: Broker, registry: Apicurio, folder: Path) -> None:
        self.topic = broker.unused("visits")
        self.letters = f"{self.topic}.dead-letters"
        self.subject = f"{self.topic}-value"
        self._broker, self._registry, self._folder = broker, registry, folder
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 2})
        self.base_url = "https://crm.example.invalid"
        self.schema(VISIT)

    def schema(self, schema: dict[str, Any]) -> None:
        (self._folder / "visit.avsc").write_text(json.dumps(schema))

    def topology(self, **of_topic: Any) -> None:
        """Written anew with these keys of the topic."""
        topic = {"schema": "visit", "partitions": 2, "payload_field": None, **of_topic}
        destination = {"api": "client_api", "base_url": self.base_url, "credential": "env:CRM_KEY"}
        route = {
            "from": self.topic,
            "to": "crm/events",
            "map": {"name": {"const": "Visited"}, "external_id": "id"},
        }
        whole = {
            "topics": {self.topic: topic},
            "destinations": {"crm": destination},
            "routes": {"visited": route},
        }
        (self._folder / "t.yaml").write_text(yaml.safe_dump(whole))

    def __call__(self, *arguments: str, online: bool = True, **environment: str) -> Result:
        """The command; without `online` it knows no address."""
        addresses = {
            "KAFKA_BOOTSTRAP_SERVERS": self._broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": self._registry.url,
        }
        given = addresses if online else {}
        return run(
            *arguments, "--topology", ".", "--schemas", ".", folder=self._folder, **given, **environment
        )

    def plan(self) -> list[dict[str, Any]]:
        planned = self("topology", "plan", "--output", "json")
        assert planned.exit_code == 0, planned.stderr
        changes: list[dict[str, Any]] = planned.json["changes"]
        return changes

    def apply(self) -> Result:
        applied = self("topology", "apply", "--yes")
        assert applied.exit_code == 0, applied.stderr
        return applied

    def partitions(self, topic: str) -> int | None:
        found = self._admin.list_topics(timeout=20.0).topics.get(topic)
        return None if found is None else len(found.partitions)

    def config(self, topic: str, name: str) -> str:
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
        return str(self._admin.describe_configs([asked])[asked].result(20.0)[name].value)


@pytest.fixture
def shop(broker: Broker, apicurio: Apicurio, tmp_path: Path) -> Shop:
    return Shop(broker, apicurio, tmp_path)


def test_an_empty_cluster_gets_what_the_topology_says_and_a_second_apply_changes_nothing(shop: Shop) -> None:
    shop.topology(
        partitions=3,
        retention="7d",
        configs={"max.message.bytes": 2 * MIB, "min.insync.replicas": 1},
        compatibility="FULL_TRANSITIVE",
    )

    planned = shop.plan()

    assert [one["change"] for one in planned] == [
        "create_topic", "create_topic", "register_schema", "set_compatibility",
    ]  # fmt: skip
    assert shop.partitions(shop.topic) is None, "a plan creates nothing"
    refused = shop("topology", "apply")
    assert refused.exit_code == 4
    assert "--yes" in refused.message
    assert shop.partitions(shop.topic) is None, "nor does an apply that nobody has agreed to"

    applied = shop.apply()

    assert applied.stderr.count("done: ") == 4
    assert (shop.partitions(shop.topic), shop.partitions(shop.letters)) == (3, 3)
    assert shop.config(shop.topic, "retention.ms") == str(7 * 86_400_000)
    assert shop.config(shop.topic, "max.message.bytes") == str(2 * MIB)
    assert shop.config(shop.letters, "max.message.bytes") == str(2 * MIB + 64 * 1024)
    assert shop.config(shop.letters, "retention.ms") == str(30 * 86_400_000)
    assert shop.plan() == []
    again = shop.apply()
    assert "nothing to change" in again.stderr
    assert "done: " not in again.stderr


def test_what_is_there_grows_with_a_warning_about_the_order_of_keys_and_never_shrinks(
    broker: Broker, shop: Shop
) -> None:
    broker.create(shop.topic, partitions=2, config={"retention.ms": "1000000"})
    broker.create(shop.letters, config={"max.message.bytes": "1000", "retention.ms": "2000"})
    shop.topology(partitions=5, retention="1h", configs={"max.message.bytes": 2 * MIB})

    applied = shop.apply()

    assert "warning: " in applied.stdout
    assert "out of order" in applied.stdout
    assert shop.partitions(shop.topic) == 5
    assert shop.config(shop.topic, "retention.ms") == "3600000"
    assert shop.config(shop.letters, "max.message.bytes") == str(2 * MIB + 64 * 1024)
    assert shop.config(shop.letters, "retention.ms") == str(30 * 86_400_000)
    assert shop.partitions(shop.letters) == 1
    assert shop.plan() == []

    shop.topology(
        partitions=4, retention="1m", configs={"max.message.bytes": 5 * MIB, "cleanup.policy": "compact"}
    )
    refused = shop("topology", "apply", "--yes")

    assert refused.exit_code == 4
    told = " ".join(line for line in refused.stdout.splitlines() if line.startswith("refused: "))
    assert all(word in told for word in ("partitions: 5", "retention.ms", "cleanup.policy"))
    assert shop.partitions(shop.topic) == 5
    assert shop.config(shop.topic, "max.message.bytes") == str(2 * MIB), "not even what could be done is done"


def test_what_the_brokers_would_not_take_is_refused_before_anything_is_changed(shop: Shop) -> None:
    shop.topology(configs={"retention.mss": 5}, replication=3)
    refused = shop("topology", "plan")
    assert refused.exit_code == 4
    assert "replication 3 needs as many brokers, and there are 1" in refused.stdout

    shop.topology(configs={"retention.mss": 5})
    refused = shop("topology", "apply", "--yes")

    assert refused.exit_code == 4
    assert "retention.mss" in refused.stdout
    assert shop.partitions(shop.topic) is None
    assert shop.partitions(shop.letters) is None


def test_a_schema_that_breaks_the_subject_is_refused_by_the_proof_and_by_the_registry(shop: Shop) -> None:
    shop.topology(compatibility="FULL_TRANSITIVE")
    shop.apply()
    shop.schema(WITH_A_PAGE)
    assert [one["change"] for one in shop.plan()] == ["register_schema"]
    shop.apply()
    assert shop.plan() == []

    shop.schema(WITH_A_NUMBER)
    refused = shop("topology", "apply", "--yes")

    assert refused.exit_code == 4
    assert "cannot read data of version 1: floor" in refused.stdout


def test_lint_and_register_agree_with_the_registry(shop: Shop, tmp_path: Path) -> None:
    shop.topology(compatibility="FULL_TRANSITIVE")
    planned = shop("schema", "register", "--output", "json")
    assert [one["change"] for one in planned.json["changes"]] == ["register_schema", "set_compatibility"]
    assert shop("schema", "register", "--execute", "--record").exit_code == 0
    assert (tmp_path / "history" / "visit" / "1.avsc").read_text() == json.dumps(VISIT)
    assert shop("schema", "register", "--output", "json").json["changes"] == []

    shop.schema(WITH_A_PAGE)
    (sound,) = shop("schema", "lint", "--online", "--output", "json").json["schemas"]
    assert sound["subjects"] == [
        {"subject": shop.subject, "versions": 1, "registered_as": None, "registry_takes_it": True}
    ]

    shop.schema(WITH_A_NUMBER)
    offline = shop("schema", "lint", online=False)
    online = shop("schema", "lint", "--online", "--output", "json")

    assert (offline.exit_code, online.exit_code) == (2, 2)
    assert "visit.avsc cannot read data of history/visit/1.avsc: floor" in offline.stderr
    assert online.json["schemas"][0]["subjects"][0]["registry_takes_it"] is False
    assert f"{shop.subject}: the registry would refuse visit.avsc" in online.stderr
    assert f"visit.avsc cannot read data of {shop.subject} version 1: floor" in online.stderr
    assert shop("schema", "register", "--execute").exit_code == 2


def test_check_online_tells_what_is_missing_and_then_that_all_is_well(shop: Shop, tmp_path: Path) -> None:
    shop.topology(compatibility="FULL_TRANSITIVE")

    before = shop("check", "--online", "--output", "json", CRM_KEY="pk_client")

    assert before.exit_code == 1
    states = {(one["area"], one["name"]): one["state"] for one in before.json["online"]}
    assert states["broker", ""] == states["registry", ""] == "ok"
    assert states["topic", shop.topic] == states["topic", shop.letters] == "failed"
    assert states["subject", shop.subject] == "warning"
    assert shop.partitions(shop.topic) is None
    assert not list(tmp_path.glob("*.db"))

    shop.apply()
    with SimulatorThread(
        SimulatorConfig(distinct_api_key="distinct-key", client_api_key="pk_client")
    ) as simulator:
        shop.base_url = simulator.base_url
        shop.topology(compatibility="FULL_TRANSITIVE")
        after = shop("check", "--online", CRM_KEY="pk_client")
        wrong = shop("check", "--online", CRM_KEY="pk_hunter2")

    assert after.exit_code == 0, after.stderr
    assert "failed" not in after.stdout
    assert wrong.exit_code == 1
    assert "404 code 6000: no project for this key" in wrong.stdout
    assert "hunter" not in wrong.stdout + wrong.stderr


def _optional(kind: Any) -> dict[str, Any]:
    return {**VISIT, "fields": [*VISIT["fields"], {"name": "more", "type": kind, "default": None}]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (VISIT, WITH_A_PAGE),
        (VISIT, WITH_A_NUMBER),
        (WITH_A_NUMBER, VISIT),
        (_optional(["null", "int"]), _optional(["null", "long"])),
        (_optional(["null", "int"]), _optional(["null", "int", "string"])),
        (
            _optional(["null", {"type": "array", "items": "int"}]),
            _optional(["null", {"type": "array", "items": "string"}]),
        ),
        (
            _optional(["null", {"type": "enum", "name": "Kind", "symbols": ["a"]}]),
            _optional(["null", {"type": "enum", "name": "Kind", "symbols": ["a", "b"]}]),
        ),
        (
            _optional(["null", {"type": "enum", "name": "Kind", "symbols": ["a"], "default": "a"}]),
            _optional(["null", {"type": "enum", "name": "Kind", "symbols": ["a", "b"], "default": "a"}]),
        ),
        (VISIT, {**VISIT, "name": "Other"}),
        (VISIT, {**VISIT, "fields": [{"name": "id", "type": "bytes"}, VISIT["fields"][1]]}),
    ],
)  # fmt: skip
async def test_the_proof_and_a_real_registry_are_of_one_mind(
    apicurio: Apicurio, before: dict[str, Any], after: dict[str, Any]
) -> None:
    registry = Registry(RegistryAddress(url=apicurio.url))
    subject = f"agreement-{uuid.uuid4().hex}"
    old, new = json.dumps(before), json.dumps(after)
    try:
        await registry.register(subject, old)
        await registry.set_level(subject, "FULL_TRANSITIVE")
        taken = await registry.would_take(subject, new)
    finally:
        registry.close()

    faults = prove("FULL_TRANSITIVE", [("old", SchemaText(old)), ("new", SchemaText(new))])

    assert taken is (faults == []), faults


def test_events_generated_after_an_apply_are_of_the_version_that_it_registered(
    broker: Broker, apicurio: Apicurio, tmp_path: Path
) -> None:
    """This registry takes other white space for another version."""
    topic = broker.topic("generated", partitions=1)
    registry = Registry(RegistryAddress(url=apicurio.url))
    text = (schemas_dir() / "user-event.avsc").read_text("utf-8")
    try:
        asyncio.run(registry.register(f"{topic}-value", text))

        made = run(
            "generate", "--topic", topic, "--count", "10",
            folder=tmp_path,
            KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers,
            SCHEMA_REGISTRY_URL=apicurio.url,
        )  # fmt: skip

        assert made.exit_code == 0, made.stderr
        assert list(asyncio.run(registry.versions(f"{topic}-value"))) == [1]
    finally:
        registry.close()
