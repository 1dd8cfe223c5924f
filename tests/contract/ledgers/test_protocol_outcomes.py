"""The protocol's sentences on what becomes of a send: confirm, dead letter, unclear, arrays.

Each test's script is the trace that fails without its sentence.
"""

from consumer.ledger.ledger import (
    Buried,
    Duplicate,
    Held,
    KeyState,
    Windowed,
)
from tests.contract.ledgers.cast import World, behind, open_of, origin


class TestConfirm:
    async def test_a_release_of_the_holder_does_not_undo_the_acknowledgement_of_the_one_before(
        self, world: World
    ) -> None:
        slow = await world.process(0)
        first = await slow.take(slow.record(1, key="K", once=open_of("ann", 0)))
        world.lease_lapses()
        heir = await world.process(0, 1)
        second = await heir.take(heir.record(2, key="K", once=open_of("ann", 0), partition=1))
        await slow.ledger.confirm([first.intent])
        await heir.ledger.release([second])
        assert await heir.ask(heir.record(3, key="K")) == Duplicate(origin(1))
        assert await heir.ask(heir.record(4, once=open_of("ann", 5))) == Windowed(origin(1))

    async def test_the_holders_token_is_void_for_a_burial_too(self, world: World) -> None:
        slow = await world.process(0)
        first = await slow.take(slow.record(1, key="K"))
        world.lease_lapses()
        heir = await world.process(0, 1)
        second = await heir.take(heir.record(2, key="K", partition=1))
        await slow.ledger.confirm([first.intent])
        await heir.ledger.bury([second])
        assert await heir.ask(second.intent) == Duplicate(origin(1))

    async def test_it_needs_no_reservation(self, world: World) -> None:
        slow = await world.process(0)
        await slow.ledger.confirm([slow.record(1, key="K", once=open_of("ann", 0))])
        assert await slow.ask(slow.record(2, key="K")) == Duplicate(origin(1))
        assert await slow.ask(slow.record(3, once=open_of("ann", 1))) == Windowed(origin(1))

    async def test_it_may_be_repeated_also_by_another_record_and_the_first_stays_named(
        self, world: World
    ) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1, key="K"))
        await process.ledger.confirm([process.record(1, key="K")])
        await process.ledger.confirm([process.record(2, key="K")])
        assert await process.ledger.states([process.record(3, key="K")]) == [(KeyState.CONFIRMED, origin(1))]

    async def test_it_outlives_the_process(self, world: World) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        await world.crash(process)
        heir = await world.process(0)
        assert await heir.ask(heir.record(1, once=open_of("ann", 0))) == Duplicate(origin(1))

    async def test_it_is_seen_by_every_group_for_keys_are_an_accounts(self, world: World) -> None:
        live = await world.process(0)
        await live.deliver(live.record(1, key="K"))
        replay = await world.process(0, group="replay")
        assert await replay.ask(replay.record(1, key="K")) == Duplicate(origin(1))


class TestDeadLetter:
    async def test_what_was_dead_lettered_is_not_sent_again_after_its_follower(self, world: World) -> None:
        process = await world.process(0)
        refused = await process.take(process.record(1))
        await process.ledger.bury([refused])
        await process.deliver(process.record(2))
        # A revoke before the commit: both come again.
        heir = await world.process(0)
        answer = await heir.reserve(heir.record(1), heir.record(2))
        assert answer.refused == {0: Buried(), 1: Duplicate(origin(2))}

    async def test_another_record_with_that_key_may_go_and_the_letter_stays_its_own(
        self, world: World
    ) -> None:
        process = await world.process(0)
        await process.ledger.bury([await process.take(process.record(1, key="K"))])
        other = await process.take(process.record(2, key="K"))
        assert await process.ask(process.record(1, key="K")) == Buried()
        await process.ledger.release([other])
        assert await process.ask(process.record(1, key="K")) == Buried()
        again = await process.take(process.record(2, key="K"))
        await process.ledger.bury([again])
        answer = await process.reserve(process.record(1, key="K"), process.record(2, key="K"))
        assert answer.refused == {0: Buried(), 1: Buried()}

    async def test_it_frees_the_window(self, world: World) -> None:
        process = await world.process(0)
        await process.ledger.bury([await process.take(process.record(1, once=open_of("ann", 0)))])
        await process.take(process.record(2, once=open_of("ann", 1)))

    async def test_without_a_key_the_records_window_was_what_it_held(self, world: World) -> None:
        process = await world.process(0)
        bare = process.record(1, key=None, once=open_of("ann", 0))
        await process.ledger.bury([await process.take(bare)])
        assert await process.ask(bare) == Buried()
        await process.take(process.record(2, key=None, once=open_of("ann", 0)))

    async def test_a_burial_by_who_no_longer_holds_leaves_no_row(self, world: World) -> None:
        slow = await world.process(0)
        refused = await slow.take(slow.record(1))
        heir = await world.process(0)
        again = await heir.take(heir.record(1))
        await slow.ledger.bury([refused])
        await heir.ledger.release([again])
        await heir.take(heir.record(1))

    async def test_a_record_confirmed_meanwhile_is_known_before_its_letter_is_written(
        self, world: World
    ) -> None:
        process = await world.process(0)
        held = await process.take(process.record(1, key="K"))
        assert await process.ledger.states([held.intent]) == [(KeyState.RESERVED, origin(1))]
        await process.ledger.confirm([process.record(2, key="K")])
        assert await process.ledger.states([held.intent]) == [(KeyState.CONFIRMED, origin(2))]

    async def test_burying_twice_is_burying_once(self, world: World) -> None:
        process = await world.process(0)
        held = await process.take(process.record(1))
        await process.ledger.bury([held])
        await process.ledger.bury([held])
        assert await process.ledger.states([held.intent]) == [(KeyState.DEAD_LETTERED, origin(1))]

    async def test_a_redrive_passes_its_letter_and_needs_no_assignment(self, world: World) -> None:
        process = await world.process(0)
        await process.ledger.bury([await process.take(process.record(1, key="K"))])
        operator = await world.process()
        letter = operator.record(1, key="K")
        redrive = type(letter)(letter.key, letter.topic, 0, 1, epoch=0, route=letter.route, redrive=True)
        await operator.deliver(redrive)
        assert await process.ask(process.record(1, key="K")) == Duplicate(origin(1))


