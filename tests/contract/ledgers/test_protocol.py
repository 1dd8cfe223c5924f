"""The delivery protocol's sentences that are the ledger's, each with the trace that fails without it."""

from consumer.ledger.ledger import (
    Buried,
    Duplicate,
    Fenced,
    Held,
    KeyState,
    Wait,
    Windowed,
)
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import AGE_S, LEASE_S, TOPIC, World, open_of, origin


class TestStart:
    async def test_the_first_positions_stand_whatever_is_chosen_after_a_crash(self, world: World) -> None:
        first = await world.process()
        assert await first.ledger.starts(TOPIC, {0: 500, 1: 700}) == {0: 500, 1: 700}
        await world.crash(first)
        # `start: latest` again, but 40 records were produced in between: they must not be skipped.
        second = await world.process()
        assert await second.ledger.starts(TOPIC, {0: 540, 1: 740}) == {0: 500, 1: 700}

    async def test_a_partition_first_seen_while_the_group_runs_has_no_first_position(
        self, world: World
    ) -> None:
        process = await world.process()
        await process.ledger.starts(TOPIC, {0: 500})
        assert await process.ledger.starts(TOPIC, {}) == {0: 500}

    async def test_first_positions_are_a_topics_and_a_groups_own(self, world: World) -> None:
        process = await world.process()
        other_group = await world.process(group="other")
        await process.ledger.starts(TOPIC, {0: 500})
        assert await process.ledger.starts("other", {}) == {}
        assert await other_group.ledger.starts(TOPIC, {}) == {}


class TestPosition:
    async def test_it_only_rises_also_when_a_fenced_process_writes_an_old_one(self, world: World) -> None:
        old, new = await world.process(0), await world.process(0)
        place = TopicPartition(TOPIC, 0)
        await new.ledger.advance({place: 90})
        await old.ledger.advance({place: 60})
        answer = await new.ledger.assign([place])
        assert answer[place].position == 90

    async def test_a_first_start_has_none(self, world: World) -> None:
        process = await world.process()
        await process.ledger.starts(TOPIC, {0: 500})
        answer = await process.ledger.assign([TopicPartition(TOPIC, 0)])
        assert answer[TopicPartition(TOPIC, 0)].position is None

    async def test_it_survives_a_restart_and_is_a_groups_own(self, world: World) -> None:
        process = await world.process(0, 1)
        await process.ledger.advance({TopicPartition(TOPIC, 0): 90, TopicPartition(TOPIC, 1): 0})
        await world.crash(process)
        places = [TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)]
        answer = await (await world.process()).ledger.assign(places)
        assert [answer[place].position for place in places] == [90, 0]
        answer = await (await world.process(group="other")).ledger.assign(places)
        assert [answer[place].position for place in places] == [None, None]


