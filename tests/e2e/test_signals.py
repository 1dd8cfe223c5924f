"""A signal at the worst moment: when it is known that a process runs, and it does nothing yet."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import Running
from tests.e2e.test_mistakes import COMPLETE

_AT_ONCE = """
import asyncio, os, signal
from consumer.admin.server import AdminServer
start = AdminServer.start
async def start_and_be_told_to_end(self):
    address = await start(self)
    os.kill(os.getpid(), signal.SIG{})
    await asyncio.sleep(0.5)
    return address
AdminServer.start = start_and_be_told_to_end
"""
"""The first that others can see of a process is its admin port."""


@pytest.mark.parametrize("name", ["TERM", "INT"])
@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one", "workers"])
def test_a_signal_that_comes_with_the_first_sign_of_life_drains_like_any_other(
    nobody: str, tmp_path: Path, name: str, workers: tuple[str, ...]
) -> None:
    settings = {
        **COMPLETE,
        "KAFKA_BOOTSTRAP_SERVERS": nobody,
        "LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
    }
    command = ("run", "--output", "json", *workers)
    with Running(command, tmp_path, settings, prelude=_AT_ONCE.format(name)) as running:
        assert running.wait() == 0, running.stderr

    assert json.loads(running.stdout)["balanced"] is True
    said = [json.loads(line)["message"] for line in running.stderr.splitlines()]
    assert any(text.startswith(f"SIG{name}: stopping") for text in said), said
    assert "stopped" in said
    assert not any(text.startswith("a fault") for text in said), said
