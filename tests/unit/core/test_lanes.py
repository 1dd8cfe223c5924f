"""Lanes: order within a key, concurrency across keys, nothing lost or doubled."""

from collections import deque
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.core.lanes import Lane, Lanes
from consumer.core.offsets import OffsetTracker


@dataclass(eq=False)
class Item:
    key: str
    number: int
    size_bytes: int = 10
    kind: str = "events"
    lane: "Lane[Item]" = None  # type: ignore[assignment]
    arrival: int = 0


def lanes_of(*items: Item) -> Lanes[Item]:
    lanes: Lanes[Item] = Lanes()
    for item in items:
        lanes.add(item.key, item)
    return lanes


def numbers(items: list[Item]) -> list[int]:
    return [item.number for item in items]


def test_consecutive_items_of_one_lane_share_an_array():
    lanes = lanes_of(Item("a", 1), Item("b", 2), Item("a", 3))
    assert numbers(lanes.take("events", 10, 1000)) == [1, 3, 2]


def test_a_lane_with_items_under_way_gives_no_more_until_they_are_done():
    lanes = lanes_of(Item("a", 1), Item("a", 2))
    first = lanes.take("events", 1, 1000)
    assert lanes.take("events", 1, 1000) == []
    lanes.done(first)
    assert numbers(lanes.take("events", 1, 1000)) == [2]


def test_what_is_given_back_comes_before_what_followed_it():
    lanes = lanes_of(Item("a", 1), Item("a", 2), Item("a", 3))
    lanes.give_back(lanes.take("events", 2, 1000))
    assert numbers(lanes.take("events", 5, 1000)) == [1, 2, 3]


def test_a_delayed_lane_rests_while_others_go_on():
    lanes = lanes_of(Item("a", 1), Item("b", 2))
    lanes.give_back(lanes.take("events", 1, 1000), not_before_s=50.0)
    assert numbers(lanes.take("events", 5, 1000)) == [2]
    lanes.wake(49.9)
    assert lanes.take("events", 5, 1000) == []
    assert lanes.next_wake_s == 50.0
    lanes.wake(50.0)
    assert numbers(lanes.take("events", 5, 1000)) == [1]


def test_of_one_lane_only_its_own_consecutive_items_are_taken():
    lanes = lanes_of(Item("a", 1), Item("b", 2), Item("a", 3), Item("a", 4, kind="alias"))
    assert numbers(lanes.take("events", 10, 1000, one_lane=True)) == [1, 3]
    assert numbers(lanes.take("events", 10, 1000, one_lane=True)) == [2]
    assert lanes.take("events", 10, 1000, one_lane=True) == []


def test_a_lane_that_became_empty_while_taken_from_is_passed_over_for_the_next():
    lanes = lanes_of(Item("a", 1), Item("b", 2))
    lanes.abandon(lambda item: item.key == "a")
    assert numbers(lanes.take("events", 10, 1000, one_lane=True)) == [2]


def test_a_lane_told_to_rest_does_so_once_its_items_are_done_also_for_what_comes_meanwhile():
    lanes = lanes_of(Item("a", 1))
    taken = lanes.take("events", 1, 1000)
    taken[0].lane.not_before_s = 50.0
    lanes.done(taken)
    assert (lanes.next_wake_s, len(lanes), lanes.fullest()) == (50.0, 0, None)
    lanes.add("a", Item("a", 2))
    lanes.add("b", Item("b", 3))
    assert numbers(lanes.take("events", 5, 1000)) == [3]
    lanes.wake(50.0)
    assert numbers(lanes.take("events", 5, 1000)) == [2]


def test_a_lane_that_rests_and_stays_empty_is_forgotten_when_it_wakes():
    lanes = lanes_of(Item("a", 1))
    taken = lanes.take("events", 1, 1000)
    taken[0].lane.not_before_s = 50.0
    lanes.done(taken)
    lanes.wake(50.0)
    assert (lanes.next_wake_s, lanes.ready(), lanes._lanes) == (None, [], {})


def test_an_array_ends_where_the_bytes_end_and_a_giant_goes_alone():
    lanes = lanes_of(Item("a", 1, 600), Item("b", 2, 600), Item("c", 3, 5000))
    assert numbers(lanes.take("events", 10, 1000)) == [1]
    assert numbers(lanes.take("events", 10, 1000)) == [2]
    assert numbers(lanes.take("events", 10, 1000)) == [3]


def test_items_of_another_kind_wait_for_those_before_them_in_their_lane():
    lanes = lanes_of(Item("a", 1), Item("a", 2, kind="alias"), Item("b", 3, kind="alias"))
    assert numbers(lanes.take("alias", 10, 1000)) == [3]
    first = lanes.take("events", 10, 1000)
    assert numbers(first) == [1]
    assert lanes.take("alias", 10, 1000) == []
    lanes.done(first)
    assert numbers(lanes.take("alias", 10, 1000)) == [2]


def test_abandoning_takes_only_what_is_queued():
    lanes = lanes_of(Item("a", 1), Item("a", 2), Item("b", 3))
    taken = lanes.take("events", 1, 1000)
    assert numbers(lanes.abandon(lambda item: item.key == "a")) == [2]
    assert len(lanes) == 2
    lanes.done(taken)
    assert numbers(lanes.take("events", 5, 1000)) == [3]


