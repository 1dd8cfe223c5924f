"""The adaptive limit beside the best fixed one, against a receiver whose capacity changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.long.course import SERVICE_S, Course, Leg, level
from bench.long.outcome import Numbers, Outcome, Target
from bench.long.passage import pass_through
from bench.long.rounds import Ground
from bench.long.settled import Sample, kept_after_s, settled
from bench.workload import SINGLES

LOW, HIGH = 6, 24
"""Requests served at a time: 150 and 600 a second, a fraction of what the consumer sends on a busy machine."""
MOST = SINGLES.in_flight
COURSES = ("step", "ramp", "overload")
_SHARE = 0.9
_REFUSED = 0.01
_RAMP_S = 8.0
_WARM_S = 2.0
"""Before a fixed limit counts."""
_DOWN, _UP = "down", "up"
_CAPACITY = {_DOWN: LOW, _UP: HIGH}

Place = tuple[bool, int]
"""Whether the receiver refuses, and its capacity."""


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds."""

    before_s: float
    """Until the first change."""
    settle_s: float
    """From a change until it is judged."""
    window_s: float
    """For how long it is judged."""
    fixed_s: float
    """For how long a fixed limit is."""


@dataclass(frozen=True, slots=True)
class Best:
    """The fixed limit that delivered most."""

    limit: int
    per_second: float


def adaptive(names: Sequence[str], times: Times, ground: Ground) -> Outcome:
    """Blocks, by default for six minutes. Each course is one run of the consumer, and each fixed limit another."""
    courses = [course_of(name, times) for name in names]
    best = _best({course.refuses for course in courses}, times, ground)
    cases: dict[str, Numbers] = {}
    targets: list[Target] = []
    for course in courses:
        ground.tell(f"{course.name}: {sum(leg.seconds for leg in course.legs):.0f} s")
        samples = pass_through(course, MOST, True, ground)
        found, reached = judged(course, samples, best, times)
        cases |= found
        targets += reached
    return Outcome("adaptive", cases, targets)


def course_of(name: str, times: Times) -> Course:
    """Down and up again: at once with a queue, slowly with a queue, and at once with 429 for what is too much."""
    held_s = times.settle_s + times.window_s
    down, up = level(_DOWN, held_s, LOW), level(_UP, held_s, HIGH)
    slowly = name == "ramp"
    return Course(
        name,
        refuses=name == "overload",
        legs=[
            level("before", times.before_s, HIGH),
            *([Leg("falling", _RAMP_S, HIGH, LOW)] if slowly else []),
            down,
            *([Leg("rising", _RAMP_S, LOW, HIGH)] if slowly else []),
            up,
        ],
    )


def judged(
    course: Course, samples: Sequence[Sample], best: Mapping[Place, Best], times: Times
) -> tuple[dict[str, Numbers], list[Target]]:
    """Each leg after a change, from when it is to have settled. Raises FaultError where nothing was delivered."""
    cases: dict[str, Numbers] = {}
    targets: list[Target] = []
    for began_s, leg in _begins(course):
        if leg.name not in _CAPACITY:
            continue
        fixed, ends_s = best[course.refuses, leg.begin], began_s + leg.seconds
        seen = settled(samples, began_s + times.settle_s, ends_s)
        kept_s = kept_after_s(samples, began_s, ends_s, _SHARE * fixed.per_second)
        name, share = f"{course.name}, {leg.name}", seen.per_second / fixed.per_second
        cases[name] = {
            "capacity": leg.begin,
            "most_per_second": round(leg.begin / SERVICE_S),
            "best_fixed_limit": fixed.limit,
            "best_fixed_per_second": round(fixed.per_second, 1),
            "adaptive_limit": seen.limit,
            "adaptive_per_second": round(seen.per_second, 1),
            "share": round(share, 3),
            "refused_percent": round(seen.refused_share * 100, 2),
            **({} if kept_s is None else {"kept_after_s": round(kept_s, 1)}),
        }
        targets.append(Target(f"{name}: requests/s by those of the best fixed limit", share, _SHARE))
        if course.refuses:
            what = f"{name}: share of refused requests"
            targets.append(Target(what, seen.refused_share, _REFUSED, at_least=False))
    return cases, targets


def _begins(course: Course) -> Iterator[tuple[float, Leg]]:
    began_s = 0.0
    for leg in course.legs:
        yield began_s, leg
        began_s += leg.seconds


def _best(refusing: set[bool], times: Times, ground: Ground) -> dict[Place, Best]:
    """Of the fixed limits that can be the best, that which was: each runs once, through all that it is tried at."""
    tried: dict[int, list[Place]] = {}
    for place in [(refuses, capacity) for refuses in sorted(refusing) for capacity in (LOW, HIGH)]:
        for limit in candidates(*place):
            tried.setdefault(limit, []).append(place)
    best: dict[Place, Best] = {}
    for limit, places in tried.items():
        for refuses in sorted({refuses for refuses, _ in places}):
            here = [place for place in places if place[0] == refuses]
            for place, per_second in _fixed(limit, here, times, ground):
                if place not in best or best[place].per_second < per_second:
                    best[place] = Best(limit, per_second)
    return best


def candidates(refuses: bool, capacity: int) -> Sequence[int]:
    """Fixed limits of which one is the best, nearly. A request keeps its permit until the ledger has it, after the
    receiver is done with it: so a queue is served best by more than the capacity, and who refuses perhaps by a little
    more."""
    return (capacity, capacity + max(1, capacity // 12)) if refuses else (MOST,)


def _fixed(
    limit: int, places: Sequence[Place], times: Times, ground: Ground
) -> Iterator[tuple[Place, float]]:
    """Requests a second of one fixed limit at some capacities of one kind of receiver."""
    legs = [level(str(capacity), _WARM_S + times.fixed_s, capacity) for _, capacity in places]
    course = Course(f"always {limit}", places[0][0], legs)
    samples = pass_through(course, limit, False, ground)
    for place, (began_s, leg) in zip(places, _begins(course), strict=True):
        seen = settled(samples, began_s + _WARM_S, began_s + leg.seconds)
        kind = "429 above" if place[0] else "a queue above"
        ground.tell(
            f"{course.name}, {kind} {place[1]}: {seen.per_second:,.0f} requests/s of {place[1] / SERVICE_S:,.0f}, "
            f"{seen.refused_share:.1%} refused"
        )
        yield place, seen.per_second
