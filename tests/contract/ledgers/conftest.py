"""One suite, every ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.ledgers.cast import World


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A store of each kind, empty."""
    world = World(request.param, tmp_path)
    yield world
    await world.end()
