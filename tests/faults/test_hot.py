"""One hot partition, one hot user, one user whose record always fails: the others go on, and the status names which."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorProcess
from tests.checker.fate import USER_ANALYTICS
from tests.e2e.people import Person
from tests.integration.conftest import MakeStage, make_stage, receiver
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

__all__ = ["make_stage", "receiver"]  # fixtures, found here by their names

HOT, HOT_RECORDS = "hot-user", 200
BAD = "bad-user"


def engage(stage: Stage, partition: int, events: Iterable[tuple[str, str]]) -> list[str]:
    """Append (user, event id) to a partition, as events that go to both destinations; gives the ids."""
    made = list(events)
    records = [(user.encode(), Person(stage.schema_id, user).engaged(event_id)) for user, event_id in made]
    stage.broker.produce(stage.topic, records, partition=partition)
    return [event_id for _, event_id in made]


@pytest.mark.slow
def test_row_19_a_hot_partition_and_a_hot_user_stop_nobody_else_and_the_status_names_them(
    make_stage: MakeStage,
) -> None:
    stage = make_stage(3)
    stage.create_letters()
    stage.receiver.remote.follow(FaultPlan(user_analytics=ApiFaults(latency_ms=100.0)))
    hot = engage(stage, 0, [(HOT, f"hot-{number}") for number in range(HOT_RECORDS)])
    # On the hot partition behind the hot user's, and on the others.
    others = [
        event_id
        for partition in range(3)
        for event_id in engage(
            stage, partition, [(f"user-{partition}-{n}", f"{partition}-{n}") for n in range(40)]
        )
    ]
    with stage.watch() as watch:
        consumer = stage.consumer(CONSUMER_STUCK_AFTER="10s")

        stage.wait_until(lambda: set(others) <= set(stage.accepted_ids(USER_ANALYTICS)), 60.0)

        hot_so_far = len(set(hot) & set(stage.accepted_ids(USER_ANALYTICS)))
        assert hot_so_far < HOT_RECORDS / 2, "the others did not wait for the hot user"
        status = consumer.wait_for_status(lambda status: status["in_flight"] < HOT_RECORDS)
        first = status["held_by"][0]
        assert first["destination"] == USER_ANALYTICS
        assert first["longest_lane"] > 50
        assert (first["lane"]["topic"], first["lane"]["partition"]) == (stage.topic, 0)
        assert 0 < first["lane"]["offset"] < HOT_RECORDS
        assert first["lane"]["age_s"] >= 0
        assert status["hottest_partition"]["partition"] == 0
        assert status["hottest_partition"]["unsettled"] > 50
        assert HOT not in json.dumps(status), "a key may be a person's name"

        # For longer than the watchdogs wait, the hot lane moves: nothing is stuck.
        stage.wait_until(lambda: len(stage.accepted_ids(USER_ANALYTICS)) > 150 + len(others), 60.0)
        watched = consumer.wait_for_status(lambda _: True)["watch"]
        assert watched["books"] == watched["stuck_partitions"] == watched["stuck_lanes"] == []
        stage.receiver.remote.follow(FaultPlan())
        stage.wait_for_the_end(watch, 60.0)
        assert consumer.stop() == 0, consumer.tail()
    report = stage.check(watch)
    assert not report.findings, str(report)
    assert report.duplicates[USER_ANALYTICS] == 0
    assert "watchdog" not in consumer.stderr and "stuck" not in consumer.stderr


class Picky(ThreadingHTTPServer):
    """A receiver that has no answer but 500 to one user's records, and hands all others on to the simulator."""

    daemon_threads = True

    def __init__(self, receiver: SimulatorProcess) -> None:
        super().__init__(("127.0.0.1", 0), _Hop)
        self.behind = urlsplit(receiver.base_url).netloc
        self.refused: Counter[str] = Counter()
        """How often each of the bad user's events was sent."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Hop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Picky

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if BAD.encode() in body:
            self.server.refused[json.loads(body)["metadata"]["event_id"]] += 1
            self._answer(500, b'{"statusCode": 500, "message": "Internal server error."}')
            return
        behind = http.client.HTTPConnection(self.server.behind, timeout=30.0)
        try:
            behind.request("POST", self.path, body, dict(self.headers))
            response = behind.getresponse()
            self._answer(response.status, response.read())
        finally:
            behind.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        return None


@pytest.fixture
def picky(receiver: SimulatorProcess) -> Iterator[Picky]:
    with Picky(receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def have_arrived(stage: Stage, event_ids: list[str]) -> bool:
    return set(event_ids) <= set(stage.accepted_ids(USER_ANALYTICS))


def books_of(consumer: ConsumerProcess) -> dict[str, int]:
    """What became of the deliveries to User Analytics so far."""
    status = consumer.wait_for_status(lambda _: True)
    books: dict[str, int] = status["destinations"][USER_ANALYTICS]
    return books


def test_row_28_one_users_records_that_always_fail_hold_up_nobody_else_and_end_as_dead_letters(
    make_stage: MakeStage, picky: Picky
) -> None:
    stage = make_stage(2)
    stage.create_letters()
    bad = engage(stage, 0, [(BAD, f"bad-{number}") for number in range(3)])
    rounds: list[list[str]] = []

    with stage.watch() as watch:
        consumer = stage.consumer(
            topology=stage.topology(analytics={"retry": {"max_delay": "1s"}}),
            DISTINCT_BASE_URL=picky.base_url,
        )
        while books_of(consumer)["dead_lettered"] < len(bad):
            # One more event of each of the others, behind the bad ones on their partition and beside them. Each round
            # is through before the next one: nobody waits for the bad ones.
            made = [
                event_id
                for partition in range(2)
                for event_id in engage(
                    stage,
                    partition,
                    [(f"user-{partition}-{n}", f"{partition}-{n}-{len(rounds)}") for n in range(10)],
                )
            ]
            stage.wait_until(partial(have_arrived, stage, made), 10.0)
            rounds.append(made)
            assert len(rounds) < 100, consumer.tail()
        stage.wait_for_the_end(watch, 30.0)
        assert consumer.stop() == 0, consumer.tail()

    assert len(rounds) > 2, "the others went on while the bad ones were tried again"
    assert set(picky.refused) == set(bad)
    assert min(picky.refused.values()) >= 3, "each was tried three times or more while others succeeded"
    letters = [dict(letter.headers or ()) for letter in stage.read_letters()]
    offsets = [int(letter["distinct-consumer.origin-offset"] or b"") for letter in letters]
    assert offsets == sorted(offsets) == [0, 1, 2], "in the user's order"
    accepted = [event_id or "" for event_id in stage.accepted_ids(USER_ANALYTICS)]
    assert Counter(accepted) == Counter(event_id for made in rounds for event_id in made), "each once"
    for user in {event_id.rpartition("-")[0] for event_id in accepted}:
        numbers = [int(one.rpartition("-")[2]) for one in accepted if one.startswith(f"{user}-")]
        assert numbers == list(range(len(rounds))), "in their user's order"
    assert set(bad) <= set(stage.accepted_ids()), "the other destination has them"
