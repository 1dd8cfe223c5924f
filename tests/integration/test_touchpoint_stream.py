"""`touchpoints stream` on a real broker: each visit once, wherever the process is killed."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from confluent_kafka import Producer
from fastavro import parse_schema, schemaless_reader

from consumer.resources import schemas_dir
from consumer.sandbox.simulator import SimulatorConfig, SimulatorProcess, SimulatorRemote, Touchpoint, Visit
from tests.brokers import Broker, LocalKafka, SchemaRegistry
from tests.e2e.command import Result, Running, run
from tests.integration.processes import wait_until

EXPERIENCE = "47Gop5"
ADMIN_KEY = "admin-key"
START = datetime(2024, 1, 1, tzinfo=UTC)
Identity = tuple[str, str, datetime, int]

# Where a process is killed: the method of the transactional producer, at which call of it, and when.
KILLS = (
    ("init_transactions", 1, "before"),
    ("init_transactions", 1, "after"),
    ("begin_transaction", 1, "after"),
    ("produce", 1, "after"),
    ("produce", 499, "flushed"),
    ("commit_transaction", 1, "before"),
    ("commit_transaction", 1, "flushed"),
    ("commit_transaction", 1, "during"),
    ("commit_transaction", 1, "after"),
    ("begin_transaction", 2, "after"),
    ("produce", 700, "flushed"),
    ("commit_transaction", 2, "during"),
    ("commit_transaction", 2, "after"),
)

PRELUDE = """
import os, signal, threading
from consumer.kafka import log_topic

METHOD, CALL, WHEN = {kill!r}
make = log_topic.LogTopic.writer

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Doomed:
    def __init__(self, writer):
        self.writer, self.calls = writer, 0

    def __getattr__(self, name):
        method = getattr(self.writer, name)
        if name != METHOD:
            return method

        def call(*args, **kwargs):
            self.calls += 1
            if self.calls != CALL:
                return method(*args, **kwargs)
            if WHEN == "before":
                die()
            if WHEN == "during":
                threading.Timer(0.001, die).start()
            if WHEN == "flushed" and METHOD.startswith("commit"):
                self.writer.flush(10.0)
                die()
            done = method(*args, **kwargs)
            if WHEN == "flushed":
                self.writer.flush(10.0)
            die()
        return call