def test_of_the_ready_lanes_the_one_whose_head_came_first_is_served_first():
    lanes = lanes_of(Item("a", 1), Item("a", 2), Item("b", 3), Item("c", 4))
    first = lanes.take("events", 1, 1000)
    lanes.done(first)
    assert numbers(lanes.take("events", 1, 1000)) == [2], "it came before those of the lanes that wait"
    assert numbers(lanes.take("events", 5, 1000)) == [3, 4]


def test_a_lane_that_was_given_back_lets_the_others_go_first():
    """The gate halted: the next probe is to be another record."""
    lanes = lanes_of(Item("a", 1), Item("b", 2))
    lanes.give_back(lanes.take("events", 1, 1000))
    lanes.add("c", Item("c", 3))
    assert numbers(lanes.take("events", 5, 1000)) == [2, 1, 3]


def test_a_delayed_lane_comes_again_by_the_age_of_its_head():
    lanes = lanes_of(Item("a", 1), Item("b", 2))
    lanes.give_back(lanes.take("events", 1, 1000), not_before_s=5.0)
    lanes.wake(5.0)
    assert numbers(lanes.take("events", 5, 1000)) == [1, 2]


@pytest.mark.parametrize("hot", [0.0, 0.02], ids=["even users", "one busy user"])
def test_what_may_be_committed_follows_what_is_delivered_over_many_lanes(hot: float):
    """500 users, 32 requests at a time, 2,000 records in flight, new ones coming all the time: served in turn, a lane
    held up the commit of thousands that came later."""
    random, lanes, tracker = Random(3), Lanes[Item](), OffsetTracker(0)
    tracked, settled, behind = 0, 0, 0
    on_the_wire: deque[list[Item]] = deque()
    while settled < 10_000:
        while tracked < 10_000 and tracked - settled < 2_000:
            user = "busy" if random.random() < hot else str(random.randrange(500))
            lanes.add(user, Item(user, tracker.track(1)))
            tracked += 1
        while len(on_the_wire) < 32 and (taken := lanes.take("events", 1, 1000)):
            on_the_wire.append(taken)
        (item,) = done = on_the_wire.popleft()
        lanes.done(done)
        tracker.settle(item.number, item.number)
        settled += 1
        behind = max(behind, settled - tracker.committable)
    assert behind < 200


class LanesMachine(RuleBasedStateMachine):
    """Items come, are taken in arrays, done, given back, delayed or abandoned, in any order."""

    def __init__(self):
        super().__init__()
        self.lanes: Lanes[Item] = Lanes()
        self.number = 0
        self.now_s = 0.0
        self.out: list[Item] = []
        self.ended: list[Item] = []
        self.added: list[Item] = []

    @rule(key=st.sampled_from("abcd"), kind=st.sampled_from(["events", "alias"]), size=st.integers(1, 40))
    def add(self, key, kind, size):
        item = Item(key, self.number, size, kind)
        self.number += 1
        self.added.append(item)
        self.lanes.add(key, item)

    @rule(kind=st.sampled_from(["events", "alias"]), most=st.integers(1, 6), room=st.integers(1, 120))
    def take(self, kind, most, room):
        taken = self.lanes.take(kind, most, room)
        assert len(taken) <= most
        assert all(item.kind == kind for item in taken)
        assert sum(item.size_bytes for item in taken) <= room or len(taken) == 1
        for item in taken:
            assert not any(other.key == item.key for other in self.out), "the lane had items under way"
            before = [one for one in self.added if one.key == item.key and one.number < item.number]
            assert all(one in self.ended or one in taken for one in before), "it overtook one of its lane"
        self.out += taken

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def end_one_lane(self, data):
        key = data.draw(st.sampled_from(sorted({item.key for item in self.out})))
        items = [item for item in self.out if item.key == key]
        done = items[: data.draw(st.integers(0, len(items)))]
        back = items[len(done) :]
        self.out = [item for item in self.out if item.key != key]
        self.ended += done
        self.lanes.done(done)
        delay_s = data.draw(st.sampled_from([0.0, self.now_s + 5.0]))
        self.lanes.give_back(back, delay_s)

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds):
        self.now_s += seconds
        self.lanes.wake(self.now_s)

    @rule(key=st.sampled_from("abcd"))
    def abandon(self, key):
        self.ended += self.lanes.abandon(lambda item: item.key == key)

    @invariant()
    def none_is_lost_or_doubled(self):
        assert len(self.lanes) == len(self.added) - len(self.ended)
        assert all(item.lane.taken for item in self.out)

    def teardown(self):
        self.lanes.done(self.out)
        self.lanes.wake(1e9)
        rest: list[Item] = []
        while ready := self.lanes.ready():
            for kind, _ in ready:
                taken = self.lanes.take(kind, 100, 10_000)
                self.lanes.done(taken)
                rest += taken
        assert len(self.lanes) == 0, "a lane with items was in no queue: it would stall for ever"
        assert len(rest) + len(self.out) + len(self.ended) == len(self.added)


TestLanesMachine = LanesMachine.TestCase
