"""The protocol's sentences on assignments: start, position, epoch, end of assignment.

Each test's script is the trace that fails without its sentence.
"""

from consumer.ledger.ledger import (
    Duplicate,
    Fenced,
    Held,
)
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import TOPIC, World, behind, open_of, origin


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


class TestEndOfAssignment:
    async def test_what_is_given_back_after_an_unclear_answer_lets_the_other_partitions_record_go(
        self, world: World
    ) -> None:
        leaving = await world.process(0)
        unclear = await leaving.take(leaving.record(1, key="K", once=open_of("ann", 0)))
        other = await world.process(1)
        waiting = other.record(2, key="K", once=open_of("ann", 0), partition=1)
        assert await other.ask(waiting) == behind(origin(1))
        await leaving.ledger.release([unclear])
        await other.take(waiting)

    async def test_who_was_refused_gives_nothing_back_with_the_token_of_the_call(self, world: World) -> None:
        process = await world.process(0)
        holder, refused = process.record(1, key="K"), process.record(2, key="K")
        answer = await process.reserve(holder, refused)
        await process.ledger.release([Held(refused, answer.token)])
        await process.ledger.bury([Held(refused, answer.token)])
        assert await process.ask(process.record(3, key="K")) == behind(origin(1))

    async def test_giving_back_twice_changes_nothing(self, world: World) -> None:
        process = await world.process(0)
        held = await process.take(process.record(1, key="K"))
        await process.ledger.release([held])
        await process.take(process.record(2, key="K"))
        await process.ledger.release([held])
        assert await process.ask(process.record(3, key="K")) == behind(origin(2))
