"""Consumers that share a ledger on Valkey: one is killed, the server is restarted, flushed, and gone for a while."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.brokers.valkey import LACKING, ValkeyServer, server_binary
from tests.checker.fate import CLIENT
from tests.integration.conftest import MakeStage
from tests.integration.stage import Stage

RECORDS = 3_000


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    if server_binary() is None:
        pytest.skip(LACKING)
    server = ValkeyServer(tmp_path / "valkey").start()
    yield server
    server.kill()


def _has_accepted(stage: Stage, count: int) -> bool:
    return len(stage.accepted(CLIENT)) >= count


def test_of_two_processes_that_share_it_one_is_killed_and_the_other_delivers_the_rest(
    make_stage: MakeStage, valkey: ValkeyServer
) -> None:
    stage = make_stage(4)
    stage.create_letters()
    slow = ApiFaults(latency_ms=20.0, jitter_ms=30.0)
    stage.receiver.remote.follow(FaultPlan(user_analytics=slow, client_api=slow))
    topology = stage.topology(client={"batch": {"max_items": 10}})

    with stage.watch() as watch:
        victim, survivor = (stage.consumer(topology=topology, LEDGER_URL=valkey.url) for _ in range(2))
        # Both before the first record: on a busy machine one could be done before the other has joined.
        for one in (victim, survivor):
            one.wait_for_status(lambda status: len(status["partitions"]) == 2, 60.0)
        stage.generate(RECORDS)
        for one in (victim, survivor):
            one.wait_for_status(lambda status: status["settled"] > 50, 60.0)
        stage.kill(victim)
        stage.wait_for_the_end(watch, 60.0)
        assert survivor.stop() == 0, survivor.tail()

    report = stage.check(watch)
    assert not report.findings, str(report)


def test_a_server_that_is_gone_for_a_while_stops_delivery_and_the_same_process_goes_on(
    stage: Stage, valkey: ValkeyServer
) -> None:
    consumer = stage.consumer(LEDGER_URL=valkey.url)
    stage.produce_customs("one")
    stage.wait_until(partial(_has_accepted, stage, 1), 60.0)
    valkey.kill()
    stage.produce_customs("two", "one")

    status = consumer.wait_for_status(lambda status: status["ledger"]["trouble"] is not None)

    assert "cannot be reached: see whether it is up" in status["ledger"]["trouble"]
    assert stage.accepted_ids() == ["one"]
    valkey.start()
    stage.wait_until(partial(_has_accepted, stage, 2), 60.0)
    assert consumer.stop() == 0, consumer.tail()
    assert stage.accepted_ids() == ["one", "two"], "what was confirmed before is known after"


def test_a_flush_is_told_as_an_alarm_and_costs_duplicates_at_most(stage: Stage, valkey: ValkeyServer) -> None:
    consumer = stage.consumer(LEDGER_URL=valkey.url)
    stage.produce_customs("one")
    stage.wait_until(partial(_has_accepted, stage, 1), 60.0)
    valkey.ask("FLUSHALL")
    stage.produce_customs("two")
    stage.wait_until(partial(_has_accepted, stage, 2), 60.0)

    assert consumer.wait_for_status(lambda _: True)["ledger"]["alarms"] == 1
    assert "was flushed, or another one stands in its place" in consumer.stderr
    assert consumer.stop() == 0, consumer.tail()
    assert stage.committed == {0: 2}

    valkey.ask("FLUSHALL")
    stage.produce_customs("three")
    again = stage.to_the_end(LEDGER_URL=valkey.url)

    assert again.wait() == 0, again.tail()
    assert "but the ledger has no position" in again.stderr, "hosts that share it are not all stopped by it"
    assert stage.accepted_ids() == ["one", "two", "three"]
    [line] = [line for line in again.stderr.splitlines() if "has no position" in line]
    assert '"level": "warning"' in line
