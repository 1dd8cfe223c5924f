"""The offset tracker: what may be committed, whatever the order in which records settle."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.offsets import OffsetTracker


def test_nothing_settled_commits_nothing_beyond_the_start():
    tracker = OffsetTracker(40)
    tracker.track(3)
    assert tracker.committable == 40


def test_a_record_settled_above_an_unsettled_one_does_not_move_the_commit():
    tracker = OffsetTracker(0)
    tracker.track(3)
    tracker.settle(1, 1)
    tracker.settle(2, 2)
    assert tracker.committable == 0
    tracker.settle(0, 0)
    assert tracker.committable == 3


def test_offsets_may_have_gaps():
    tracker = OffsetTracker(10)
    tracker.track(3)
    for number, offset in ((0, 10), (2, 90), (1, 55)):
        tracker.settle(number, offset)
    assert tracker.committable == 91


def test_many_settled_records_above_one_gap_cost_one_range():
    tracker = OffsetTracker(0)
    tracker.track(10_001)
    for number in range(1, 10_001):
        tracker.settle(number, number)
    assert tracker.ranges == 1
    assert tracker.unsettled == 1


def test_an_end_of_partition_moves_the_commit_over_control_records_only_when_all_is_settled():
    tracker = OffsetTracker(0)
    tracker.track(1)
    tracker.skip_to(7)
    assert tracker.committable == 0
    tracker.settle(0, 4)
    tracker.skip_to(7)
    assert tracker.committable == 7
    tracker.skip_to(3)
    assert tracker.committable == 7


def test_an_end_of_partition_that_came_while_records_were_unsettled_counts_once_they_are_settled():
    """The end is told once: a run to the end would wait for it for ever."""
    tracker = OffsetTracker(0)
    tracker.track(2)
    tracker.skip_to(9)
    tracker.settle(1, 4)
    assert tracker.committable == 0
    tracker.settle(0, 3)
    assert tracker.committable == 9


def test_a_partition_that_goes_on_after_its_end_never_moves_the_commit_back():
    tracker = OffsetTracker(0)
    tracker.skip_to(9)
    tracker.track(1)
    assert tracker.committable == 9
    tracker.settle(0, 12)
    assert tracker.committable == 13


def test_an_end_of_partition_that_was_passed_meanwhile_counts_no_more():
    tracker = OffsetTracker(0)
    tracker.track(1)
    tracker.skip_to(9)
    tracker.track(1)
    tracker.settle(0, 4)
    assert tracker.committable == 5
    tracker.settle(1, 30)
    assert tracker.committable == 31


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_commit_is_the_first_unsettled_offset_after_every_step(steps, random):
    offsets = [sum(steps[: index + 1]) for index in range(len(steps))]
    tracker = OffsetTracker(0)
    first = tracker.track(len(offsets))
    assert first == 0
    order = list(range(len(offsets)))
    random.shuffle(order)
    done: set[int] = set()
    for number in order:
        tracker.settle(number, offsets[number])
        done.add(number)
        prefix = 0
        while prefix in done:
            prefix += 1
        assert tracker.committable == (offsets[prefix - 1] + 1 if prefix else 0)
        assert tracker.unsettled == len(offsets) - len(done)


class TrackerMachine(RuleBasedStateMachine):
    """Chunks come while records settle in any order; a plain list is the model."""

    @initialize(start=st.integers(0, 1000))
    def begin(self, start):
        self.tracker = OffsetTracker(start)
        self.model: list[tuple[int, bool]] = []
        self.start = start
        self.next_offset = start
        self.seen = start

    @rule(gaps=st.lists(st.integers(0, 5), min_size=1, max_size=8))
    def poll(self, gaps):
        first = self.tracker.track(len(gaps))
        assert first == len(self.model)
        for gap in gaps:
            self.next_offset += gap
            self.model.append((self.next_offset, False))
            self.next_offset += 1

    @precondition(lambda self: any(not settled for _, settled in self.model))
    @rule(data=st.data())
    def settle(self, data):
        open_numbers = [number for number, (_, settled) in enumerate(self.model) if not settled]
        number = data.draw(st.sampled_from(open_numbers))
        offset = self.model[number][0]
        self.model[number] = (offset, True)
        self.tracker.settle(number, offset)

    @invariant()
    def never_past_an_unsettled_record_and_never_back(self):
        expected = self.start
        for offset, settled in self.model:
            if not settled:
                break
            expected = offset + 1
        assert self.tracker.committable == expected
        assert self.tracker.committable >= self.seen
        self.seen = self.tracker.committable
        assert self.tracker.ranges <= sum(not settled for _, settled in self.model)


TestTrackerMachine = TrackerMachine.TestCase