class TestUnclear:
    async def test_one_lost_answer_makes_no_two_duplicates(self, world: World) -> None:
        process = await world.process(0, 1)
        a, b = process.record(1, key="A"), process.record(2, key="B")
        first = await process.reserve(a, b)
        # The answer is lost; meanwhile another record with A's key turns out to have arrived.
        await process.ledger.confirm([process.record(9, key="A", partition=1)])
        second = await process.reserve(a, b)
        assert second.refused == {0: Duplicate(origin(9, 1))}
        await process.ledger.release([Held(b, first.token)])
        assert await process.ask(process.record(3, key="B")) == behind(origin(2))

    async def test_what_is_kept_after_an_unclear_answer_keeps_the_others_waiting(self, world: World) -> None:
        process = await world.process(0)
        await process.take(process.record(1, key="K", once=open_of("ann", 0)))
        assert await process.ask(process.record(2, key="K")) == behind(origin(1))
        assert await process.ask(process.record(3, once=open_of("ann", 1))) == behind(origin(1))


class TestArrays:
    async def test_members_are_reserved_one_by_one_and_those_that_wait_leave(self, world: World) -> None:
        other = await world.process(1)
        await other.take(other.record(9, key="B", partition=1))
        process = await world.process(0)
        answer = await process.reserve(*[process.record(n, key=key) for n, key in enumerate("ABC")])
        assert answer.refused == {1: behind(origin(9, 1))}
        for key in "AC":
            assert await other.ask(other.record(10, key=key, partition=1)) == behind(origin("ABC".index(key)))

    async def test_of_two_members_with_one_key_the_second_waits_for_the_first(self, world: World) -> None:
        process = await world.process(0)
        answer = await process.reserve(
            process.record(1, key="K"), process.record(2, key="K"), process.record(3)
        )
        assert answer.refused == {1: behind(origin(1))}

    async def test_of_two_opens_in_one_window_the_second_waits_for_the_first(self, world: World) -> None:
        process = await world.process(0)
        answer = await process.reserve(
            process.record(1, once=open_of("ann", 0)),
            process.record(2, once=open_of("ann", 19)),
            process.record(3, once=open_of("ann", 20)),
            process.record(4, once=open_of("bob", 0)),
        )
        assert answer.refused == {1: behind(origin(1))}

    async def test_after_a_refusal_all_is_given_back_and_each_half_reserves_anew(self, world: World) -> None:
        process = await world.process(0)
        members = [process.record(offset) for offset in range(4)]
        whole = await process.reserve(*members)
        await process.ledger.release([Held(member, whole.token) for member in members])
        for half in (members[:2], members[2:]):
            assert (await process.reserve(*half)).refused == {}

    async def test_an_empty_call_is_answered(self, world: World) -> None:
        process = await world.process(0)
        assert (await process.reserve()).refused == {}
        assert list(await process.ledger.states([])) == []
        await process.ledger.confirm([])
        await process.ledger.release([])
        await process.ledger.bury([])
        await process.ledger.advance({})


class TestTogether:
    async def test_key_and_window_are_reserved_together_or_not_at_all(self, world: World) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        windowed = process.record(2, key="K", once=open_of("ann", 1))
        assert await process.ask(windowed) == Windowed(origin(1))
        await process.take(process.record(3, key="K"))
        waiting = process.record(4, key="K", once=open_of("bob", 0))
        assert await process.ask(waiting) == behind(origin(3))
        await process.take(process.record(5, once=open_of("bob", 0)))
