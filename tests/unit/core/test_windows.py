"""The window's rule: which records of a scope may be accepted, whatever the order in which they come."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.claims import Accepted, Holder, Once, Reserved, Wait, Windowed
from consumer.core.windows import judge, near, span
from consumer.types import Origin

LENGTH_MS = 20 * 60_000

times_ms = st.integers(0, 4 * LENGTH_MS) | st.integers(-(2**63), 2**63 - 1)
lengths_ms = st.none() | st.integers(1, 2 * LENGTH_MS)


def holder(offset: int) -> Holder:
    return Holder(Origin("events", 0, offset), "opens")


def claim(at_ms: int, length_ms: int | None = LENGTH_MS) -> Once:
    return Once(b"ann", at_ms, length_ms)


def reserved(offset: int, at_ms: int, *, lapsed: bool = False) -> Reserved:
    return Reserved(b"slot %d" % offset, holder(offset), lapsed, at_ms)


def test_the_window_is_half_open_on_both_sides():
    assert near(claim(0), LENGTH_MS - 1)
    assert near(claim(0), 1 - LENGTH_MS)
    assert not near(claim(0), LENGTH_MS)
    assert not near(claim(0), -LENGTH_MS)


def test_of_several_accepted_records_the_nearest_is_named():
    accepted = [Accepted(0, holder(1)), Accepted(30 * 60_000, holder(2))]
    assert judge(holder(9), claim(18 * 60_000), accepted, []) == Windowed(holder(2).origin)


@given(times_ms, times_ms, lengths_ms)
def test_near_is_mutual(one_ms: int, other_ms: int, length_ms: int | None):
    assert near(claim(one_ms, length_ms), other_ms) == near(claim(other_ms, length_ms), one_ms)


@given(times_ms, times_ms, lengths_ms)
def test_the_span_holds_exactly_what_is_near(one_ms: int, other_ms: int, length_ms: int | None):
    first_ms, last_ms = span(claim(one_ms, length_ms))
    assert (first_ms <= other_ms <= last_ms) == near(claim(one_ms, length_ms), other_ms)


@given(st.lists(times_ms), lengths_ms)
def test_of_records_that_come_one_by_one_no_two_accepted_are_near_and_each_discarded_is_near_one(
    times: list[int], length_ms: int | None
):
    accepted: list[Accepted] = []
    discarded: list[int] = []
    for offset, at_ms in enumerate(times):
        match judge(holder(offset), claim(at_ms, length_ms), accepted, []):
            case Windowed():
                discarded.append(at_ms)
            case free:
                assert free == []
                accepted.append(Accepted(at_ms, holder(offset)))
    for row in accepted:
        others = [other for other in accepted if other is not row]
        assert not any(near(claim(row.at_ms, length_ms), other.at_ms) for other in others)
    for at_ms in discarded:
        assert any(near(claim(at_ms, length_ms), row.at_ms) for row in accepted)


rows_at = st.lists(st.tuples(st.integers(0, 6), times_ms, st.booleans()), max_size=6)


@given(st.integers(0, 6), times_ms, rows_at, rows_at)
def test_accepted_settles_it_reserved_makes_it_wait_lapsed_and_its_own_are_ended(
    me: int, at_ms: int, accepted_at: list[tuple[int, int, bool]], reserved_at: list[tuple[int, int, bool]]
):
    once = claim(at_ms)
    accepted = [Accepted(time_ms, holder(offset)) for offset, time_ms, _ in accepted_at]
    rivals = [reserved(offset, time_ms, lapsed=lapsed) for offset, time_ms, lapsed in reserved_at]
    owners = {o for o, time_ms, _ in accepted_at if o != me and near(once, time_ms)}
    living = {o for o, time_ms, lapsed in reserved_at if o != me and near(once, time_ms) and not lapsed}
    ended = [row for row in rivals if near(once, row.at_ms or 0)]
    verdict = judge(holder(me), once, accepted, rivals)
    if owners:
        assert isinstance(verdict, Windowed)
        assert verdict.origin.offset in owners
    elif living:
        assert isinstance(verdict, Wait)
        assert verdict.holder.offset in living
    else:
        assert verdict == ended


@given(times_ms, rows_at, rows_at, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_verdict(at_ms, accepted_at, reserved_at, shuffle):
    accepted = [Accepted(time_ms, holder(offset)) for offset, time_ms, _ in accepted_at]
    rivals = [reserved(offset, time_ms, lapsed=lapsed) for offset, time_ms, lapsed in reserved_at]
    before = judge(holder(9), claim(at_ms), accepted, rivals)
    shuffle.shuffle(accepted)
    shuffle.shuffle(rivals)
    after = judge(holder(9), claim(at_ms), accepted, rivals)
    if isinstance(before, list):
        assert isinstance(after, list)
        assert sorted(before, key=repr) == sorted(after, key=repr)
    else:
        assert before == after