log_topic.LogTopic.writer = lambda self: Doomed(make(self))
"""


class Stage:
    """A vendor, a registry, and a topic that `--partitions` creates."""

    def __init__(
        self, broker: Broker, registry: SchemaRegistry, vendor: SimulatorRemote, folder: Path
    ) -> None:
        self.broker = broker
        self.vendor = vendor
        self.folder = folder
        self.topic = broker.unused("visits")
        self._minutes = 0
        self.settings = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "SCHEMA_REGISTRY_URL": registry.url,
            "DISTINCT_ADMIN_API_KEY": ADMIN_KEY,
        }
        vendor.replace_touchpoints(
            [
                Touchpoint(id=f"tp-{n}", name=f"Gate {n}", value=f"gate_{n}", experience_id=EXPERIENCE)
                for n in (1, 2)
            ]
        )

    def arguments(self, *flags: str) -> tuple[str, ...]:
        scope = ("--topic", self.topic, "--experience", EXPERIENCE)
        return ("touchpoints", "stream", *scope, "--partitions", "3", "--page-size", "400", *flags)

    def run(self, *flags: str) -> Result:
        return run(*self.arguments(*flags), folder=self.folder, **self.settings)

    def people_scan(self, count: int) -> None:
        """More scans: later ones, some before all others, and equals of known ones."""
        self._minutes += 1
        for touchpoint in ("tp-1", "tp-2"):
            later = START + timedelta(minutes=self._minutes)
            scans = [
                _scan(f"user-{n % 97}", later + timedelta(seconds=n // 97)) for n in range(count // 2 - 2)
            ]
            equal = [
                _scan("user-1", START),
                _scan(f"user-{self._minutes}", START - timedelta(days=self._minutes)),
            ]
            self.vendor.add_visits(touchpoint, scans + equal)

    def expected(self) -> Counter[Identity]:
        """Every scan at the vendor, once."""
        out: Counter[Identity] = Counter()
        for touchpoint in self.vendor.touchpoints():
            seen: Counter[tuple[str, datetime]] = Counter()
            for scan in touchpoint.visits:
                seen[scan.user_id, scan.at()] += 1
                out[touchpoint.id, scan.user_id, scan.at(), seen[scan.user_id, scan.at()]] += 1
        return out

    def written(self) -> Counter[Identity]:
        """How often a reader of committed records gets each visit."""
        schema = parse_schema(json.loads((schemas_dir() / "touchpoint-visit.avsc").read_text()))
        out: Counter[Identity] = Counter()
        for stored in self.broker.read(self.topic):
            one = schemaless_reader(BytesIO((stored.value or b"")[5:]), schema, None)
            assert isinstance(one, dict)
            assert stored.key == one["user_id"].encode()
            out[one["touchpoint_id"], one["user_id"], one["visited_at"], one["occurrence"]] += 1
        return out


def _scan(user_id: str, at: datetime) -> Visit:
    return Visit(user_id=user_id, timestamp_utc=at.isoformat().replace("+00:00", "Z"))


@pytest.fixture
def stage(broker: Broker, registry: SchemaRegistry, tmp_path: Path) -> Iterator[Stage]:
    config = SimulatorConfig(
        distinct_api_key="shared-key", client_api_key="pk_client", distinct_admin_api_key=ADMIN_KEY
    )
    with SimulatorProcess(config) as vendor:
        stage = Stage(broker, registry, vendor.remote, tmp_path)
        stage.settings["DISTINCT_BASE_URL"] = vendor.base_url
        yield stage


@pytest.mark.slow
def test_a_kill_at_any_step_of_a_transaction_neither_loses_nor_repeats_a_visit(stage: Stage) -> None:
    for kill in KILLS:
        stage.people_scan(800)
        with Running(
            stage.arguments("--once"), stage.folder, stage.settings, prelude=PRELUDE.format(kill=kill)
        ) as doomed:
            assert doomed.wait() == -signal.SIGKILL, f"{kill}: {doomed.stderr}"

    stage.people_scan(100)
    last = stage.run("--once", "--output", "json")

    assert last.exit_code == 0, last.stderr
    assert stage.written() == stage.expected()
    assert 0 < last.json["written"] < sum(stage.expected().values())
    assert stage.run("--once", "--output", "json").json["written"] == 0


def test_a_second_process_takes_over_and_the_first_stops_without_repeating(stage: Stage) -> None:
    stage.people_scan(40)
    arguments = stage.arguments("--interval", "1s")
    with Running(arguments, stage.folder, stage.settings) as first:
        wait_until(lambda: '"round"' in first.stderr, 60.0, lambda: first.stderr)
        with Running(arguments, stage.folder, stage.settings) as second:
            wait_until(lambda: '"round"' in second.stderr, 60.0, lambda: second.stderr)
            stage.people_scan(40)
            assert first.wait(60.0) == 3
            wait_until(lambda: sum(stage.written().values()) == 80, 60.0, lambda: second.stderr)
            assert second.stop() == 0

    assert "another process writes visits" in first.stderr
    assert stage.written() == stage.expected()


@pytest.mark.slow
def test_a_restart_of_the_broker_is_survived_by_the_same_process(
    stage: Stage, broker_process: LocalKafka
) -> None:
    stage.people_scan(40)
    with Running(stage.arguments("--interval", "1s"), stage.folder, stage.settings) as running:
        wait_until(lambda: '"round"' in running.stderr, 60.0, lambda: running.stderr)
        broker_process.kill()
        stage.people_scan(40)
        running.wait_for("trying again", 90.0)
        broker_process.start()
        wait_until(lambda: running.stderr.count('"round"') == 2, 90.0, lambda: running.stderr)
        assert running.stop() == 0

    assert stage.written() == stage.expected()


def test_a_topic_that_forgets_is_refused_unless_that_is_accepted(stage: Stage) -> None:
    stage.broker.create(stage.topic, config={"retention.ms": "60000"})
    stage.people_scan(10)

    refused = stage.run("--once")
    accepted = stage.run("--once", "--accept-retention")

    assert refused.exit_code == 4
    assert "retention.ms is 60000, and has to be -1" in refused.stderr
    assert "--accept-retention" in refused.stderr
    assert accepted.exit_code == 0, accepted.stderr
    assert "forgotten visits are written again" in accepted.stderr


def test_another_programs_transaction_on_the_topic_is_waited_for(stage: Stage) -> None:
    stage.people_scan(10)
    assert stage.run("--once").exit_code == 0
    theirs = Producer({"bootstrap.servers": stage.broker.bootstrap_servers, "transactional.id": stage.topic})
    theirs.init_transactions(30.0)
    theirs.begin_transaction()
    for partition in range(3):
        theirs.produce(stage.topic, b"theirs", partition=partition)
    theirs.flush(30.0)
    stage.people_scan(10)

    with Running(stage.arguments("--once"), stage.folder, stage.settings) as waiting:
        waiting.wait_for("read back", 30.0)
        theirs.abort_transaction(30.0)
        assert waiting.wait() == 0, waiting.stderr

    assert stage.written() == stage.expected()
