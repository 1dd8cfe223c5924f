"""The acts of a chaos run: by seed alone, none overlapping another at the same place, all over in time."""

from itertools import combinations

import pytest

from tests.chaos.act import BROKER_KINDS, MEMBER_KINDS, Kind
from tests.chaos.disturbances import disturbance_of
from tests.chaos.schedule import CALM_S, schedule


def test_one_seed_gives_one_schedule_and_another_seed_another() -> None:
    assert schedule(7, 120.0) == schedule(7, 120.0)
    assert schedule(7, 120.0) != schedule(8, 120.0)


def test_a_longer_run_begins_in_the_same_way() -> None:
    short, long = schedule(7, 60.0), schedule(7, 600.0)

    over_in_time = [act for act in long if act.until_s <= 60.0 - CALM_S]
    assert short == over_in_time
    assert len(short) > 8


@pytest.mark.parametrize("seed", range(20))
def test_every_fault_comes_within_two_minutes(seed: int) -> None:
    assert {act.kind for act in schedule(seed, 120.0)} == set(Kind)


@pytest.mark.parametrize("seed", range(20))
def test_faults_of_one_place_never_overlap_and_all_are_over_at_the_end(seed: int) -> None:
    acts = schedule(seed, 300.0)

    assert all(CALM_S <= act.at_s <= act.until_s <= 300.0 - CALM_S for act in acts)
    for kinds in (MEMBER_KINDS, BROKER_KINDS):
        of_kinds = [act for act in acts if act.kind in kinds]
        assert of_kinds
        for one, other in combinations(of_kinds, 2):
            if kinds is BROKER_KINDS or one.target == other.target:
                assert one.until_s < other.at_s or other.until_s < one.at_s


def test_only_what_can_interrupt_a_request_explains_duplicates() -> None:
    acts = {act.kind: act for act in schedule(3, 600.0)}

    explaining = {kind for kind, act in acts.items() if disturbance_of(act, 1_000, 2_000) is not None}

    assert explaining == {Kind.KILL, Kind.COMA, Kind.LOSE, Kind.BROKER_CUT, Kind.BROKER_RESTART}
