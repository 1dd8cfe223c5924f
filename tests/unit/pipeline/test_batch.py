"""A batch and its parts: none of its members is lost, doubled or reordered."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.clock import ManualClock
from consumer.core.lanes import Lane
from consumer.endpoints.client_events import ClientEvents
from consumer.ledger.ledger import Intent
from consumer.pipeline.batch import Batch
from consumer.pipeline.work import Assignment, Delivery, Work
from consumer.types import Record, TopicPartition

OPERATION = ClientEvents(ManualClock())
ASSIGNMENT = Assignment(TopicPartition("t", 0), 1, 0, 0)


def delivery(offset: int, lane: Lane[Delivery] | None = None, key: bytes | None = b"k") -> Delivery:
    work = Work(Record("t", 0, offset, 0, None, b"", None), ASSIGNMENT, offset)
    one = Delivery(work, OPERATION, b'{"id":%d}' % offset, Intent(key, "t", 0, offset, 1, "route"))
    one.lane = lane or Lane(offset)
    return one


def members(count: int) -> list[Delivery]:
    return [delivery(offset) for offset in range(count)]


@given(st.integers(1, 60), st.data())
def test_bisected_in_any_way_each_member_comes_to_its_end_once_and_in_order(count, data):
    batch: Batch | None = Batch(OPERATION, members(count))
    ended: list[int] = []
    while batch is not None:
        if len(batch.members) > 1 and data.draw(st.booleans(), label="refused"):
            batch = batch.split()
            continue
        ended += [one.intent.offset for one in batch.members]
        batch = batch.following()
    assert ended == list(range(count))


def test_a_batch_gives_its_parts_once():
    batch = Batch(OPERATION, members(4)).split()
    assert batch.following() is not None
    assert batch.following() is None


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30), st.sets(st.integers(0, 3)))
def test_what_is_pulled_from_the_parts_to_come_is_exactly_those_lanes_in_order(users, pulled):
    lanes: list[Lane[Delivery]] = [Lane(user) for user in range(4)]
    half = Batch(OPERATION, [delivery(offset, lanes[user]) for offset, user in enumerate(users)]).split()
    middle = len(half.members)
    out = half.pull({lanes[user] for user in pulled})
    assert [one.intent.offset for one in out] == [
        offset for offset, user in enumerate(users) if offset >= middle and user in pulled
    ]
    left = [one.intent.offset for part in half.rest for one in part]
    assert left == [offset for offset, user in enumerate(users) if offset >= middle and user not in pulled]


def test_bytes_and_key_stay_until_a_member_leaves():
    batch = Batch(OPERATION, members(3))
    body, key = batch.body, batch.idempotency_key
    batch.keep(list(batch.members))
    assert (batch.body, batch.idempotency_key) == (body, key)
    batch.keep(batch.members[:2])
    assert batch.body == b'[{"id":0},{"id":1}]'
    assert batch.idempotency_key != key


def test_records_without_keys_are_told_apart_by_where_they_lie():
    one, other = (Batch(OPERATION, [delivery(offset, key=None)]).idempotency_key for offset in (1, 2))
    assert one != other


def test_a_part_is_in_doubt_if_its_members_still_hold_what_they_had_before_the_unclear_answer():
    batch = Batch(OPERATION, members(2))
    batch.in_doubt = True
    for one in batch.members:
        one.token = 7
    half = batch.split()
    second = half.following()
    assert half.in_doubt
    assert second is not None
    assert second.in_doubt
