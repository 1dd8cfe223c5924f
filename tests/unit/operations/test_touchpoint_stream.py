"""Rounds of the stream: what is read, written, passed over, and what a failure costs."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.errors import BrokerError, FaultError, StoppedError
from consumer.http.sender import Answer
from consumer.operations.touchpoint_stream import Scope
from tests.unit.operations.cluster import Cluster, FakeWriter, Stored, Transaction
from tests.unit.operations.cluster import State as TransactionState
from tests.unit.operations.stage import ID, expected, stream_of, values, written
from tests.unit.operations.vendor import EXPERIENCE, Vendor, touchpoint, visit


def a_vendor() -> Vendor:
    return Vendor(
        touchpoint(
            "tp-1", visit("user-1", "2024-01-01T10:00:00Z"), visit("user-2", "2024-01-03T10:00:00.123456Z")
        ),
        touchpoint("tp-2", visit("user-1", "2024-01-02T10:00:00Z")),
    )


async def test_a_visit_is_written_with_all_that_is_known_of_it_keyed_by_the_user() -> None:
    vendor, cluster = a_vendor(), Cluster()

    await stream_of(vendor, cluster).round()

    [late] = [one for one in values(cluster) if one["user_id"] == "user-2"]
    assert late["visited_at"].isoformat() == "2024-01-03T10:00:00.123000+00:00"
    assert {**late, "visited_at": None} == {
        "touchpoint_id": "tp-1",
        "user_id": "user-2",
        "visited_at": None,
        "occurrence": 1,
        "touchpoint_name": "The tp-1",
        "touchpoint_value": "value_tp-1",
        "experience_id": EXPERIENCE,
    }
    keys = [stored.key for log in cluster.partitions for stored in log if stored.key]
    assert sorted(keys) == [b"user-1", b"user-1", b"user-2"]


async def test_one_users_visits_are_written_in_the_order_of_time_across_touchpoints() -> None:
    vendor, cluster = a_vendor(), Cluster()

    await stream_of(vendor, cluster).round()

    mine = [one["touchpoint_id"] for one in values(cluster) if one["user_id"] == "user-1"]
    assert mine == ["tp-1", "tp-2"]


async def test_a_touchpoint_named_twice_is_written_once() -> None:
    vendor, cluster = a_vendor(), Cluster()
    scope = Scope(experiences=(EXPERIENCE, EXPERIENCE), touchpoints=("tp-1", "tp-1"))

    await stream_of(vendor, cluster, scope=scope).round()

    assert written(cluster) == expected(vendor)


async def test_a_touchpoint_whose_counts_have_not_changed_is_not_read_again() -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster)
    await stream.round()
    vendor.scans.add("tp-2", [visit("user-2", "2024-01-04T10:00:00Z")])
    before = len(vendor.asked)

    done = await stream.round()

    assert done.written == 1
    asked = vendor.asked[before:]
    assert [query for query in asked if "touchpointId=tp-1" in query] == []
    assert written(cluster) == expected(vendor)


async def test_it_is_read_all_the_same_every_so_many_rounds() -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster, full_every=3)
    await stream.round()
    # One visit is taken away and another comes: the counts are as they were.
    kept = vendor.scans.all()
    vendor.scans.replace(
        [touchpoint("tp-1", *kept[0].visits[1:], visit("user-3", "2024-01-09T10:00:00Z")), kept[1]]
    )

    assert (await stream.round()).written == 0
    assert (await stream.round()).written == 1


async def test_a_touchpoint_that_cannot_be_read_does_not_stop_the_others() -> None:
    vendor, cluster = a_vendor(), Cluster()
    scope = Scope(touchpoints=("tp-1", "gone", "tp-2"))

    done = await stream_of(vendor, cluster, scope=scope).round()

    assert done.failures == ("touchpoint gone: Touchpoint not found",)
    assert written(cluster) == expected(vendor)


async def test_an_experience_that_cannot_be_read_is_named() -> None:
    done = await stream_of(a_vendor(), Cluster(), scope=Scope(experiences=("x",))).round()

    assert done.failures == ("experience x: Experience not found",)


async def test_a_time_that_is_none_is_a_failure_and_not_a_visit_less() -> None:
    vendor, cluster = a_vendor(), Cluster()
    details = b'{"items":[{"userId":"u","timestampUTC":"yesterday"}],"pagination":{"offset":0,"pageSize":2}}'
    one = b'{"id":"tp-1","name":"","value":"","totalVisits":1,"totalVisitsDetails":%s}' % details
    vendor.answers = [Answer(200, {}, b'{"statusCode":200,"data":{"touchpoints":%s}}' % one)]

    done = await stream_of(vendor, cluster, scope=Scope(touchpoints=("tp-1",))).round()

    assert done.failures == ("touchpoint tp-1: a visit's time is not ISO 8601",)
    assert cluster.committed() == []


@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_commit_without_an_answer_is_looked_up_and_nothing_is_lost_or_repeated(
    took_effect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster, chunk_visits=2)
    commit: Callable[..., None] = FakeWriter.commit_transaction

    def without_answer(writer: FakeWriter, timeout: float = 0.0, /) -> None:
        monkeypatch.setattr(FakeWriter, "commit_transaction", commit)
        if took_effect:
            commit(writer)
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(FakeWriter, "commit_transaction", without_answer)

    with pytest.raises(BrokerError):
        await stream.round()
    done = await stream.round()

    assert done.written == (1 if took_effect else 3)
    assert written(cluster) == expected(vendor)


async def test_a_record_that_is_no_visit_stops_it_and_names_the_place() -> None:
    cluster = Cluster()
    cluster.partitions[1].append(
        Stored(Transaction(0, TransactionState.COMMITTED), b"key", bytes(ID) + b"nonsense")
    )

    with pytest.raises(FaultError, match=r"visits\[1\]@0 is no visit.*a topic of its own"):
        await stream_of(a_vendor(), cluster).round()


async def test_a_stop_between_transactions_leaves_the_rest_to_the_next_start() -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster, chunk_visits=1)
    stream._on_progress = lambda text: stream.stop() if text.startswith("wrote 1 ") else None

    with pytest.raises(StoppedError, match="the next start goes on"):
        await stream.round()
    assert len(cluster.committed()) == 1
    await stream.close()
    await stream_of(vendor, cluster).round()

    assert written(cluster) == expected(vendor)


async def test_a_stop_ends_the_waiting_for_an_answer_at_once() -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster)

    async def never(*_: object) -> Answer:
        stream.stop()
        await asyncio.Event().wait()
        raise AssertionError

    vendor.get = never  # type: ignore[method-assign,assignment]

    with pytest.raises(StoppedError):
        await asyncio.wait_for(stream.round(), 30.0)


async def test_rounds_go_on_after_trouble_until_a_stop(caplog: pytest.LogCaptureFixture) -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster)
    vendor.answers = [Answer(401, {}, b"")]
    caplog.set_level(logging.INFO)
    stream._on_progress = lambda text: stream.stop() if text.startswith("wrote 3 ") else None

    await asyncio.wait_for(stream.run(0.001), 10.0)

    assert stream.written == 3
    assert written(cluster) == expected(vendor)
    assert "experience 47Gop5: 401 unauthorized" in caplog.text
    assert "user-1" not in caplog.text
