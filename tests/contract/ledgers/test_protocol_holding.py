"""The protocol's sentences on who holds what: tokens, own again, take over, age.

Each test's script is the trace that fails without its sentence.
"""

from consumer.ledger.ledger import (
    Duplicate,
    Held,
    KeyState,
    Windowed,
)
from tests.contract.ledgers.cast import AGE_S, LEASE_S, World, behind, open_of, origin


class TestTokens:
    async def test_after_a_flush_an_old_release_does_not_free_the_new_holder(self, world: World) -> None:
        first = await world.process(0, 1)
        old = await first.take(first.record(1, key="K"))
        await world.flush()
        second = await world.process(0, 1)
        await second.take(second.record(1, key="K"))
        await second.ledger.release([Held(second.record(1, key="K"), old.token)])
        assert await second.ask(second.record(1, key="K", partition=1)) == behind(origin(1))

    async def test_who_waits_is_told_whether_it_is_still_the_same_reservation(self, world: World) -> None:
        """A window's and a key's: a holder that tries again reserves again, and is no holder that never lets go."""
        process, other = await world.process(0), await world.process(1)
        held = process.record(1, key="K", once=open_of("ann", 0))
        same_key = other.record(2, key="K", partition=1)
        same_window = other.record(3, once=open_of("ann", 1), partition=1)
        seen = []
        for _ in range(2):
            await process.take(held)
            seen += [await other.ask(one) for one in (same_key, same_window, same_key)]

        assert seen == [behind(origin(1))] * 6
        assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4] == seen[5]

    async def test_after_a_flush_the_epochs_go_on_rising(self, world: World) -> None:
        before = await world.process(0)
        await world.flush()
        world.clock.advance(0.002)
        after = await world.process(0)
        assert after.epochs[0] > before.epochs[0]

    async def test_two_reserves_never_have_the_same_token(self, world: World) -> None:
        process = await world.process(0)
        tokens = [(await process.reserve(process.record(offset))).token for offset in range(50)]
        assert len(set(tokens)) == 50


class TestOwnAgain:
    async def test_a_redelivered_record_takes_back_its_own_reservation_at_once(self, world: World) -> None:
        dead = await world.process(0)
        await dead.take(dead.record(1, once=open_of("ann", 0)))
        await world.crash(dead)
        heir = await world.process(0)
        await heir.take(heir.record(1, once=open_of("ann", 0)))

    async def test_the_token_of_before_is_void_then(self, world: World) -> None:
        old = await world.process(0, 1)
        before = await old.take(old.record(1, key="K"))
        new = await world.process(0)
        await new.take(new.record(1, key="K"))
        await old.ledger.release([before])
        assert await old.ask(old.record(5, key="K", partition=1)) == behind(origin(1))

    async def test_no_three_opens_are_accepted_in_one_window(self, world: World) -> None:
        stalled = await world.process(0)
        first = stalled.record(1, once=open_of("ann", 0))
        await stalled.take(first)
        world.lease_lapses()
        heir = await world.process(0, 1)
        second = heir.record(2, once=open_of("ann", 1), partition=1)
        await heir.take(second)
        # The first open comes again, while the second is on the wire: its own reservation gives it no right.
        again = heir.record(1, once=open_of("ann", 0))
        assert await heir.ask(again) == behind(origin(2, 1))
        await heir.ledger.confirm([second])
        assert await heir.ask(again) == Windowed(origin(2, 1))
        # The stalled request did arrive. That is the second one; a third must not follow.
        await stalled.ledger.confirm([first])
        assert await heir.ask(again) == Duplicate(origin(1))
        assert await heir.ask(heir.record(3, once=open_of("ann", 0.5))) == Windowed(origin(1))

    async def test_its_own_live_reservation_is_judged_anew_against_an_accepted_open(
        self, world: World
    ) -> None:
        process = await world.process(0, 1)
        mine = process.record(1, once=open_of("ann", 0))
        await process.take(mine)
        # Acknowledged late, by a process that held nothing any more.
        await process.ledger.confirm([process.record(9, once=open_of("ann", 3), partition=1)])
        assert await process.ask(mine) == Windowed(origin(9, 1))

    async def test_two_records_with_one_key_in_one_process_wait_for_each_other(self, world: World) -> None:
        process = await world.process(0)
        await process.take(process.record(1, key="K"))
        assert await process.ask(process.record(2, key="K")) == behind(origin(1))

    async def test_the_same_record_on_another_route_is_a_stranger(self, world: World) -> None:
        process = await world.process(0)
        await process.take(process.record(1, key="K", route="opens"))
        assert await process.ask(process.record(1, key="K", route="clicks")) == behind(origin(1))

    async def test_without_a_key_the_record_and_its_route_name_the_window(self, world: World) -> None:
        dead = await world.process(0)
        await dead.take(dead.record(1, key=None, once=open_of("ann", 0)))
        heir = await world.process(0)
        assert await heir.ask(heir.record(2, key=None, once=open_of("ann", 0))) == behind(origin(1))
        await heir.take(heir.record(1, key=None, once=open_of("ann", 0)))