class TestEpoch:
    async def test_a_fenced_process_that_does_not_know_can_send_nothing_of_its_queue(
        self, world: World
    ) -> None:
        old = await world.process(0)
        queue = [old.record(offset) for offset in range(10)]
        new = await world.process(0)
        assert (await old.reserve(*queue)).refused == {index: Fenced() for index in range(10)}
        assert (await new.reserve(*[new.record(offset) for offset in range(10)])).refused == {}

    async def test_a_resend_under_an_older_epoch_is_refused(self, world: World) -> None:
        old = await world.process(0)
        held = await old.take(old.record(1))
        new = await world.process(0)
        assert await old.ask(held.intent) == Fenced()
        await new.take(new.record(1))

    async def test_only_the_partition_that_moved_is_fenced(self, world: World) -> None:
        old = await world.process(0, 1)
        await world.process(1)
        answer = await old.reserve(old.record(1, partition=0), old.record(1, partition=1))
        assert answer.refused == {1: Fenced()}

    async def test_a_record_without_key_and_window_is_fenced_too(self, world: World) -> None:
        old = await world.process(0)
        bare = old.record(1, key=None)
        assert await old.ask(bare) is None
        await world.process(0)
        assert await old.ask(bare) == Fenced()

    async def test_each_assignment_has_an_epoch_above_all_before(self, world: World) -> None:
        epochs = [(await world.process(0)).epochs[0] for _ in range(5)]
        assert epochs == sorted(set(epochs))

    async def test_an_epoch_is_above_the_one_before_although_the_clock_was_set_back(
        self, world: World
    ) -> None:
        before = await world.process(0)
        world.clock.set_wall(world.clock.wall_s() - 3600)
        after = await world.process(0)
        assert after.epochs[0] > before.epochs[0]
        assert await before.ask(before.record(1)) == Fenced()

    async def test_another_groups_assignment_fences_nobody(self, world: World) -> None:
        live = await world.process(0)
        await world.process(0, group="replay")
        assert await live.ask(live.record(1)) is None

    async def test_an_acknowledgement_of_a_fenced_process_is_still_confirmed(self, world: World) -> None:
        old = await world.process(0)
        held = await old.take(old.record(1))
        new = await world.process(0)
        await old.ledger.confirm([held.intent])
        assert await new.ask(new.record(1)) == Duplicate(origin(1))


class TestTokens:
    async def test_after_a_flush_an_old_release_does_not_free_the_new_holder(self, world: World) -> None:
        first = await world.process(0, 1)
        old = await first.take(first.record(1, key="K"))
        await world.flush()
        second = await world.process(0, 1)
        await second.take(second.record(1, key="K"))
        await second.ledger.release([Held(second.record(1, key="K"), old.token)])
        assert await second.ask(second.record(1, key="K", partition=1)) == Wait(origin(1))

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
        assert await old.ask(old.record(5, key="K", partition=1)) == Wait(origin(1))

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
        assert await heir.ask(again) == Wait(origin(2, 1))
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
        assert await process.ask(process.record(2, key="K")) == Wait(origin(1))

    async def test_the_same_record_on_another_route_is_a_stranger(self, world: World) -> None:
        process = await world.process(0)
        await process.take(process.record(1, key="K", route="opens"))
        assert await process.ask(process.record(1, key="K", route="clicks")) == Wait(origin(1))

    async def test_without_a_key_the_record_and_its_route_name_the_window(self, world: World) -> None:
        dead = await world.process(0)
        await dead.take(dead.record(1, key=None, once=open_of("ann", 0)))
        heir = await world.process(0)
        assert await heir.ask(heir.record(2, key=None, once=open_of("ann", 0))) == Wait(origin(1))
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
        assert await heir.ask(heir.record(1, key="K")) == Wait(origin(7, 1))
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
        assert await stalled.ask(stalled.record(1, once=open_of("ann", 0))) == Wait(origin(2, 1))

    async def test_a_lapsed_reservation_lives_again_when_it_is_reserved_again(self, world: World) -> None:
        stalled = await world.process(0)
        await stalled.take(stalled.record(1, key="K"))
        world.lease_lapses()
        await stalled.take(stalled.record(1, key="K"))
        other = await world.process(1)
        assert await other.ask(other.record(2, key="K", partition=1)) == Wait(origin(1))

    async def test_nothing_is_taken_over_from_who_beats(self, world: World) -> None:
        alive = await world.process(0)
        await alive.take(alive.record(1, key="K"))
        for offset in range(10, 14):  # twice the lease, but less than the age
            world.clock.advance(LEASE_S / 2)
            await alive.take(alive.record(offset))
            other = await world.process(1)
            assert await other.ask(other.record(2, key="K", partition=1)) == Wait(origin(1))


