"""The level that was refused: when it is tried again, and how far down one goes from one that was too high."""

import pytest

from consumer.core.ceiling import Ceiling

NOW_S = 1_000.0
PAUSE_S = 0.2


def refused_at(level: int) -> Ceiling:
    ceiling = Ceiling()
    ceiling.refused(level, NOW_S, PAUSE_S, in_vain=False)
    return ceiling


def refuse(ceiling: Ceiling, level: int) -> float:
    """In how many seconds it may be tried again."""
    ceiling.refused(level, NOW_S, PAUSE_S, in_vain=False)
    return ceiling.due_s(NOW_S)


def test_a_trial_that_ends_a_little_above_where_it_began_is_in_vain() -> None:
    ceiling = refused_at(33)
    found = []
    for level in (37, 40, 41):
        ceiling.tried()
        found.append(refuse(ceiling, level))
    assert found == [9.0, 18.0, 18.0]


def test_more_refusals_about_that_level_after_one_trial_change_nothing() -> None:
    ceiling = refused_at(33)
    ceiling.tried()
    assert [refuse(ceiling, level) for level in (37, 35, 33)] == [9.0, 9.0, 9.0]


@pytest.mark.parametrize("level", [60, 32, 12])
def test_a_refusal_at_quite_another_level_is_news_and_is_followed_up_soon(level: int) -> None:
    ceiling = refused_at(33)
    for _ in range(3):
        ceiling.tried()
        refuse(ceiling, 34)
    assert refuse(ceiling, level) == 4.5


def test_from_a_level_that_went_well_on_trial_alone_it_is_halfway_back_to_where_that_began() -> None:
    ceiling = refused_at(31)
    ceiling.tried()
    assert ceiling.halfway(35) == 32
    assert ceiling.halfway(31) == 30


def test_far_from_where_a_trial_began_or_below_it_there_is_no_way_back() -> None:
    assert refused_at(31).halfway(35) is None
    ceiling = refused_at(31)
    ceiling.tried()
    assert ceiling.halfway(60) is None
    assert ceiling.halfway(30) is None
