"""`check --online` looks at the ledger: it answers or it does not, and none is made by looking."""

import asyncio
from pathlib import Path

import pytest

from consumer.clock import SystemClock
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.operations.observation import Observation
from consumer.operations.observe_ledger import observe_ledger
from tests.brokers.ports import free_ports
from tests.brokers.valkey import LACKING, ValkeyServer, server_binary

POLICY = LedgerPolicy(reservation_age_s=60.0)


async def seen(url: str) -> Observation:
    return await observe_ledger(url, "group", POLICY, SystemClock())


async def test_a_ledger_that_is_there_is_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url, "group", POLICY, SystemClock())
    await ledger.open()
    await ledger.close()

    assert await seen(url) == Observation("ledger", "", "ok", "answering")


def test_one_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = asyncio.run(seen(f"sqlite:///{tmp_path / 'ledger.db'}"))

    assert found.state == "ok"
    assert "the first start creates it" in found.text
    assert list(tmp_path.iterdir()) == []


async def test_one_that_cannot_be_made_or_is_none_fails(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("not a ledger" * 100)

    missing, other = (
        await seen(f"sqlite:///{tmp_path / 'no' / 'l.db'}"),
        await seen(f"sqlite:///{tmp_path / 'other.db'}"),
    )

    assert (missing.state, other.state) == ("failed", "failed")
    assert "cannot be created" in missing.text
    assert "other.db" in other.text


@pytest.mark.parametrize(("url", "state"), [("memory:", "warning"), ("postgres://u:hunter2@h/db", "failed")])
async def test_what_is_no_file_is_told(url: str, state: str) -> None:
    found = await seen(url)

    assert found.state == state
    assert "hunter" not in found.text


async def test_a_server_that_is_not_there_fails_and_a_password_is_not_shown() -> None:
    [port] = free_ports(1)

    found = await seen(f"redis://user:hunter2@127.0.0.1:{port}/0")

    assert found.state == "failed"
    assert f"redis://127.0.0.1:{port}/0: it cannot be reached" in found.text
    assert "hunter2" not in found.text


async def test_what_a_crash_of_a_server_may_cost_is_a_warning(tmp_path: Path) -> None:
    if server_binary() is None:
        pytest.skip(LACKING)
    server = ValkeyServer(tmp_path, "--appendonly", "no").start()
    try:
        found = await seen(server.url)
        fit = server.ask("CONFIG", "SET", "appendonly", "yes") and await seen(server.url)
    finally:
        server.kill()

    assert found.state == "warning"
    assert "set appendonly yes" in found.text
    assert fit == Observation("ledger", "", "ok", "answering")
