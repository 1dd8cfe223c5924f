"""A registry behind TLS and a password: whom it is believed to be, who we are, and both exchanged while we run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.avro.address import RegistryAddress
from consumer.avro.framing import schema_id
from consumer.avro.policy import RegistryPolicy
from consumer.avro.registry import Registry
from consumer.avro.schemas import SchemaText
from consumer.errors import RegistryUnavailable
from tests.brokers import SchemaRegistry
from tests.contract.senders.authority import Authority
from tests.kubernetes_secret import put_secret
from tests.unit.avro.avro_values import record_of

TEXT = json.dumps(record_of("string"), separators=(",", ":"))
ONCE = RegistryPolicy(timeout_s=10.0, deadline_s=20.0, max_retries=0, retry_wait_max_s=0.01)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority.create(folder)


@pytest.fixture
def server(authority: Authority) -> Iterator[SchemaRegistry]:
    with SchemaRegistry(tls=authority.server_context()) as server:
        server.basic_auth = "team:canary-first"
        yield server


async def fetched(server: SchemaRegistry, address: RegistryAddress) -> object:
    """What a client of this address gets."""
    number = server.register("events-value", TEXT)
    client = Registry(address, ONCE)
    try:
        return await client.fetch(schema_id(number))
    finally:
        client.close()


async def test_a_registry_of_our_authority_takes_our_password(server: SchemaRegistry, authority: Authority):
    address = RegistryAddress(url=server.url, basic_auth="team:canary-first", ca_file=authority.ca_file)

    assert await fetched(server, address) == SchemaText(TEXT)


async def test_a_wrong_password_is_told_without_it(server: SchemaRegistry, authority: Authority):
    address = RegistryAddress(url=server.url, basic_auth="team:canary-wrong", ca_file=authority.ca_file)

    with pytest.raises(
        RegistryUnavailable, match=r"answered 401.* check SCHEMA_REGISTRY_URL, its credentials"
    ) as told:
        await fetched(server, address)

    assert "canary" not in str(told.value)
    assert "canary" not in repr(address)


@pytest.mark.parametrize(
    "flaw", [{"ip": "127.0.0.2"}, {"expired": True}, None], ids=["host", "expired", "unknown"]
)
async def test_a_certificate_that_does_not_hold_gets_no_password(authority: Authority, tmp_path: Path, flaw):
    other = tmp_path / "other"
    other.mkdir()
    trusted = Authority.create(other) if flaw is None else authority
    with SchemaRegistry(tls=authority.server_context(**(flaw or {}))) as server:
        address = RegistryAddress(url=server.url, basic_auth="team:canary-first", ca_file=trusted.ca_file)
        with pytest.raises(RegistryUnavailable, match="schema registry https://"):
            await fetched(server, address)
        assert server.requests == []


async def test_a_password_that_is_exchanged_is_used_without_a_restart(
    server: SchemaRegistry, authority: Authority, tmp_path: Path
):
    file = put_secret(tmp_path / "secret", "auth", "team:canary-first\n")
    number = server.register("events-value", TEXT)
    learned: list[str] = []
    address = RegistryAddress(
        url=server.url,
        basic_auth="team:canary-first",
        basic_auth_file=str(file),
        ca_file=authority.ca_file,
    )
    client = Registry(address, ONCE, learned.extend)
    assert await client.fetch(schema_id(number)) == SchemaText(TEXT)

    server.basic_auth = "team:canary-other"  # as long as the first
    with pytest.raises(RegistryUnavailable, match="answered 401"):
        await client.fetch(schema_id(number))
    put_secret(tmp_path / "secret", "auth", "team:canary-other\n")

    assert await client.fetch(schema_id(number)) == SchemaText(TEXT)
    assert learned == ["team:canary-other", "canary-other"]
    client.close()


async def test_an_authority_that_is_exchanged_is_trusted_without_a_restart(
    tmp_path: Path, authority: Authority
):
    other = tmp_path / "other"
    other.mkdir()
    file = tmp_path / "ca.pem"
    Authority.bundle(file, Authority.create(other))
    with SchemaRegistry(tls=authority.server_context()) as server:
        number = server.register("events-value", TEXT)
        client = Registry(RegistryAddress(url=server.url, ca_file=str(file)), ONCE)
        with pytest.raises(RegistryUnavailable):
            await client.fetch(schema_id(number))
        file.write_text("half of a cert")
        with pytest.raises(RegistryUnavailable):
            await client.fetch(schema_id(number))
        Authority.bundle(file, authority)

        assert await client.fetch(schema_id(number)) == SchemaText(TEXT)
        client.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "http://127.0.0.1:9",
            r"127\.0\.0\.1:9: connection failed \(Connection refused\); check SCHEMA_REGISTRY_URL",
        ),
        (
            "http://registry.invalid",
            r"registry\.invalid: connection failed \(.+\); check SCHEMA_REGISTRY_URL",
        ),
    ],
)
async def test_a_registry_that_cannot_be_reached_is_told_in_the_systems_words(url: str, says: str):
    client = Registry(RegistryAddress(url=url), ONCE)
    try:
        with pytest.raises(RegistryUnavailable, match=says):
            await client.probe()
    finally:
        client.close()
