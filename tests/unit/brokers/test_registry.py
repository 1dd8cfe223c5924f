"""The pretended registry answers as Confluent's own client expects, and fails as tests tell it to."""

from collections.abc import Callable

import httpx
import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from tests.brokers import Delay, Drop, Hang, Reply, SchemaRegistry

TEXT = '{"type": "record", "name": "Ping", "fields": [{"name": "n", "type": "long"}]}'


@pytest.fixture
def client(registry: SchemaRegistry):
    with SchemaRegistryClient({"url": registry.url, "timeout": 2, "max.retries": 0}) as client:
        yield client


def test_what_is_registered_is_found_by_id_by_version_and_as_the_latest(
    registry: SchemaRegistry, client: SchemaRegistryClient
) -> None:
    first = registry.register("pings-value", TEXT)
    second = client.register_schema("pings-value", Schema('"long"', "AVRO"))

    assert (first, second) == (1, 2)
    assert client.get_subjects() == ["pings-value"]
    assert client.get_versions("pings-value") == [1, 2]
    assert client.get_schema(first).schema_str == TEXT.replace(" ", "")
    assert client.get_version("pings-value", 1).schema_id == first
    assert client.get_latest_version("pings-value").schema_id == second
    assert client.lookup_schema("pings-value", Schema(TEXT, "AVRO")).version == 1


def test_the_same_schema_keeps_its_id_in_every_subject(registry: SchemaRegistry) -> None:
    assert registry.register("a", TEXT) == registry.register("b", TEXT.replace(" ", "")) == 1
    assert registry.register("c", '"string"') == 2


def test_references_are_given_back(registry: SchemaRegistry, client: SchemaRegistryClient) -> None:
    registry.register("pings-value", TEXT)
    schema = Schema('["null", "Ping"]', "AVRO", [SchemaReference("Ping", "pings-value", 1)])

    references = client.get_schema(client.register_schema("maybe-value", schema)).references

    assert references is not None
    (reference,) = references
    assert (reference.name, reference.subject, reference.version) == ("Ping", "pings-value", 1)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda client: client.get_schema(99), 40403),
        (lambda client: client.get_latest_version("nobody"), 40401),
        (lambda client: client.get_version("pings-value", 9), 40402),
        (lambda client: client.lookup_schema("pings-value", Schema('"int"', "AVRO")), 40403),
    ],
    ids=["id", "subject", "version", "schema"],
)
def test_what_is_unknown_is_a_404_with_the_registry_s_own_code(
    registry: SchemaRegistry,
    client: SchemaRegistryClient,
    ask: Callable[[SchemaRegistryClient], object],
    code: int,
) -> None:
    registry.register("pings-value", TEXT)

    with pytest.raises(SchemaRegistryError) as caught:
        ask(client)

    assert (caught.value.http_status_code, caught.value.error_code) == (404, code)


def test_a_schema_that_is_not_json_is_refused(registry: SchemaRegistry) -> None:
    answer = httpx.post(f"{registry.url}/subjects/x/versions", json={"schema": "{"}, trust_env=False)

    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)


def test_faults_come_once_or_until_healed_and_every_request_is_counted(registry: SchemaRegistry) -> None:
    registry.register("pings-value", TEXT)
    registry.fail_next(Reply(500, b'{"error_code": 50001}'), Reply(200, b"<html>"))
    registry.break_with(Reply(404, b"not here"))

    with httpx.Client(base_url=registry.url, trust_env=False) as client:
        answers = [client.get("/schemas/ids/1") for _ in range(4)]
        registry.heal()
        healed = client.get("/schemas/ids/1")

    assert [each.status_code for each in answers] == [500, 200, 404, 404]
    assert answers[1].text == "<html>"
    assert healed.json()["schema"] == TEXT.replace(" ", "")
    assert registry.requests == [("GET", "/schemas/ids/1")] * 5


def test_a_dropped_connection_a_hang_and_a_delay_are_met_by_the_client(registry: SchemaRegistry) -> None:
    registry.register("pings-value", TEXT)
    registry.fail_next(Drop(), Hang(), Delay(0.05))

    with httpx.Client(base_url=registry.url, trust_env=False, timeout=0.3) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/schemas/ids/1")
        with pytest.raises(httpx.ReadTimeout):
            client.get("/schemas/ids/1")
        assert client.get("/schemas/ids/1").status_code == 200


def test_closing_ends_requests_that_hang() -> None:
    registry = SchemaRegistry()
    registry.fail_next(Hang())
    with httpx.Client(base_url=registry.url, trust_env=False, timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/subjects")
        registry.close()
        with pytest.raises(httpx.ConnectError):
            client.get("/subjects")
