"""The simulator in the receiver's place: slower, but it says as well whether everything arrived."""

import http.client
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import orjson
import pytest

from bench.identity import Identities
from bench.receiver.fallback import SlowReceiver
from bench.workload import ARRAYS, SINGLES
from consumer.errors import FaultError


@pytest.fixture(scope="module")
def running() -> Iterator[SlowReceiver]:
    with SlowReceiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(running: SlowReceiver) -> SlowReceiver:
    running.behave()
    return running


def ids(count: int) -> list[str]:
    identities = Identities()
    return [identities.next(b"user %d" % number).decode() for number in range(count)]


def send(receiver: SlowReceiver, *arrays: Sequence[str], status: int = ARRAYS.acknowledged) -> None:
    connection = http.client.HTTPConnection(urlsplit(receiver.base_url).netloc, timeout=10)
    try:
        for array in arrays:
            items = [{"name": "x", "external_id": "u", "data": {"event_id": one}} for one in array]
            connection.request("POST", ARRAYS.path, orjson.dumps(items), ARRAYS.headers)
            response = connection.getresponse()
            response.read()
            assert response.status == status
    finally:
        connection.close()


def test_all_that_arrived_is_complete(receiver: SlowReceiver) -> None:
    receiver.expect(5)
    made = ids(5)
    send(receiver, made[:2], made[2:])
    tally = receiver.report()
    assert (tally.requests, tally.accepted, tally.arrived) == (2, 5, 5)
    assert (tally.missing, tally.duplicates, tally.refused) == (0, 0, 0)
    assert tally.disordered is None


def test_what_never_arrived_is_missing(receiver: SlowReceiver) -> None:
    receiver.expect(8)
    send(receiver, ids(6))
    assert receiver.report().missing == 2


def test_one_lost_and_another_repeated_do_not_make_up_for_each_other(receiver: SlowReceiver) -> None:
    receiver.expect(3)
    first, second, _ = ids(3)
    send(receiver, [first, second], [second])
    tally = receiver.report()
    assert (tally.accepted, tally.arrived, tally.duplicates, tally.missing) == (3, 2, 1, 1)


def test_one_object_a_request_counts_as_well(receiver: SlowReceiver) -> None:
    receiver.expect(1)
    body = {
        "email": "a@example.com",
        "feature": "registration_email",
        "action": "opened",
        "experienceId": "e",
        "capturedAt": "2026-01-01T00:00:00.000Z",
        "metadata": {"event_id": ids(1)[0]},
    }
    connection = http.client.HTTPConnection(urlsplit(receiver.base_url).netloc, timeout=10)
    connection.request("POST", SINGLES.path, orjson.dumps(body), SINGLES.headers)
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:0]) == (SINGLES.acknowledged, b"")
    connection.close()
    assert receiver.report().missing == 0


def test_while_it_is_down_nothing_arrives(receiver: SlowReceiver) -> None:
    receiver.expect(1)
    receiver.behave(status=503)
    send(receiver, ids(1), status=503)
    assert receiver.report().missing == 1
    receiver.behave()
    send(receiver, ids(1))
    assert receiver.report().missing == 0


def test_another_run_begins_with_nothing(receiver: SlowReceiver) -> None:
    receiver.expect(1)
    send(receiver, ids(1))
    receiver.expect(1)
    assert receiver.report().missing == 1
    send(receiver, ids(1))
    assert receiver.report().duplicates == 0


def test_the_rate_is_that_of_the_steady_part_as_far_as_it_was_looked_at(receiver: SlowReceiver) -> None:
    receiver.expect(10)
    for one in ids(10):
        send(receiver, [one])
        receiver.counts()
    tally = receiver.report()
    assert tally.timed == 6
    assert tally.seconds > 0


def test_what_only_the_fast_receiver_can_do_is_said_so(receiver: SlowReceiver) -> None:
    with pytest.raises(FaultError, match="install Go"):
        receiver.behave(latency_ms=20)
    with pytest.raises(FaultError, match="install Go"):
        receiver.behave(capacity=5)
    with pytest.raises(FaultError, match="install Go"):
        receiver.bodies()
