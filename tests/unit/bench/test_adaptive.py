"""The row of the adaptive limit: what a course asks of the receiver, and when a run is judged, by what."""

from collections.abc import Callable

import pytest
import yaml

from bench.long.adaptive import COURSES, HIGH, LOW, MOST, Best, Times, candidates, course_of, judged
from bench.long.course import SERVICE_S, Course, Leg, level
from bench.long.passage import fixed
from bench.long.settled import Sample, kept_after_s, settled
from bench.workload import SINGLES, write_topology
from consumer.errors import FaultError

TIMES = Times(before_s=6.0, settle_s=30.0, window_s=10.0, fixed_s=5.0)
BEST = {(refuses, capacity): Best(9, 100.0) for refuses in (True, False) for capacity in (LOW, HIGH)}
SECONDS = 120


def seen(
    per_s: Callable[[float], float], refused_per_s: Callable[[float], float] = lambda _: 0.0
) -> list[Sample]:
    """Looks ten times a second at a run with these rates."""
    samples, acknowledged, refused = [], 0.0, 0.0
    for tenth in range(SECONDS * 10):
        samples.append(Sample(tenth / 10, round(acknowledged), round(refused), 7))
        acknowledged += per_s(tenth / 10) / 10
        refused += refused_per_s(tenth / 10) / 10
    return samples


def missed(name: str, samples: list[Sample]) -> list[str]:
    _, targets = judged(course_of(name, TIMES), samples, BEST, TIMES)
    return [target.what for target in targets if not target.reached]


def test_a_ramp_goes_evenly_from_one_capacity_to_the_other() -> None:
    falling = Leg("falling", 10.0, 24, 4)
    assert [falling.capacity(since_s) for since_s in (0.0, 5.0, 10.0, 11.0)] == [24, 14, 4, 4]


@pytest.mark.parametrize("name", COURSES)
def test_a_course_has_more_records_than_its_receiver_can_serve(name: str) -> None:
    course = course_of(name, TIMES)
    at_most = sum(
        leg.capacity(tenth / 10) / SERVICE_S / 10
        for leg in course.legs
        for tenth in range(int(leg.seconds * 10))
    )
    assert course.records > at_most * 1.05


def test_each_course_takes_capacity_away_and_gives_it_back_and_only_overload_refuses() -> None:
    for name in COURSES:
        course = course_of(name, TIMES)
        assert [leg.begin for leg in course.legs if leg.begin == leg.end] == [HIGH, LOW, HIGH]
        assert course.refuses is (name == "overload")
    ramp = course_of("ramp", TIMES)
    assert [(leg.begin, leg.end) for leg in ramp.legs if leg.begin != leg.end] == [(HIGH, LOW), (LOW, HIGH)]


def test_what_is_judged_is_between_the_two_moments_alone() -> None:
    found = settled(seen(lambda at_s: 100.0 if 10 <= at_s < 20 else 3.0), 10.0, 20.0)
    assert found.per_second == pytest.approx(100.0, rel=0.01)
    assert (found.refused_share, found.limit) == (0.0, 7)


def test_the_share_of_refused_requests_is_of_all_requests() -> None:
    found = settled(seen(lambda _: 90.0, lambda _: 10.0), 10.0, 20.0)
    assert found.refused_share == pytest.approx(0.1, rel=0.02)


def test_where_nothing_was_delivered_there_is_nothing_to_judge() -> None:
    with pytest.raises(FaultError, match="nothing was delivered between 10 and 20 s"):
        settled(seen(lambda _: 0.0), 10.0, 20.0)
    with pytest.raises(FaultError, match="nothing was delivered"):
        settled([], 10.0, 20.0)


def test_a_rate_is_kept_from_when_it_was_reached_for_good() -> None:
    assert kept_after_s(seen(lambda _: 100.0), 10.0, 50.0, 90.0) == 0.0
    rising = seen(lambda at_s: 20.0 if at_s < 25 else 100.0)
    assert kept_after_s(rising, 10.0, 50.0, 90.0) == pytest.approx(15.0, abs=0.6)
    # Reached at 12 s, and lost again until 30 s.
    lost = seen(lambda at_s: 100.0 if 12 <= at_s < 17 or at_s >= 30 else 20.0)
    assert kept_after_s(lost, 10.0, 50.0, 90.0) == pytest.approx(20.0, abs=0.6)
    # A second in which the machine did something else is no loss.
    held_up = seen(lambda at_s: 20.0 if at_s < 25 or 40 <= at_s < 41 else 100.0)
    assert kept_after_s(held_up, 10.0, 50.0, 90.0) == pytest.approx(15.0, abs=0.6)


