"""The bench's receiver: a number counts only if its book is right about what arrived, and in which order."""

import http.client
import shutil
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import pytest

from bench.identity import Identities, identified, stamped
from bench.receiver.process import FastReceiver, build_receiver
from bench.topic import events
from bench.workload import ARRAYS, SINGLES


@pytest.fixture(scope="module")
def receiver() -> Iterator[FastReceiver]:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    with FastReceiver(build_receiver()) as running:
        yield running


def _ids(*users: str) -> list[str]:
    """Of records in this order on the topic."""
    identities = Identities()
    return [identities.next(user.encode()).decode() for user in users]


def _post(
    receiver: FastReceiver, path: str, headers: dict[str, str], body: bytes | Iterator[bytes]
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(receiver.base_url).netloc, timeout=10)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _send(receiver: FastReceiver, *arrays: Sequence[str]) -> None:
    for ids in arrays:
        items = [{"name": "x", "external_id": "u", "data": {"event_id": one}} for one in ids]
        status, _ = _post(receiver, ARRAYS.path, ARRAYS.headers, orjson.dumps(items))
        assert status == ARRAYS.acknowledged


def test_ids_that_tell_when_they_were_made_say_whose_they_are_too(receiver: FastReceiver) -> None:
    identities = Identities(1_800_000_000_000)
    ids = [identities.next(user).decode() for user in (b"ann", b"bob", b"ann")]
    assert [UUID(one).version for one in ids] == [7, 7, 7]
    assert [int(one.replace("-", "")[:12], 16) - 1_800_000_000_000 for one in ids] == [0, 1, 2]
    receiver.expect(4)
    _send(receiver, [ids[2]], [ids[0], ids[1]], [ids[1]])
    tally = receiver.report()
    assert (tally.arrived, tally.absent, tally.duplicates, tally.disordered, tally.strange) == (
        3,
        [3],
        1,
        1,
        0,
    )


def test_all_that_arrived_in_order_is_complete(receiver: FastReceiver) -> None:
    ids = _ids("ann", "bob", "ann", "cid", "ann")
    receiver.expect(5)
    _send(receiver, ids[:2], ids[2:])
    tally = receiver.report()
    assert (tally.accepted, tally.arrived, tally.requests) == (5, 5, 2)
    assert (tally.missing, tally.absent, tally.duplicates, tally.disordered, tally.strange) == (
        0,
        [],
        0,
        0,
        0,
    )


def test_what_never_arrived_is_named(receiver: FastReceiver) -> None:
    ids = _ids(*"abcdefgh")
    receiver.expect(8)
    _send(receiver, [*ids[:3], *ids[4:7]])
    tally = receiver.report()
    assert (tally.missing, tally.absent) == (2, [3, 7])


def test_one_lost_and_another_repeated_do_not_make_up_for_each_other(receiver: FastReceiver) -> None:
    ids = _ids(*"abc")
    receiver.expect(3)
    _send(receiver, [ids[0], ids[1]], [ids[1]])
    tally = receiver.report()
    assert (tally.accepted, tally.arrived, tally.duplicates, tally.missing) == (3, 2, 1, 1)


def test_an_event_behind_a_later_one_of_its_user_is_disorder(receiver: FastReceiver) -> None:
    ids = _ids("ann", "ann", "ann")
    receiver.expect(3)
    _send(receiver, [ids[0], ids[2]], [ids[1]])
    assert receiver.report().disordered == 1


def test_users_may_overtake_each_other(receiver: FastReceiver) -> None:
    ids = _ids("ann", "bob", "ann", "bob")
    receiver.expect(4)
    _send(receiver, [ids[1], ids[3]], [ids[0], ids[2]])
    assert receiver.report().disordered == 0


def test_a_repeat_of_an_earlier_event_is_no_disorder(receiver: FastReceiver) -> None:
    ids = _ids("ann", "ann")
    receiver.expect(2)
    _send(receiver, ids, [ids[0]])
    tally = receiver.report()
    assert (tally.disordered, tally.duplicates) == (0, 1)


def test_an_event_of_another_run_is_strange_and_fills_no_gap(receiver: FastReceiver) -> None:
    ids = _ids("ann", "bob", "cid")
    receiver.expect(2)
    _send(receiver, [ids[0], ids[2]])
    tally = receiver.report()
    assert (tally.strange, tally.arrived, tally.missing) == (1, 1, 1)


