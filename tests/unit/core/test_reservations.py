"""The decision for one claim, and what must hold of any sequence of them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.claims import (
    Accepted,
    Buried,
    Duplicate,
    Holder,
    Once,
    Reserved,
    Wait,
    Windowed,
    slot_of,
)
from consumer.core.reservations import Grant, Known, decide
from consumer.types import Origin

ME = Holder(Origin("events", 0, 1), "opens")
OTHER = Holder(Origin("events", 1, 2), "opens")
ONCE = Once(b"ann", 0, 1_200_000)


def held(holder: Holder, *, lapsed: bool = False, at_ms: int | None = 0, slot: bytes = b"K") -> Reserved:
    return Reserved(slot, holder, lapsed, at_ms)


def test_a_free_key_and_window_are_granted():
    assert decide(ME, ONCE, Known()) == Grant()
    assert decide(ME, None, Known()) == Grant()


def test_what_has_arrived_is_a_duplicate_even_of_itself_and_of_a_letter():
    known = Known(confirmed=ME.origin, buried=True, reserved=held(OTHER))
    assert decide(ME, ONCE, known) == Duplicate(ME.origin)


def test_its_own_letter_settles_it_before_any_window_or_reservation():
    known = Known(buried=True, reserved=held(OTHER), accepted=[Accepted(0, OTHER)])
    assert decide(ME, ONCE, known) == Buried()


def test_an_accepted_neighbour_settles_it_although_the_key_is_anothers():
    known = Known(reserved=held(OTHER), accepted=[Accepted(0, OTHER)], rivals=[held(OTHER)])
    assert decide(ME, ONCE, known) == Windowed(OTHER.origin)


def test_a_living_strangers_key_is_waited_for():
    assert decide(ME, None, Known(reserved=held(OTHER))) == Wait(OTHER.origin)


def test_a_lapsed_strangers_reservation_is_taken_over():
    row = held(OTHER, lapsed=True)
    assert decide(ME, None, Known(reserved=row)) == Grant(ended=(row,))


def test_its_own_reservation_never_stands_in_its_way():
    for lapsed in (False, True):
        row = held(ME, lapsed=lapsed)
        assert decide(ME, ONCE, Known(reserved=row, rivals=[row])) == Grant(ended=(row,))


def test_its_own_reservation_gives_no_right_to_a_window():
    row, rival = held(ME), held(OTHER, slot=b"L")
    assert decide(ME, ONCE, Known(reserved=row, rivals=[row, rival])) == Wait(OTHER.origin)
    assert decide(ME, ONCE, Known(reserved=row, accepted=[Accepted(0, OTHER)])) == Windowed(OTHER.origin)


def test_its_own_reservation_of_another_slot_ends_with_the_grant():
    before = held(ME, slot=b"the key of yesterday's topology")
    assert decide(ME, ONCE, Known(rivals=[before])) == Grant(ended=(before,))


def test_its_own_reservation_far_from_the_window_stays():
    elsewhere = held(ME, slot=b"L", at_ms=5_000_000)
    assert decide(ME, ONCE, Known(rivals=[elsewhere])) == Grant()


def test_nothing_is_ended_twice():
    row = held(OTHER, lapsed=True)
    assert decide(ME, ONCE, Known(reserved=row, rivals=[row])) == Grant(ended=(row,))


def test_the_same_record_on_another_route_is_a_stranger():
    twin = held(Holder(ME.origin, "clicks"))
    assert decide(ME, None, Known(reserved=twin)) == Wait(ME.origin)


def test_without_a_key_only_the_record_on_its_route_shares_a_slot():
    places = [("a", 0, 1), ("a", 0, 2), ("a", 1, 1), ("b", 0, 1), ("a", 0, 11)]
    holders = [Holder(Origin(*place), route) for place, route in itertools.product(places, ("x", "y"))]
    assert len({slot_of(None, holder) for holder in holders}) == len(holders)
    assert slot_of(b"K", holders[0]) == slot_of(b"K", holders[1]) == b"K"


holders = st.sampled_from([ME, OTHER, Holder(ME.origin, "clicks")])
rows = st.builds(
    Reserved,
    slot=st.sampled_from([b"K", b"L", b"M"]),
    holder=holders,
    lapsed=st.booleans(),
    at_ms=st.none() | st.integers(-1_500_000, 1_500_000),
)
knowns = st.builds(
    Known,
    confirmed=st.none() | holders.map(lambda one: one.origin),
    buried=st.booleans(),
    reserved=st.none() | rows,
    accepted=st.lists(st.builds(Accepted, st.integers(-1_500_000, 1_500_000), holders), max_size=3),
    rivals=st.lists(rows, max_size=3),
)


@given(holders, st.none() | st.just(ONCE), knowns)
def test_a_grant_ends_all_that_stood_in_its_way_and_nothing_that_lives_of_others(
    me: Holder, once: Once | None, known: Known
):
    verdict = decide(me, once, known)
    if not isinstance(verdict, Grant):
        return
    assert known.confirmed is None
    assert not known.buried
    assert all(row.lapsed or row.holder == me for row in verdict.ended)
    assert known.reserved is None or known.reserved.slot in {row.slot for row in verdict.ended}


@given(holders, st.none() | st.just(ONCE), knowns)
def test_once_what_a_grant_ended_is_gone_it_is_granted_again(me: Holder, once: Once | None, known: Known):
    verdict = decide(me, once, known)
    if isinstance(verdict, Grant):
        gone = {row.slot for row in verdict.ended}
        left = Known(accepted=known.accepted, rivals=[row for row in known.rivals if row.slot not in gone])
        assert isinstance(decide(me, once, left), Grant)


@given(holders, st.none() | st.just(ONCE), knowns)
def test_a_wait_ends_when_all_reservations_lapse(me: Holder, once: Once | None, known: Known):
    def lapse(row: Reserved) -> Reserved:
        return Reserved(row.slot, row.holder, True, row.at_ms)

    later = Known(
        known.confirmed,
        known.buried,
        None if known.reserved is None else lapse(known.reserved),
        known.accepted,
        [lapse(row) for row in known.rivals],
    )
    if isinstance(decide(me, once, known), Wait):
        assert isinstance(decide(me, once, later), Grant)
    else:
        assert type(decide(me, once, later)) is type(decide(me, once, known))
