"""`run --workers`: one parent, several consumers, on a real broker."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.e2e.admin_port import AdminPort
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess, wait_until
from tests.integration.stage import Stage

RECORDS = 5_000
PARTITIONS = 4


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    stage = make_stage(PARTITIONS)
    stage.create_letters()
    return stage


def workers_of(status: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {one["worker"]: one for one in status["workers"]}


def shared(status: dict[str, Any]) -> bool:
    """Whether each worker has half of the partitions."""
    return [len(one["status"]["partitions"]) if one["status"] else 0 for one in status["workers"]] == [2, 2]


def ended(pid: int) -> bool:
    """Whether the process is gone, or waits for whoever reaps orphans."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def metrics(parent: ConsumerProcess) -> dict[tuple[Any, ...], float]:
    text = AdminPort(parent).get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_killed_worker_is_started_again_and_nothing_is_lost_of_books_or_events(stage: Stage) -> None:
    slow = ApiFaults(latency_ms=20.0, jitter_ms=20.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(client={"batch": {"max_items": 10}})

    with stage.watch() as watch:
        parent = stage.consumer("--workers", "2", "--output", "json", topology=topology)
        parent.wait_for_status(shared, 60.0)
        assert AdminPort(parent).get("/ready").json() == {"ready": True, "reason": "ok"}
        stage.generate(RECORDS)
        status = parent.wait_for_status(lambda status: status["settled"] > RECORDS / 10, 60.0)
        before = metrics(parent)
        victim = workers_of(status)[2]["pid"]
        os.kill(victim, signal.SIGKILL)
        stage.kills_ms.append(time.time_ns() // 1_000_000)
        assert AdminPort(parent).get("/live").status_code == 200
        stage.receiver.remote.follow(FaultPlan())
        parent.wait_for_status(lambda status: workers_of(status)[2]["restarts"] == 1, 30.0)
        assert AdminPort(parent).get("/ready").status_code == 503
        status = parent.wait_for_status(shared, 60.0)
        assert workers_of(status)[2]["pid"] != victim
        stage.wait_for_the_end(watch, 90.0)
        after = metrics(parent)
        status = parent.wait_for_status(lambda status: status["in_flight"] == 0)
        assert parent.stop() == 0, parent.tail()

    report = stage.check(watch)
    assert not report.findings, str(report)
    books = parent.books
    assert books["balanced"]
    assert books["consumed"] == books["settled"] + books["abandoned"] >= RECORDS
    assert [one["restarts"] for one in books["workers"]] == [0, 1]
    assert [one["exit_code"] for one in books["workers"]] == [0, 0]
    assert sum(one["consumed"] for one in books["workers"]) == books["consumed"]
    assert '"worker": 2' in parent.stderr
    assert "worker 2 was killed by SIGKILL; it is started again in 1 s" in parent.stderr
    fallen = {
        name
        for name, value in before.items()
        if name[0].endswith(("_total", "_bucket", "_count", "_sum"))
        and after.get(name, 0.0) < value
        and not name[0].startswith(("process_", "python_"))
    }
    assert not fallen, "a counter that falls is a reset to Prometheus"


def test_workers_drain_and_end_when_their_parent_is_killed(stage: Stage) -> None:
    parent = stage.consumer("--workers", "2")
    status = parent.wait_for_status(shared, 60.0)
    workers = [one["pid"] for one in status["workers"]]
    stage.generate(500)
    parent.wait_for_status(lambda status: status["settled"] > 0, 60.0)

    parent.kill()

    wait_until(lambda: all(map(ended, workers)), 40.0, parent.tail)
    assert parent.stderr.count("the parent process is gone: stopping") == 2
    assert parent.stderr.count('"message": "stopped"') == 2


def test_what_every_worker_finds_at_its_start_is_one_message_and_exit_2(stage: Stage) -> None:
    elsewhere = stage.topology()
    file = elsewhere / "all.yaml"
    file.write_text(file.read_text().replace(stage.topic, "no-such-topic"))

    run = stage.consumer("--workers", "2", topology=elsewhere)

    assert run.wait(30.0) == 2, run.tail()
    assert run.stderr.count("'no-such-topic' does not exist") == 1, run.stderr
    assert run.stderr.splitlines()[-1].startswith(
        "error: topic 'no-such-topic' does not exist on this cluster"
    )
    assert run.stdout == ""


def test_workers_share_an_end_and_their_books_are_added_up(stage: Stage) -> None:
    # So slow that one worker alone has not delivered all of it when the other one comes.
    slow = ApiFaults(latency_ms=1000.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    produced = stage.generate(RECORDS)

    bounds = ("--until-end", "--timeout", "150", "--output", "json")
    run = stage.consumer(
        "--workers", "2", *bounds, topology=stage.topology(client={"batch": {"max_items": 10}})
    )
    run.wait_for_status(shared, 60.0)
    stage.receiver.remote.follow(FaultPlan())

    assert run.wait(180.0) == 0, run.tail()
    assert run.books["balanced"]
    # What was settled above what could be committed, when partitions moved, is settled again where they went.
    assert run.books["consumed"] - run.books["abandoned"] == run.books["settled"] >= produced.total
    assert all(one["exit_code"] == 0 and one["consumed"] for one in run.books["workers"]), run.books
    assert sum(one["settled"] for one in run.books["workers"]) == run.books["settled"]
    for api, book in stage.receiver.remote.books().items():
        assert book["duplicates"] == 0, api
