"""Back-pressure with hysteresis, and what of it one topic can take."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.pressure import Pressure, PressurePolicy

ALL = frozenset({"a", "b"})
A = frozenset({"a"})


def test_polling_pauses_at_the_bound_and_resumes_at_four_fifths_of_it():
    pressure = Pressure(PressurePolicy(max_pending=100, max_pending_bytes=10_000), ["a"])
    load = pressure.of("a")
    load.add(99, 10)
    assert not pressure.turned()
    load.add(1, 10)
    assert pressure.turned()
    assert pressure.resting == A
    load.add(-19, 0)
    assert not pressure.turned()
    load.add(-1, 0)
    assert pressure.turned()
    assert not pressure.resting


def test_bytes_count_as_records_do():
    pressure = Pressure(PressurePolicy(max_pending=100, max_pending_bytes=1000), ["a"])
    load = pressure.of("a")
    load.add(1, 1000)
    assert pressure.turned()
    load.add(0, -199)
    assert not pressure.turned()
    load.add(0, -1)
    assert pressure.turned()


def test_a_topic_that_is_stuck_rests_before_it_takes_the_part_of_another():
    pressure = Pressure(PressurePolicy(max_pending=100), ["a", "b"])
    stuck, other = pressure.of("a"), pressure.of("b")
    stuck.add(75, 0)  # its own quarter, and the common half
    assert pressure.turned()
    assert pressure.resting == A
    other.add(24, 0)
    assert not pressure.turned()
    other.add(1, 0)
    assert pressure.turned()
    assert pressure.resting == ALL, "the bound is reached"
    other.add(-4, 0)
    assert not pressure.turned()
    other.add(-1, 0)
    assert pressure.turned()
    assert pressure.resting == A, "the other one goes on, within its own part"


def test_a_topic_alone_on_the_move_may_use_what_is_common():
    pressure = Pressure(PressurePolicy(max_pending=100), ["a", "b"])
    pressure.of("b").add(74, 0)
    assert not pressure.turned()


def test_the_parts_are_in_bytes_too():
    pressure = Pressure(PressurePolicy(max_pending_bytes=1000), ["a", "b"])
    pressure.of("a").add(1, 750)
    assert pressure.turned()
    assert pressure.resting == A


@given(
    st.integers(1, 6),
    st.integers(1, 1000),
    st.lists(st.tuples(st.integers(0, 5), st.integers(-50, 50)), max_size=200),
)
def test_what_comes_while_nobody_rests_stays_within_the_bound_and_everybody_can_always_go_on(
    topics: int, most: int, steps: list[tuple[int, int]]
):
    names = [str(number) for number in range(topics)]
    pressure = Pressure(PressurePolicy(max_pending=most), names)
    for which, change in steps:
        name = names[which % topics]
        load = pressure.of(name)
        for _ in range(abs(change)):
            if change < 0:
                load.add(-1 if load.records else 0, 0)
            elif name not in pressure.resting:
                load.add(1, 0)
            pressure.turned()
        assert pressure.records < most + topics, "less than a record a topic over it"
        assert all(pressure.of(name).records for name in pressure.resting), "it would rest for ever"