class TestTakeOver:
    async def test_an_expired_key_is_taken_with_its_window(self, world: World) -> None:
        dead = await world.process(0)
        held = await dead.take(dead.record(1, key="K", once=open_of("ann", 0)))
        world.lease_lapses()
        heir = await world.process(0, 1)
        await heir.take(heir.record(7, key="K", once=open_of("bob", 0), partition=1))
        # What the old holder had is gone, key and window: its last words change nothing.
        await dead.ledger.bury([held])
        assert await heir.ask(heir.record(1, key="K")) == behind(origin(7, 1))
        await heir.take(heir.record(8, once=open_of("ann", 1)))

    async def test_an_expired_window_is_taken_with_its_key(self, world: World) -> None:
        dead = await world.process(0)
        held = await dead.take(dead.record(1, key="K", once=open_of("ann", 0)))
        world.lease_lapses()
        heir = await world.process(0)
        await heir.take(heir.record(2, once=open_of("ann", 1)))
        await dead.ledger.bury([held])
        assert await heir.ledger.states([held.intent]) == [(KeyState.FREE, None)]

    async def test_a_lapsed_reservation_stays_lapsed_although_its_owner_comes_back(
        self, world: World
    ) -> None:
        stalled = await world.process(0)
        await stalled.take(stalled.record(1, once=open_of("ann", 0)))
        world.lease_lapses()
        await stalled.take(stalled.record(5))  # it beats again
        other = await world.process(1)
        await other.take(other.record(2, once=open_of("ann", 1), partition=1))
        assert await stalled.ask(stalled.record(1, once=open_of("ann", 0))) == behind(origin(2, 1))

    async def test_a_lapsed_reservation_lives_again_when_it_is_reserved_again(self, world: World) -> None:
        stalled = await world.process(0)
        await stalled.take(stalled.record(1, key="K"))
        world.lease_lapses()
        await stalled.take(stalled.record(1, key="K"))
        other = await world.process(1)
        assert await other.ask(other.record(2, key="K", partition=1)) == behind(origin(1))

    async def test_nothing_is_taken_over_from_who_beats(self, world: World) -> None:
        alive = await world.process(0)
        await alive.take(alive.record(1, key="K"))
        for offset in range(10, 14):  # twice the lease, but less than the age
            world.clock.advance(LEASE_S / 2)
            await alive.take(alive.record(offset))
            other = await world.process(1)
            assert await other.ask(other.record(2, key="K", partition=1)) == behind(origin(1))


class TestAge:
    async def test_a_reservation_expires_although_its_owner_lives(self, world: World) -> None:
        alive = await world.process(0)
        # Confirmed, but the store failed over to a copy that only has it reserved.
        await alive.take(alive.record(1, key="K"))
        other = await world.process(1)
        for offset in range(10, 16):
            assert await other.ask(other.record(2, key="K", partition=1)) == behind(origin(1))
            world.clock.advance(AGE_S / 6)
            await alive.take(alive.record(offset))
        await other.take(other.record(2, key="K", partition=1))

    async def test_reserving_again_before_a_send_renews_it(self, world: World) -> None:
        alive = await world.process(0, 1)
        await alive.take(alive.record(1, key="K"))
        world.clock.advance(AGE_S - 1)
        await alive.take(alive.record(1, key="K"))
        world.clock.advance(2)
        assert await alive.ask(alive.record(2, key="K", partition=1)) == behind(origin(1))
