"""The adaptive limit, answer by answer: when it falls, where it stays, and when it tries again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.gate import Gate, GatePolicy
from consumer.core.limit import Limit
from consumer.core.retries import Backoff

LATENCY_S = 0.1


class Told:
    """A limit that is told of one round trip after another, each as full as it may be."""

    def __init__(self, most: int) -> None:
        self.limit = Limit(most)
        self.now_s = 1_000.0

    def round_trip(self, latency_s: float = LATENCY_S, full: bool = True) -> int:
        sent_s, self.now_s = self.now_s + 1e-6, self.now_s + latency_s
        for _ in range(self.limit.value):
            self.limit.answered(sent_s, self.now_s, full)
        return self.limit.value

    def round_trips(self, seconds: float, refused_from: int) -> int:
        """As many as go into that time; what is at `refused_from` and beyond is refused. Gives how many were."""
        until_s, refusals = self.now_s + seconds, 0
        while self.now_s < until_s:
            if self.limit.value >= refused_from:
                refusals += self.limit.value - refused_from + 1
                self.refuse()
            else:
                self.round_trip()
        return refusals

    def refuse(self, pause_s: float = 0.2) -> int:
        sent_s, self.now_s = self.now_s + 1e-6, self.now_s + 0.002
        self.limit.refused(sent_s, self.now_s, pause_s)
        self.now_s += pause_s
        return self.limit.value


def test_it_begins_at_the_bound_and_stays_there_while_the_receiver_keeps_up() -> None:
    told = Told(64)
    levels = [told.round_trip() for _ in range(600)]
    # A quarter fewer is tried now and then: over a minute that costs next to nothing.
    assert sum(levels) > 0.98 * 64 * 600


def test_a_refusal_halves_it_once_for_all_that_was_sent_together() -> None:
    told = Told(64)
    for _ in range(10):
        told.limit.refused(told.now_s, told.now_s + 0.01, 0.2)
    assert told.limit.value == 32


def test_one_refusal_at_a_level_that_went_well_is_waited_out_and_the_next_one_soon_after_costs_a_little() -> (
    None
):
    told = Told(64)
    for _ in range(30):
        told.round_trip()
    assert told.refuse() == 64
    assert told.refuse() == 54


def test_many_refusals_of_what_was_sent_together_halve_it_also_where_the_level_went_well() -> None:
    told = Told(64)
    for _ in range(30):
        told.round_trip()
    for _ in range(7):
        told.limit.refused(told.now_s, told.now_s + 0.01, 0.2)
    assert told.limit.value == 32


def test_it_climbs_to_just_below_what_was_refused_and_stays_there() -> None:
    told = Told(64)
    told.round_trips(10.0, refused_from=21)
    assert told.limit.value == 20
    assert told.round_trips(3.0, refused_from=21) <= 1


def test_what_was_refused_is_tried_again_ever_more_rarely_and_by_one() -> None:
    told = Told(64)
    told.round_trips(60.0, refused_from=21)
    assert 2 <= told.round_trips(60.0, refused_from=21) <= 5


def test_a_long_pause_is_asked_for_the_more_rarely() -> None:
    told = Told(8)
    told.refuse(pause_s=30.0)
    assert (
        max(told.round_trip() for _ in range(5_000)) == 7
    )  # Over eight minutes, of the nine that are to go by.
    assert max(told.round_trip() for _ in range(1_000)) == 8


def test_where_few_are_sent_a_second_what_was_refused_is_not_tried_again_too_soon() -> None:
    """Of two a second, a refusal every 18 s would be nearly three in a hundred."""
    told = Told(3)
    told.refuse()
    assert max(told.round_trip(1.0) for _ in range(90)) == 2
    assert max(told.round_trip(1.0) for _ in range(60)) == 3


def test_capacity_that_came_back_is_in_use_within_half_a_minute() -> None:
    told = Told(64)
    told.round_trips(60.0, refused_from=11)
    told.round_trips(30.0, refused_from=1_000)
    assert told.limit.value == 64


def test_fewer_are_kept_where_a_queue_only_grows() -> None:
    """Ten at a time get through, whatever is sent: what is above waits."""
    told = Told(64)
    for _ in range(200):
        told.round_trip(LATENCY_S * max(1.0, told.limit.value / 10))
    assert told.limit.value <= 14


def test_more_are_kept_as_soon_as_they_deliver_more() -> None:
    told = Told(64)
    for _ in range(200):
        told.round_trip(LATENCY_S * max(1.0, told.limit.value / 10))
    for _ in range(250):
        told.round_trip()
    assert told.limit.value == 64


def test_what_an_idle_topic_shows_changes_nothing() -> None:
    """Not even where fewer seem to deliver as much."""
    told = Told(64)
    for _ in range(200):
        assert told.round_trip(LATENCY_S * told.limit.value / 10, full=False) == 64


def test_one_unclear_answer_among_many_costs_nothing() -> None:
    told = Told(64)
    for number in range(40):
        if number % 8 == 0:
            told.limit.unclear(told.now_s, told.now_s)
        assert told.round_trip() in (64, 48)  # A quarter fewer may be on trial.
    assert told.limit.value == 64


def test_many_unclear_answers_halve_it_and_successes_bring_it_back() -> None:
    told = Told(64)
    for _ in range(20):
        told.limit.unclear(told.now_s, told.now_s + 0.01)
    assert told.limit.value == 32
    told.round_trip()
    assert told.limit.value == 64


def test_after_a_halt_it_begins_with_a_few_and_is_back_in_seconds() -> None:
    told = Told(64)
    told.limit.restart()
    assert told.limit.value == 4
    for _ in range(20):
        told.round_trip()
    assert told.limit.value == 64


def test_it_says_why_it_is_where_it_is() -> None:
    told = Told(64)
    assert told.limit.why(told.now_s) == "as many as the topology allows"
    told.refuse()
    assert told.limit.why(told.now_s) == "on its way back to 63, a step a round trip"
    told.round_trips(10.0, refused_from=21)
    assert told.limit.why(told.now_s).startswith("21 were refused; tried again in ")


def test_one_that_is_fixed_stays_whatever_comes() -> None:
    gate = Gate(GatePolicy(max_in_flight=8, adaptive=False, backoff=Backoff(base_s=1.0)), lambda: 0.5)
    for now_s in range(100):
        gate.throttled(float(now_s), 0.5)
        gate.unclear(float(now_s))
        gate.answered(gate.start())
        gate.end()
    assert gate.limit == 8
    assert gate.why_limit(100.0) == "fixed by the topology"


def test_one_that_is_fixed_from_now_on_forgets_what_it_learnt() -> None:
    gate = Gate(GatePolicy(max_in_flight=8), lambda: 0.5)
    gate.throttled(0.0, 0.0)
    assert gate.limit == 4
    gate.retune(GatePolicy(max_in_flight=8, adaptive=False))
    assert gate.limit == 8


def test_a_lower_bound_holds_at_once_also_in_the_middle_of_a_trial() -> None:
    told = Told(64)
    trying = (told.round_trip() for _ in range(600))
    assert next(level for level in trying if level < 64) == 48
    told.limit.retune(10)
    for _ in range(100):
        assert told.round_trip() <= 10


TOLD = st.lists(
    st.tuples(
        st.sampled_from(["answered", "idle", "refused", "unclear", "restart", "retune"]),
        st.floats(0.0, 100.0),
        st.floats(0.0, 20.0),
        st.integers(1, 200),
    ),
    max_size=200,
)


@settings(max_examples=150, deadline=None)
@given(most=st.integers(1, 200), told=TOLD)
def test_it_stays_between_one_and_the_bound_whatever_comes(most, told) -> None:
    limit, now_s = Limit(most), 1_000.0
    for what, later_s, latency_s, count in told:
        now_s += later_s
        sent_s = now_s - latency_s
        match what:
            case "answered" | "idle":
                for _ in range(count):
                    limit.answered(sent_s, now_s, what == "answered")
            case "refused":
                limit.refused(sent_s, now_s, latency_s)
            case "unclear":
                for _ in range(count):
                    limit.unclear(sent_s, now_s)
            case "restart":
                limit.restart()
            case "retune":
                most = count
                limit.retune(most)
        assert 1 <= limit.value <= most
        assert limit.why(now_s)


@settings(max_examples=50, deadline=None)
@given(told=TOLD)
def test_whatever_came_it_finds_its_way_back_to_a_receiver_that_keeps_up(told) -> None:
    one = Told(8)
    for what, later_s, latency_s, count in told[:40]:
        one.now_s += later_s
        match what:
            case "answered":
                one.round_trip(latency_s + 0.001)
            case "refused":
                one.refuse(min(1.0, latency_s))
            case "unclear":
                for _ in range(count % 20):
                    one.limit.unclear(one.now_s, one.now_s)
            case "restart":
                one.limit.restart()
    levels = [one.round_trip() for _ in range(3_000)]
    assert max(levels[-300:]) == 8