def test_a_rate_that_was_not_kept_to_the_end_was_never_kept() -> None:
    assert kept_after_s(seen(lambda at_s: 100.0 if at_s < 30 else 20.0), 10.0, 50.0, 90.0) is None
    assert kept_after_s(seen(lambda _: 80.0), 10.0, 50.0, 90.0) is None


@pytest.mark.parametrize("name", COURSES)
def test_a_run_that_keeps_up_with_the_best_fixed_limit_reaches_every_target(name: str) -> None:
    assert missed(name, seen(lambda _: 95.0)) == []


# Down at 6 s and judged from 36 to 46 s; up at 46 s and judged from 76 to 86 s. A ramp takes 8 s more, each time.
@pytest.mark.parametrize(
    ("name", "from_s", "to_s", "word"),
    [
        ("step", 36, 46, "step, down"),
        ("step", 76, 86, "step, up"),
        ("ramp", 44, 54, "ramp, down"),
        ("ramp", 92, 102, "ramp, up"),
        ("overload", 36, 46, "overload, down"),
    ],
)
def test_each_leg_is_judged_once_it_had_its_time_after_the_change(
    name: str, from_s: int, to_s: int, word: str
) -> None:
    slow_then = seen(lambda at_s: 80.0 if from_s <= at_s < to_s else 100.0)
    assert missed(name, slow_then) == [f"{word}: requests/s by those of the best fixed limit"]


def test_before_it_had_its_time_a_leg_may_be_slow_and_refused() -> None:
    assert missed("overload", seen(lambda at_s: 20.0 if 46 <= at_s < 75 else 100.0)) == []
    assert missed("overload", seen(lambda _: 100.0, lambda at_s: 50.0 if 6 <= at_s < 35 else 0.0)) == []


def test_more_than_one_in_a_hundred_refused_once_settled_is_a_target_missed() -> None:
    few = seen(lambda _: 100.0, lambda _: 0.5)
    assert missed("overload", few) == []
    many = seen(lambda _: 100.0, lambda at_s: 2.0 if at_s >= 76 else 0.0)
    assert missed("overload", many) == ["overload, up: share of refused requests"]


def test_numbers_say_what_the_limit_was_and_when_the_rate_was_kept() -> None:
    rising = seen(lambda at_s: 20.0 if 46 <= at_s < 56 else 100.0)
    cases, _ = judged(course_of("step", TIMES), rising, BEST, TIMES)
    up = cases["step, up"]
    assert (up["capacity"], up["best_fixed_limit"], up["adaptive_limit"]) == (HIGH, 9, 7)
    assert up["most_per_second"] == HIGH / SERVICE_S
    assert up["kept_after_s"] == pytest.approx(10.0, abs=0.6)
    never, _ = judged(course_of("step", TIMES), seen(lambda _: 50.0), BEST, TIMES)
    assert "kept_after_s" not in never["step, up"]


def test_the_fixed_limits_that_are_tried_are_about_the_capacity_where_more_is_refused() -> None:
    assert candidates(True, HIGH)[0] == HIGH
    assert candidates(True, HIGH)[1] > HIGH
    assert candidates(False, HIGH) == (MOST,)


def test_a_fixed_limit_is_the_same_topology_but_for_that(tmp_path) -> None:
    own = write_topology(SINGLES, "some-topic", tmp_path)
    for file in own.glob("*.yaml"):
        before, after = yaml.safe_load(file.read_text()), yaml.safe_load((fixed(own) / file.name).read_text())
        for one in before.get("destinations", {}).values():
            one["adaptive"] = False
        assert after == before


def test_a_course_of_levels_needs_what_they_serve() -> None:
    course = Course("x", refuses=False, legs=[level("a", 10.0, 10), level("b", 10.0, 20)])
    assert course.records > 30 * 10 / SERVICE_S
