"""How a run ends: the exit code that a supervisor sees, and the one message that says why."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan
from tests.brokers import Hang
from tests.e2e.command import Result, Running, run
from tests.e2e.people import Person
from tests.integration.processes import wait_until
from tests.integration.stage import Stage


def settings(stage: Stage, **changed: str) -> dict[str, str]:
    """What a run on the stage needs, by its environment."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": stage.broker.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": stage.registry.url,
        "CONSUMER_GROUP": stage.group,
        "LEDGER_URL": f"sqlite:///{stage.folder / 'ledger.db'}",
        "ADMIN_LISTEN": "127.0.0.1:0",
        "TOPOLOGY": str(stage.topology()),
        "DISTINCT_BASE_URL": stage.receiver.base_url,
        "DISTINCT_API_KEY": "distinct-key",
        "CLIENT_API_BASE_URL": stage.receiver.base_url,
        "CLIENT_API_KEY": "pk_client",
        **changed,
    }


def to_the_end(stage: Stage, *flags: str, **changed: str) -> Result:
    return run(
        "run", "--until-end", "--output", "json", *flags, folder=stage.folder, **settings(stage, **changed)
    )


def test_a_signal_drains_and_ends_with_0_and_the_books(stage: Stage, person: Person) -> None:
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(latency_ms=300.0)))
    stage.produce(person.did("e-1"))

    with Running(["run", "--output", "json"], stage.folder, settings(stage)) as running:
        running.wait_for("joined the group")
        wait_until(lambda: stage.receiver.remote.report().client_api.requests == 1, 30.0)
        assert running.stop(signal.SIGTERM) == 0, running.stderr

        books = json.loads(running.stdout)
        assert (books["consumed"], books["settled"], books["in_flight"]) == (1, 1, 0)
        assert books["balanced"]
        assert "SIGTERM: stopping" in running.stderr
    assert stage.committed == {0: 1}


def test_a_drain_that_does_not_finish_ends_with_3_and_says_how_much_is_left(
    stage: Stage, person: Person
) -> None:
    stage.receiver.remote.follow(FaultPlan(client_api=ApiFaults(latency_ms=20_000.0)))
    stage.produce(person.did("e-1"))

    with Running(["run", "--drain-timeout", "1s"], stage.folder, settings(stage)) as running:
        running.wait_for("joined the group")
        wait_until(lambda: stage.receiver.remote.report().client_api.requests == 1, 30.0)
        assert running.stop(signal.SIGTERM) == 3, running.stderr
        assert "the drain did not finish in 1 s (1 in flight)" in running.stderr
        assert "Traceback" not in running.stderr
    assert stage.committed == {0: 0}


def test_a_stop_does_not_wait_for_dead_letters_that_cannot_be_written_and_ends_with_3(
    make_stage: Callable[[int], Stage],
) -> None:
    stage = make_stage(1)
    stage.create_letters({"max.message.bytes": "100"})
    stage.produce(b"not an event")

    with Running(["run", "--drain-timeout", "60s"], stage.folder, settings(stage)) as running:
        running.wait_for("dead letters: can't be written")
        asked_s = time.monotonic()

        assert running.stop(signal.SIGTERM) == 3, running.stderr

        assert time.monotonic() - asked_s < 15.0
        reason = f"1 cannot be written to {stage.letters}: too large even as a stub"
        assert f"stopped with dead letters left: {reason}" in running.stderr
        assert "Traceback" not in running.stderr
    assert stage.committed == {0: 0}


def test_an_end_that_is_not_reached_in_time_ends_with_3_and_still_prints_the_books(
    stage: Stage, person: Person
) -> None:
    stage.registry.break_with(Hang())
    stage.produce(person.did("e-1"))

    ended = to_the_end(stage, "--timeout", "4")

    assert ended.exit_code == 3, ended.stderr
    assert ended.message.startswith("stopped after 4 s, before the end was reached")
    assert ended.json["balanced"]
    assert (ended.json["consumed"], ended.json["settled"]) == (1, 0)
    assert "Traceback" not in ended.stderr


def test_a_topic_that_is_missing_ends_with_2_and_its_name(stage: Stage) -> None:
    elsewhere = stage.topology()
    file = elsewhere / "all.yaml"
    file.write_text(file.read_text().replace(stage.topic, "no-such-topic"))

    ended = to_the_end(stage, TOPOLOGY=str(elsewhere))

    assert ended.exit_code == 2
    assert ended.message == (
        "error: topic 'no-such-topic' does not exist on this cluster: create it, or correct the topology"
    )


def test_a_ledger_that_is_not_the_one_before_ends_with_4_and_names_the_flag(
    stage: Stage, person: Person
) -> None:
    stage.produce(person.did("e-1"))
    assert to_the_end(stage).exit_code == 0

    refused = to_the_end(stage, LEDGER_URL="sqlite:///another.db")

    assert refused.exit_code == 4
    assert "another ledger was in use" in refused.message
    assert "--accept-ledger" in refused.message
    assert "Traceback" not in refused.stderr


def test_a_fault_of_our_own_ends_with_1_its_trace_in_the_log_and_nothing_committed(
    stage: Stage, person: Person
) -> None:
    stage.produce(person.did("e-1"), person.did("e-2"))
    broken = """
from consumer.pipeline.verdicts import Verdicts
def delivered(self, batch):
    raise KeyError("usr-canary")
Verdicts.delivered = delivered
"""
    with Running(["run"], stage.folder, settings(stage), prelude=broken) as running:
        assert running.wait() == 1
        lines = [json.loads(line) for line in running.stderr.splitlines()]

    (told,) = [line for line in lines if "error" in line]
    assert (told["level"], told["error"]["type"]) == ("error", "KeyError")
    assert "in delivered" in told["error"]["stack"]
    assert "fault of its own (KeyError)" in lines[-1]["message"]
    assert "usr-canary" not in running.stderr
    assert stage.committed == {0: 0}


NO_BROKER = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "SCHEMA_REGISTRY_URL": "http://127.0.0.1:9",
    "ADMIN_LISTEN": "127.0.0.1:0",
    "DISTINCT_API_KEY": "canary-key",
    "CLIENT_API_BASE_URL": "http://127.0.0.1:9",
    "CLIENT_API_KEY": "pk_canary",
    "EVENT_API_KEY": "canary-event-key",
}


def test_a_broker_that_does_not_answer_is_asked_again_and_then_ends_with_1_and_says_where_to_look(
    tmp_path: Path,
) -> None:
    ended = run("run", folder=tmp_path, **NO_BROKER)

    assert ended.exit_code == 1
    assert 15 < ended.seconds < 40
    told = [json.loads(line)["message"] for line in ended.stderr.splitlines()]
    (waiting,) = [message for message in told if "tried again for 20 s" in message]
    for text in (waiting, ended.message):
        assert "Connect to ipv4#127.0.0.1:9 failed: Connection refused" in text
        assert "Asked at 127.0.0.1:9: check KAFKA_BOOTSTRAP_SERVERS, and KAFKA_PROPERTIES" in text
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr
    assert len(ended.stderr.splitlines()) < 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_any_broker_answered_ends_with_0_at_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Running(["run"], tmp_path, NO_BROKER) as running:
        running.wait_for("no answer from Kafka yet")
        asked_s = time.monotonic()

        assert running.stop(number) == 0, running.stderr

        assert time.monotonic() - asked_s < 15.0, (
            "a second, and what a busy machine adds; not the 20 of the broker"
        )
        assert "Traceback" not in running.stderr
