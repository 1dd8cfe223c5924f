"""`run --workers` without a broker: mistakes, starts and signals, as a person or a supervisor meets them."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from consumer.cli.run_order import RunOrder, prepare
from consumer.cli.run_workers import _environment
from tests.e2e.command import Running, run
from tests.e2e.test_mistakes import COMPLETE
from tests.integration.processes import wait_until

TWO = ("run", "--workers", "2")


@pytest.fixture
def settings(nobody: str, tmp_path: Path) -> dict[str, str]:
    return {
        **COMPLETE,
        "KAFKA_BOOTSTRAP_SERVERS": nobody,
        "LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
    }


def lines(running: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in running.stderr.splitlines() if line.startswith("{")]


def started(running: Running) -> list[int]:
    """The numbers of the workers that have said so."""
    said = [line for line in lines(running) if line["message"] == "started"]
    return sorted(line["worker"] for line in said if "worker" in line)


def has_started(running: Running, count: int) -> bool:
    return len(started(running)) >= count


def status(running: Running) -> dict[str, Any]:
    (own,) = [line for line in lines(running) if line["message"] == "started" and "workers" in line]
    document: dict[str, Any] = httpx.get(f"http://{own['admin']}/status", trust_env=False).json()
    return document


def pids(running: Running) -> list[int]:
    return [one["pid"] for one in status(running)["workers"]]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_ledger_in_memory_is_refused_once_because_nothing_would_be_shared(
    settings: dict[str, str], tmp_path: Path
) -> None:
    ended = run(*TWO, folder=tmp_path, **{**settings, "LEDGER_URL": "memory:"})

    assert ended.exit_code == 2
    assert ended.stderr.count("error:") == 1
    assert "LEDGER_URL: memory: lies in each worker's own memory" in ended.message
    assert "sqlite:///distinct-consumer.db" in ended.message


@pytest.mark.parametrize(
    ("flags", "changed", "message"),
    [
        (("--drain-timeout", "10m"), {}, "--drain-timeout is 600 s"),
        ((), {"LEDGER_URL": "sqlite://two"}, "three slashes"),
        (("--schema-registry-ca-file", "/no/such/file"), {}, "/no/such/file"),
        ((), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_SAMPLER": "y"}, "OTEL_TRACES_SAMPLER"),
    ],
)
def test_a_mistake_is_found_once_by_the_parent_before_any_worker_starts(
    settings: dict[str, str], tmp_path: Path, flags: tuple[str, ...], changed: dict[str, str], message: str
) -> None:
    ended = run(*TWO, *flags, folder=tmp_path, **{**settings, **changed})

    assert ended.exit_code == 2
    assert ended.stderr.count(message) == 1, ended.stderr
    assert '"started"' not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_signal_while_workers_start_or_wait_for_a_broker_ends_all_with_0_at_once(
    settings: dict[str, str], tmp_path: Path
) -> None:
    for number, wait_for in ((signal.SIGTERM, 0), (signal.SIGINT, 2)):
        with Running(TWO, tmp_path, settings) as running:
            running.wait_for('"workers": 2')
            workers = pids(running)
            wait_until(partial(has_started, running, wait_for), 20.0)
            asked_s = time.monotonic()

            assert running.stop(number) == 0, running.stderr

            assert time.monotonic() - asked_s < 15.0
            assert all(map(gone, workers))
            assert f"{number.name}: stopping; all workers drain" in running.stderr
            assert "Traceback" not in running.stderr


def test_health_is_told_while_workers_start_and_a_hang_up_has_each_read_the_topology_again(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with Running(TWO, tmp_path, settings) as running:
        own = json.loads(running.wait_for('"workers": 2'))["admin"]

        def get(path: str) -> tuple[int, dict[str, Any]]:
            answer = httpx.get(f"http://{own}{path}", trust_env=False)
            return answer.status_code, answer.json()

        assert status(running)["consumed"] == 0
        assert get("/ready") == (503, {"ready": False, "reason": "worker 1: is starting"})
        wait_until(lambda: started(running) == [1, 2], 20.0, lambda: running.stderr)
        assert get("/live") == (200, {"live": True, "reason": "ok"})
        assert get("/ready")[1]["reason"] == "worker 1: has not joined the group yet"

        running.hang_up()

        def read() -> list[int]:
            again = [line for line in lines(running) if line["message"].startswith("topology read again")]
            return sorted(line["worker"] for line in again)

        wait_until(lambda: read() == [1, 2], 10.0, lambda: running.stderr)
        assert running.stop() == 0, running.stderr


def test_what_only_one_process_can_have_has_the_workers_number(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod")
    order = RunOrder(config=None, flags={"instance_id": "pod-a", "admin_listen": "0.0.0.0:9464"})

    worker = prepare(order, 2)

    assert worker.config.kafka.instance_id == "pod-a-2"
    assert worker.settings.admin_listen == "127.0.0.1:0"
    assert prepare(order).config.kafka.instance_id == "pod-a"
    attributes = _environment(2)["OTEL_RESOURCE_ATTRIBUTES"]
    assert attributes == "deployment.environment=prod,distinct_consumer.worker=2"