def test_one_object_a_request_is_answered_as_its_page_says(receiver: FastReceiver) -> None:
    receiver.expect(1)
    (only,) = _ids("ann")
    body = orjson.dumps({"email": "a@example.com", "metadata": {"event_id": only}})
    status, answer = _post(receiver, SINGLES.path, SINGLES.headers, body)
    assert status == 200
    assert orjson.loads(answer)["statusCode"] == 200
    assert receiver.report().missing == 0


def test_a_body_in_chunks_is_read_like_any_other(receiver: FastReceiver) -> None:
    receiver.expect(1)
    (only,) = _ids("ann")
    body = orjson.dumps({"metadata": {"event_id": only}})
    status, _ = _post(receiver, SINGLES.path, SINGLES.headers, iter([body[:20], body[20:]]))
    assert (status, receiver.report().missing) == (200, 0)


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        (ARRAYS.path, {**ARRAYS.headers, "authorization": "Bearer pk_other"}, b"[]", 401),
        (ARRAYS.path, {**ARRAYS.headers, "content-type": "text/plain"}, b'[{"event_id":"%s"}]', 422),
        (ARRAYS.path, ARRAYS.headers, b'{"event_id":"%s"}', 422),
        (ARRAYS.path, ARRAYS.headers, b'[{"event_id":"12"}]', 422),
        (ARRAYS.path, ARRAYS.headers, b"[]", 422),
        (SINGLES.path, SINGLES.headers, b'[{"event_id":"%s"}]', 400),
        (SINGLES.path, SINGLES.headers, b'{"a":{"event_id":"%s"},"b":{"event_id":"%s"}}', 400),
        ("/api/client/other", ARRAYS.headers, b"[]", 404),
    ],
)
def test_what_is_no_request_of_the_bench_is_refused_and_counted(
    receiver: FastReceiver, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    receiver.expect(1)
    (only,) = _ids("ann")
    assert _post(receiver, path, headers, body.replace(b"%s", only.encode()))[0] == status
    tally = receiver.report()
    assert (tally.refused, tally.accepted, tally.missing) == (1, 0, 1)


def test_a_receiver_that_is_down_takes_nothing(receiver: FastReceiver) -> None:
    receiver.expect(1)
    receiver.behave(status=503)
    try:
        body = orjson.dumps([{"event_id": _ids("ann")[0]}])
        assert _post(receiver, ARRAYS.path, ARRAYS.headers, body)[0] == 503
    finally:
        receiver.behave()
    tally = receiver.report()
    assert (tally.overloaded, tally.accepted) == (1, 0)


def test_more_than_its_capacity_is_refused_with_429(receiver: FastReceiver) -> None:
    receiver.expect(2)
    receiver.behave(latency_ms=300, capacity=1)
    first = http.client.HTTPConnection(urlsplit(receiver.base_url).netloc, timeout=10)
    try:
        ids = _ids("ann", "bob")
        first.request("POST", ARRAYS.path, orjson.dumps([{"event_id": ids[0]}]), ARRAYS.headers)
        while not receiver.counts().accepted:
            pass
        body = orjson.dumps([{"event_id": ids[1]}])
        assert _post(receiver, ARRAYS.path, ARRAYS.headers, body)[0] == 429
        assert first.getresponse().status == 204
    finally:
        first.close()
        receiver.behave()


def test_the_latency_counts_from_the_stamp_to_the_answer(receiver: FastReceiver) -> None:
    (one, *_) = identified(events(SINGLES, 1, 1))
    assert one.value is not None
    event_id = stamped(one.value)[6:42].decode()
    receiver.expect(1)
    receiver.behave(latency_ms=50)
    try:
        _send(receiver, [event_id])
    finally:
        receiver.behave()
    latency = receiver.report(0, 1).latency
    assert latency is not None
    assert latency.records == 1
    assert 50 <= latency.p50_ms < 5_000


def test_the_rate_is_that_of_the_steady_part(receiver: FastReceiver) -> None:
    ids = _ids(*(f"user {number}" for number in range(10)))
    receiver.expect(10)
    _send(receiver, *([one] for one in ids))
    tally = receiver.report()
    assert tally.timed == 6
    assert tally.seconds > 0
