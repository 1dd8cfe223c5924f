"""One suite, every ledger."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.brokers.valkey import LACKING, GivenServer, ValkeyServer, given_server, server_binary
from tests.contract.ledgers.cast import World
from tests.contract.ledgers.valkey_hosts import Hosts


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer | GivenServer]:
    """A server for all tests that only need an empty database of it."""
    given = given_server()
    if given is not None:
        yield given
        return
    if server_binary() is None:
        pytest.skip(LACKING)
    # Without an fsync a call: the tests of durability have servers of their own.
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), "--appendfsync", "no").start()
    yield server
    server.kill()


@pytest.fixture(params=["memory", "sqlite", "valkey"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A store of each kind, empty."""
    server = None
    if request.param == "valkey":
        server = request.getfixturevalue("shared_server")
        server.ask("FLUSHDB")
    world = World(request.param, tmp_path, server)
    yield world
    await world.end()


@pytest.fixture
async def hosts(tmp_path: Path) -> AsyncIterator[Hosts]:
    if server_binary() is None:
        pytest.skip(LACKING)
    hosts = Hosts(tmp_path)
    yield hosts
    await hosts.end()
