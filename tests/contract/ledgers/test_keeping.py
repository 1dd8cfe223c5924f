"""How long keys and windows are kept, and that a calendar that jumps harms no lease."""

from functools import partial

import msgspec
import pytest

from consumer.ledger.ledger import Buried, Duplicate, KeyState, Windowed
from consumer.ledger.policy import LedgerPolicy
from tests.contract.ledgers.cast import LEASE_S, POLICY, World, behind, ever, open_of, origin, until

HOUR_S = 3600.0


async def test_a_key_is_kept_for_its_time_and_at_most_an_hour_more(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1))
    world.clock.advance(POLICY.key_keep_s)
    assert await process.ask(process.record(1)) == Duplicate(origin(1))
    world.clock.advance(HOUR_S)
    assert await process.ledger.states([process.record(1)]) == [(KeyState.FREE, None)]
    await process.deliver(process.record(1))
    assert await process.ask(process.record(1)) == Duplicate(origin(1))


async def test_a_window_outlives_the_key_and_its_owner_passes_it(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    world.clock.advance(POLICY.window_keep_s)
    assert await process.ask(process.record(2, once=open_of("ann", 1))) == Windowed(origin(1))
    assert await process.ask(process.record(1, once=open_of("ann", 0))) is None
    world.clock.advance(POLICY.window_keep_s)
    await process.take(process.record(2, once=open_of("ann", 1)))


async def test_an_id_accepted_once_for_ever_is_kept_longest(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1, once=ever("4711")))
    world.clock.advance(POLICY.once_keep_s)
    assert await process.ask(process.record(2, once=ever("4711"))) == Windowed(origin(1))
    world.clock.advance(HOUR_S)
    await process.take(process.record(2, once=ever("4711")))


async def test_windows_are_kept_by_when_they_were_written_not_by_the_time_of_the_event(world: World) -> None:
    process = await world.process(0)
    a_year_late = open_of("ann", -365 * 24 * 60)
    await process.deliver(process.record(1, once=a_year_late))
    assert await process.ask(process.record(2, once=a_year_late)) == Windowed(origin(1))


async def test_a_dead_letter_is_kept_as_long_as_a_key(world: World) -> None:
    process = await world.process(0)
    await process.ledger.bury([await process.take(process.record(1))])
    world.clock.advance(POLICY.key_keep_s)
    assert await process.ask(process.record(1)) == Buried()
    world.clock.advance(HOUR_S)
    await process.take(process.record(1))


async def test_confirming_again_keeps_the_window_from_then_on(world: World) -> None:
    process = await world.process(0)
    first = process.record(1, once=open_of("ann", 0))
    await process.deliver(first)
    world.clock.advance(POLICY.window_keep_s)
    await process.ledger.confirm([first])
    world.clock.advance(2 * HOUR_S)
    assert await process.ask(process.record(2, once=open_of("ann", 1))) == Windowed(origin(1))


async def test_a_calendar_moved_by_an_hour_lapses_no_lease_and_prolongs_none(world: World) -> None:
    holder, other = await world.process(0), await world.process(1)
    await holder.take(holder.record(1, key="K"))
    waiting = other.record(2, key="K", partition=1)
    for jump_s in (HOUR_S, -2 * HOUR_S):
        world.clock.set_wall(world.clock.wall_s() + jump_s)
        assert await other.ask(waiting) == behind(origin(1))
    world.clock.advance(LEASE_S)
    assert await other.ask(waiting) is None


async def test_a_lease_ends_to_the_second(world: World) -> None:
    holder, other = await world.process(0), await world.process(1)
    await holder.take(holder.record(1, key="K"))
    world.clock.advance(LEASE_S - 1)
    assert await other.ask(other.record(2, key="K", partition=1)) == behind(origin(1))
    world.clock.advance(1)
    assert await other.ask(other.record(2, key="K", partition=1)) is None


async def test_a_lease_is_kept_while_the_process_has_nothing_to_do(world: World) -> None:
    brisk = LedgerPolicy(reservation_age_s=60.0, lease_s=0.03)
    idle = await world.process(0, policy=brisk)
    held = await idle.take(idle.record(1))
    for _ in range(5):
        world.clock.advance(0.9 * brisk.lease_s)
        ends_ms = int((world.clock.monotonic_s() + brisk.lease_s) * 1000)
        await until(partial(_leases_reach, world, ends_ms - 1))
    assert await idle.ledger.states([held.intent]) == [(KeyState.RESERVED, origin(1))]


def _leases_reach(world: World, time_ms: int) -> bool:
    return max(world.leases_ms()) >= time_ms


async def test_what_a_lapsed_owner_held_counts_for_nothing_when_asked_for(world: World) -> None:
    holder, other = await world.process(0), await world.process(1)
    held = await holder.take(holder.record(1, key="K"))
    assert await other.ledger.states([held.intent]) == [(KeyState.RESERVED, origin(1))]
    world.lease_lapses()
    assert await other.ledger.states([held.intent]) == [(KeyState.FREE, None)]


async def test_states_tell_each_key_apart_and_change_nothing(world: World) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1))
    await process.ledger.bury([await process.take(process.record(2))])
    await process.take(process.record(3))
    intents = [process.record(n) for n in (1, 2, 3, 4)] + [process.record(5, key=None)]
    known = [
        (KeyState.CONFIRMED, origin(1)),
        (KeyState.DEAD_LETTERED, origin(2)),
        (KeyState.RESERVED, origin(3)),
        (KeyState.FREE, None),
        (KeyState.FREE, None),
    ]
    assert list(await process.ledger.states(intents)) == known
    assert list(await process.ledger.states(intents)) == known


@pytest.mark.parametrize("offset", [2**43 - 1, 2**43, 2**62])
async def test_an_offset_of_any_size_is_kept_as_it_is(world: World, offset: int) -> None:
    process = await world.process(0)
    record = process.record(offset, key="K", once=open_of("ann", 0))
    await process.deliver(record)
    assert await process.ask(process.record(1, key="K", partition=1)) == Duplicate(origin(offset))
    assert await process.ask(process.record(2, once=open_of("ann", 1))) == Windowed(origin(offset))


async def test_what_is_settled_names_the_topology_that_mapped_it(world: World) -> None:
    process = await world.process(0)
    old, new, letter = (
        msgspec.structs.replace(process.record(offset), topology=version)
        for offset, version in ((1, "before"), (2, "after"), (3, "after"))
    )
    for one in (old, new):
        await process.take(one)
    await process.ledger.confirm([old, new])
    await process.ledger.bury([await process.take(letter)])
    unknown, keyless = process.record(4), process.record(5, key=None)

    known = await process.ledger.mapped_by([old, new, letter, unknown, keyless])

    assert list(known) == ["before", "after", "after", None, None]
    await process.ledger.confirm([msgspec.structs.replace(old, topology="later")])
    assert list(await process.ledger.mapped_by([old])) == ["before"], (
        "what is confirmed stays as it was first confirmed"
    )
