"""The simulator as a process of its own."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from consumer.errors import FaultError
from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorProcess, SimulatorRemote, UnknownUsers


def _refuses_connections(base_url):
    """Within a few seconds."""
    url = httpx.URL(base_url)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((url.host, url.port), timeout=1).close()
        except ConnectionError:
            return True
        time.sleep(0.02)
    return False


def test_it_follows_its_configuration_and_ends_with_stop(config):
    config = msgspec.structs.replace(
        config,
        experiences=frozenset({"47Gop5"}),
        unknown_users=UnknownUsers(user_id_prefix="nobody-"),
        faults=FaultPlan(seed=3, client_api=ApiFaults(rate_500=1)),
    )
    with SimulatorProcess(config) as process:
        assert process.remote.faults() == config.faults
        assert process.remote.books()["user_analytics"] == {"accepted": 0, "duplicates": 0, "refused": 0}
        response = httpx.post(process.base_url + "/api/client/events", trust_env=False)
        assert response.status_code == 500
        base_url = process.base_url
    assert process.pid is None
    assert _refuses_connections(base_url)
    process.stop()


def test_a_taken_port_is_a_fault_that_names_it(config, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = SimulatorProcess(msgspec.structs.replace(config, port=port))
        with pytest.raises(FaultError, match=str(port)):
            process.start()
    assert f"cannot listen on 127.0.0.1:{port}" in capfd.readouterr().err
    assert process.pid is None


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to see what others see")
def test_no_key_shows_in_the_list_of_processes(config):
    with SimulatorProcess(config) as process:
        shown = b"".join(Path(f"/proc/{process.pid}/{file}").read_bytes() for file in ("cmdline", "environ"))
    assert b"consumer.sandbox.simulator" in shown
    assert config.distinct_api_key.encode() not in shown
    assert config.client_api_key.encode() not in shown


def test_neither_key_shows_when_a_configuration_is_printed(config):
    assert config.distinct_api_key not in repr(config)
    assert config.client_api_key not in repr(config)


_PARENT = """
import sys, time
from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess
process = SimulatorProcess(SimulatorConfig(distinct_api_key="k", client_api_key="pk_k"))
process.start()
print(process.base_url, flush=True)
time.sleep(60)
"""


def test_it_ends_when_its_parent_is_killed():
    root = Path(__file__).resolve().parents[4]
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, cwd=root)
    with parent:
        assert parent.stdout is not None
        base_url = parent.stdout.readline().strip()
        assert SimulatorRemote(base_url).report().unknown_paths == 0
        parent.send_signal(signal.SIGKILL)
    assert _refuses_connections(base_url)


def test_a_simulator_that_is_gone_is_a_fault_that_says_what_was_asked(config):
    with SimulatorProcess(config) as process:
        remote = process.remote
    with pytest.raises(FaultError, match="GET /_simulator/ledger"):
        remote.report()
