"""What a running consumer says when something in it has stopped, or its books do not balance."""

import json

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.admin_port import AdminPort
from tests.e2e.command import Running
from tests.e2e.people import Person
from tests.e2e.test_exit_codes import settings
from tests.integration.processes import wait_until
from tests.integration.stage import Stage

# Each stands for 2.5 s, one after the other, in a function of a name that only this test has.
BLOCKED = """
import time
import consumer.app
from consumer.kafka.owner import Owner
from consumer.ledger.sqlite_store import SqliteStore
from consumer.pipeline import stalls
from consumer.pipeline.coordinator import Coordinator

stalls.LEDGER_AFTER_S = 1.0
watch = consumer.app.stalls_of
consumer.app.stalls_of = lambda loop_after_s, kafka_after_s, *rest: watch(loop_after_s, 1.0, *rest)
turns = []

def once(kind, after, name, when):
    real = getattr(kind, name)
    def blocks(self, *arguments):
        if turns == after and when(self, *arguments):
            canary = "usr-canary"
            turns.append(name)
            time.sleep(2.5)
        return real(self, *arguments)
    blocks.__qualname__ = f"blocks_{name}"
    blocks.__code__ = blocks.__code__.replace(co_qualname=f"blocks_{name}")
    setattr(kind, name, blocks)

once(Coordinator, [], "look_around", lambda self: self.assignments)
once(Owner, ["look_around"], "_tell_lag", lambda self: True)
once(SqliteStore, ["look_around", "_tell_lag"], "run", lambda self, works: any(work.durable for work in works))
"""

FORGETFUL = """
from consumer.pipeline.settle import Ending, Settlement
end = Settlement.end
def forgets(self, books, deliveries, ending):
    end(self, books, deliveries, ending)
    if ending is Ending.DELIVERED:
        books.delivered -= 1
Settlement.end = forgets
"""


def metrics(port: AdminPort) -> dict[tuple[object, ...], float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(port.get("/metrics").text)
        for sample in family.samples
    }


def test_what_stops_turning_is_named_with_its_functions_and_the_run_goes_on(
    stage: Stage, person: Person
) -> None:
    names = {"event loop": "look_around", "Kafka thread": "_tell_lag", "ledger": "run"}
    with Running(["run", "--stalled-after", "1s"], stage.folder, settings(stage), prelude=BLOCKED) as running:
        running.wait_for("Kafka thread: turns again", 60.0)
        stage.produce(person.did("e-1"))
        running.wait_for("ledger: turns again", 60.0)
        port = AdminPort(running)
        wait_until(lambda: port.status["settled"] == 1, 30.0, lambda: f"{port.status}")
        stalls = port.status["watch"]["stalls"]
        assert port.status["watch"]["stalled"] == []
        shown = metrics(port)
        assert running.stop() == 0, running.stderr

    lines = [json.loads(line) for line in running.stderr.splitlines()]
    for what, name in names.items():
        found = [line for line in lines if line["message"].startswith(f"{what}: has not turned for")]
        # With limits so short, a slow start may be found as well.
        (told,) = [line for line in found if f"blocks_{name}" in line["message"]]
        assert (told["level"], told["trouble"], told["state"]) == ("error", what, "on")
        assert shown["distinct_consumer_stalls_total", ("what", what)] == stalls[what] == len(found)
        assert shown["distinct_consumer_stalled", ("what", what)] == 0
    assert "usr-canary" not in running.stderr
    assert stage.accepted_ids() == ["e-1"]


def test_a_hole_in_the_books_is_an_alarm_while_it_runs_that_names_the_destination(
    stage: Stage, person: Person
) -> None:
    stage.produce(person.did("e-1"))
    with Running(["run"], stage.folder, settings(stage), prelude=FORGETFUL) as running:
        port = AdminPort(running)
        wait_until(lambda: bool(port.status["watch"]["books"]), 60.0, lambda: f"{port.status}")

        status = port.status
        assert status["balanced"] is False
        assert status["watch"]["books"] == [
            {"where": "destination client", "column": "matched = what became of it", "missing": 1}
        ]
        shown = metrics(port)
        assert shown["distinct_consumer_books_difference", ("books", "destination:client")] == 1
        assert shown["distinct_consumer_books_difference", ("books", "audit")] == 1
        assert port.get("/ready").status_code == port.get("/live").status_code == 200, (
            "a restart mends no books"
        )
        running.wait_for("books: they do not balance")
        # It goes on, and says so once.
        stage.produce(person.did("e-2"))
        wait_until(lambda: port.status["settled"] == 2, 30.0)
        assert running.stop() == 1
    told = [line for line in running.stderr.splitlines() if '"books: they do not balance' in line]
    assert "destination client: matched = what became of it does not hold: 1 too few" in told[0]
    assert stage.accepted_ids() == ["e-1", "e-2"]