class TestAge:
    async def test_a_reservation_expires_although_its_owner_lives(self, world: World) -> None:
        alive = await world.process(0)
        # Confirmed, but the store failed over to a copy that only has it reserved.
        await alive.take(alive.record(1, key="K"))
        other = await world.process(1)
        for offset in range(10, 16):
            assert await other.ask(other.record(2, key="K", partition=1)) == Wait(origin(1))
            world.clock.advance(AGE_S / 6)
            await alive.take(alive.record(offset))
        await other.take(other.record(2, key="K", partition=1))

    async def test_reserving_again_before_a_send_renews_it(self, world: World) -> None:
        alive = await world.process(0, 1)
        await alive.take(alive.record(1, key="K"))
        world.clock.advance(AGE_S - 1)
        await alive.take(alive.record(1, key="K"))
        world.clock.advance(2)
        assert await alive.ask(alive.record(2, key="K", partition=1)) == Wait(origin(1))


class TestEndOfAssignment:
    async def test_what_is_given_back_after_an_unclear_answer_lets_the_other_partitions_record_go(
        self, world: World
    ) -> None:
        leaving = await world.process(0)
        unclear = await leaving.take(leaving.record(1, key="K", once=open_of("ann", 0)))
        other = await world.process(1)
        waiting = other.record(2, key="K", once=open_of("ann", 0), partition=1)
        assert await other.ask(waiting) == Wait(origin(1))
        await leaving.ledger.release([unclear])
        await other.take(waiting)

    async def test_who_was_refused_gives_nothing_back_with_the_token_of_the_call(self, world: World) -> None:
        process = await world.process(0)
        holder, refused = process.record(1, key="K"), process.record(2, key="K")
        answer = await process.reserve(holder, refused)
        await process.ledger.release([Held(refused, answer.token)])
        await process.ledger.bury([Held(refused, answer.token)])
        assert await process.ask(process.record(3, key="K")) == Wait(origin(1))

    async def test_giving_back_twice_changes_nothing(self, world: World) -> None:
        process = await world.process(0)
        held = await process.take(process.record(1, key="K"))
        await process.ledger.release([held])
        await process.take(process.record(2, key="K"))
        await process.ledger.release([held])
        assert await process.ask(process.record(3, key="K")) == Wait(origin(2))


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
        assert await process.ask(process.record(3, key="B")) == Wait(origin(2))

    async def test_what_is_kept_after_an_unclear_answer_keeps_the_others_waiting(self, world: World) -> None:
        process = await world.process(0)
        await process.take(process.record(1, key="K", once=open_of("ann", 0)))
        assert await process.ask(process.record(2, key="K")) == Wait(origin(1))
        assert await process.ask(process.record(3, once=open_of("ann", 1))) == Wait(origin(1))


class TestArrays:
    async def test_members_are_reserved_one_by_one_and_those_that_wait_leave(self, world: World) -> None:
        other = await world.process(1)
        await other.take(other.record(9, key="B", partition=1))
        process = await world.process(0)
        answer = await process.reserve(*[process.record(n, key=key) for n, key in enumerate("ABC")])
        assert answer.refused == {1: Wait(origin(9, 1))}
        for key in "AC":
            assert await other.ask(other.record(10, key=key, partition=1)) == Wait(origin("ABC".index(key)))

    async def test_of_two_members_with_one_key_the_second_waits_for_the_first(self, world: World) -> None:
        process = await world.process(0)
        answer = await process.reserve(
            process.record(1, key="K"), process.record(2, key="K"), process.record(3)
        )
        assert answer.refused == {1: Wait(origin(1))}

    async def test_of_two_opens_in_one_window_the_second_waits_for_the_first(self, world: World) -> None:
        process = await world.process(0)
        answer = await process.reserve(
            process.record(1, once=open_of("ann", 0)),
            process.record(2, once=open_of("ann", 19)),
            process.record(3, once=open_of("ann", 20)),
            process.record(4, once=open_of("bob", 0)),
        )
        assert answer.refused == {1: Wait(origin(1))}

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
        assert await process.ask(waiting) == Wait(origin(3))
        await process.take(process.record(5, once=open_of("bob", 0)))
