"""One accepted open in 20 minutes, in every ledger."""

import pytest

from consumer.ledger.ledger import Once, Windowed
from tests.contract.ledgers.cast import (
    MINUTE_MS,
    NOON_MS,
    WINDOW_MS,
    World,
    behind,
    digest,
    ever,
    open_of,
    origin,
)


async def test_exactly_twenty_minutes_after_an_accepted_open_the_next_is_accepted(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.take(process.record(2, once=open_of("ann", 20)))


@pytest.mark.parametrize("distance_ms", [WINDOW_MS - 1, 1 - WINDOW_MS, 0])
async def test_a_millisecond_less_than_twenty_minutes_before_or_after_it_is_discarded(
    world: World, distance_ms: int
) -> None:
    process = await world.process(0)
    first = open_of("ann", 0)
    near = Once(first.scope, first.at_ms + distance_ms, WINDOW_MS)
    reserved = await process.take(process.record(1, once=first))
    assert await process.ask(process.record(2, once=near)) == behind(origin(1))
    await process.ledger.confirm([reserved.intent])
    assert await process.ask(process.record(2, once=near)) == Windowed(origin(1))


async def test_exactly_twenty_minutes_before_an_accepted_open_a_late_one_is_accepted(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.take(process.record(2, once=open_of("ann", -20)))


@pytest.mark.parametrize("at_ms", [-1, 0, 10**12 - 1, 10**12, 10**13 - 1, 10**13], ids=str)
async def test_a_window_holds_whatever_time_an_event_says(world: World, at_ms: int) -> None:
    process = await world.process(0)
    first = Once(digest("opens of ann"), at_ms, WINDOW_MS)
    calls = [process.record(1, once=first), process.record(2, once=open_of("bob", 0))]
    assert (await process.reserve(*calls)).refused == {}
    await process.ledger.confirm(calls)

    for distance_ms in (-MINUTE_MS, 0, MINUTE_MS):
        near = Once(first.scope, at_ms + distance_ms, WINDOW_MS)
        assert await process.ask(process.record(3, once=near)) == Windowed(origin(1))
    for distance_ms in (-WINDOW_MS, WINDOW_MS):
        await process.take(process.record(4, once=Once(first.scope, at_ms + distance_ms, WINDOW_MS)))


async def test_a_discarded_open_does_not_extend_the_window(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    assert await process.ask(process.record(2, once=open_of("ann", 15))) == Windowed(origin(1))
    await process.take(process.record(3, once=open_of("ann", 25)))


async def test_out_of_order_opens_are_judged_by_all_that_were_accepted(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 40)))
    await process.deliver(process.record(2, once=open_of("ann", 0)))
    await process.deliver(process.record(3, once=open_of("ann", 20)))
    between = [process.record(4, once=open_of("ann", 10)), process.record(5, once=open_of("ann", 31))]
    refused = (await process.reserve(*between)).refused
    assert refused[1] == Windowed(origin(1))
    assert isinstance(refused[0], Windowed)


async def test_an_open_of_the_year_2099_does_not_move_the_window_of_the_others(world: World) -> None:
    process = await world.process(0)
    year_2099 = Once(open_of("ann", 0).scope, 4_070_908_800_000, WINDOW_MS)
    await process.deliver(process.record(1, once=year_2099))
    await process.deliver(process.record(2, once=open_of("ann", 0)))
    assert await process.ask(process.record(3, once=open_of("ann", 1))) == Windowed(origin(2))
    again_2099 = Once(year_2099.scope, year_2099.at_ms + 60_000, WINDOW_MS)
    assert await process.ask(process.record(4, once=again_2099)) == Windowed(origin(1))


@pytest.mark.parametrize("at_ms", [-(2**63), 2**63 - 1, 0, -1])
async def test_times_at_the_ends_of_what_a_record_can_hold_are_windowed_like_others(
    world: World, at_ms: int
) -> None:
    process = await world.process(0)
    once = Once(digest("ann"), at_ms, WINDOW_MS)
    await process.deliver(process.record(1, once=once))
    assert await process.ask(process.record(2, once=once)) == Windowed(origin(1))
    await process.take(process.record(3, once=open_of("ann", 0)))


async def test_a_rejected_first_open_frees_the_window(world: World) -> None:
    process = await world.process(0)
    refused = await process.take(process.record(1, once=open_of("ann", 0)))
    second = process.record(2, once=open_of("ann", 1))
    assert await process.ask(second) == behind(origin(1))
    await process.ledger.bury([refused])
    await process.deliver(second)


async def test_an_open_waits_for_a_reserved_one_and_is_discarded_once_that_is_accepted(world: World) -> None:
    process = await world.process(0)
    first = await process.take(process.record(1, once=open_of("ann", 0)))
    second = process.record(2, once=open_of("ann", 1))
    assert await process.ask(second) == behind(origin(1))
    await process.ledger.confirm([first.intent])
    assert await process.ask(second) == Windowed(origin(1))


async def test_a_waiting_open_that_is_near_an_accepted_one_too_is_discarded_at_once(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.take(process.record(2, once=open_of("ann", 30)))
    assert await process.ask(process.record(3, once=open_of("ann", 15))) == Windowed(origin(1))


async def test_an_open_near_an_accepted_one_is_discarded_even_while_its_key_is_anothers(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.take(process.record(2, key="K"))
    assert await process.ask(process.record(3, key="K", once=open_of("ann", 1))) == Windowed(origin(1))


async def test_of_a_living_and_an_expired_reservation_it_waits_for_the_living(world: World) -> None:
    dead = await world.process(0)
    await dead.take(dead.record(1, once=open_of("ann", 0)))
    world.lease_lapses()
    alive = await world.process(1)
    await alive.take(alive.record(2, once=open_of("ann", 25), partition=1))
    assert await alive.ask(alive.record(3, once=open_of("ann", 15), partition=1)) == behind(origin(2, 1))


async def test_the_open_that_owns_the_window_passes_it_when_it_comes_again(world: World) -> None:
    process = await world.process(0)
    owner = process.record(1, key=None, once=open_of("ann", 0))
    await process.deliver(owner)
    other = process.record(2, key=None, once=open_of("ann", 0))
    assert (await process.reserve(owner, other)).refused == {1: Windowed(origin(1))}


async def test_a_release_of_the_owner_come_again_does_not_free_the_window_it_was_accepted_in(
    world: World,
) -> None:
    process = await world.process(0)
    owner = process.record(1, key=None, once=open_of("ann", 0))
    await process.deliver(owner)
    await process.ledger.release([await process.take(owner)])
    assert await process.ask(process.record(2, once=open_of("ann", 1))) == Windowed(origin(1))


async def test_a_record_that_claims_nothing_any_more_ends_no_window_that_it_reserved_before(
    world: World,
) -> None:
    """Another topology may have come between the reservation and what is read again."""
    process = await world.process(0)
    await process.take(process.record(1, key=None, once=open_of("ann", 0)))
    await process.deliver(process.record(1, key=None))
    assert await process.ask(process.record(2, once=open_of("ann", 1))) == behind(origin(1))


async def test_users_have_windows_of_their_own(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.deliver(process.record(2, once=open_of("bob", 0)))


async def test_once_for_ever_is_for_ever_in_both_directions(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=ever("4711")))
    for offset, years in ((2, -50), (3, 50), (4, 0)):
        again = Once(ever("4711").scope, NOON_MS + years * 365 * 24 * 60 * MINUTE_MS, None)
        assert await process.ask(process.record(offset, once=again)) == Windowed(origin(1))
    await process.take(process.record(5, once=ever("4712")))


async def test_once_for_ever_waits_for_a_reserved_one(world: World) -> None:
    process = await world.process(0)
    first = await process.take(process.record(1, once=ever("4711")))
    assert await process.ask(process.record(2, once=ever("4711"))) == behind(origin(1))
    await process.ledger.release([first])
    await process.take(process.record(2, once=ever("4711")))


async def test_after_a_crash_between_reserve_and_confirm_another_open_waits_for_the_lease_only(
    world: World,
) -> None:
    dead = await world.process(0)
    await dead.take(dead.record(1, once=open_of("ann", 0)))
    await world.crash(dead)
    heir = await world.process(0)
    other = heir.record(2, once=open_of("ann", 1))
    assert await heir.ask(other) == behind(origin(1))
    world.lease_lapses()
    await heir.deliver(other)
    assert await heir.ask(heir.record(1, once=open_of("ann", 0))) == Windowed(origin(2))


async def test_of_those_in_one_call_that_share_a_window_or_a_key_the_first_is_granted_and_the_rest_wait(
    world: World,
) -> None:
    process = await world.process(0)
    ann, later = open_of("ann", 0), open_of("ann", 5)
    answer = await process.reserve(
        process.record(1, once=ann),
        process.record(2, once=later),
        process.record(3, key="twice"),
        process.record(4, key="twice"),
        process.record(5, once=open_of("ann", 30)),
    )
    assert answer.refused == {1: behind(origin(1)), 3: behind(origin(3))}
    assert await process.ask(process.record(6, once=later)) == behind(origin(1))
    assert await process.ask(process.record(7, key="twice")) == behind(origin(3))
