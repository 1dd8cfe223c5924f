"""Offsets: recorded in the ledger before the commit, never past an unsettled record, and the alarm where the broker
stands where the ledger does not. (Protocol: `start`, `position`; design rules 1 and 9.)"""

import asyncio

import pytest

from consumer.errors import RefusedError
from tests.unit.pipeline.receiver import accept, by_hand
from tests.unit.pipeline.stage import P0, P1, TOPIC, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until


async def serving(stage: Stage) -> Process:
    one = await stage.process().start()
    await one.assign(P0)
    return one


# --- start ---


@in_virtual_time
async def test_where_an_assignment_begins_is_recorded_before_its_first_record_is_handed_on():
    """`start: latest`, a crash before the first commit: what was produced in between is never read. A loss."""
    stage = Stage()
    stage.committed[P0] = 40
    stage.store.positions["group", P0] = 40
    one = await stage.process().start()
    await one.coordinator.begin({P0: (1, 42), P1: (1, 7)})
    assert stage.store.positions == {("group", P0): 42, ("group", P1): 7}
    assert one.books.consumed == 0


@in_virtual_time
async def test_a_group_without_offsets_goes_on_where_the_ledger_stands():
    stage = Stage()
    first = await serving(stage)
    for number in range(5):
        stage.say(f"e-{number}", f"user-{number}")
    first.poll()
    await first.settled()
    first.refuse_commits = "COORDINATOR_NOT_AVAILABLE"
    await first.commit()
    await first.kill()
    second = await serving(stage)
    assert second.next[P0] == 5


@in_virtual_time
async def test_the_first_positions_of_a_topic_are_chosen_once_for_the_group():
    stage = Stage()
    one, other = await stage.process().start(), await stage.process().start()
    assert await one.coordinator.starts(TOPIC, {}) == {}
    assert await one.coordinator.starts(TOPIC, {0: 10, 1: 20}) == {0: 10, 1: 20}
    assert await other.coordinator.starts(TOPIC, {0: 99, 1: 99, 2: 99}) == {0: 10, 1: 20, 2: 99}


# --- position ---


@in_virtual_time
async def test_a_position_is_recorded_before_it_is_committed():
    stage = Stage()
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    stage.journal.clear()
    await one.commit()
    assert stage.journal == [("advance", {P0: 1}), ("commit", (0, 1))]


@in_virtual_time
async def test_while_the_ledger_cannot_record_nothing_is_committed_and_it_is_as_soon_as_it_can():
    stage = Stage()
    one = await serving(stage)
    one.ledger.failing.add("advance")
    stage.say("a")
    one.poll()
    await one.settled()
    await asyncio.sleep(30.0)
    assert stage.committed == {}
    one.ledger.failing.clear()
    await until(lambda: stage.committed == {P0: 1})


@in_virtual_time
async def test_a_process_that_is_late_does_not_set_the_position_back_and_raises_no_false_alarm():
    """`position`: a fenced process writes an old position, and at the next assignment the broker seems ahead."""
    stage = Stage()
    first = await serving(stage)
    stage.say("a")
    first.poll()
    await first.settled()
    advancing = first.ledger.hang("advance")
    committing = loop().create_task(first.commit())
    await quiet()
    first.lose(P0)
    second = await serving(stage)
    stage.say("b")
    second.poll()
    await second.settled()
    await second.commit()
    assert stage.committed == {P0: 2}
    advancing.set()
    await committing
    second.lose(P0)
    third = await serving(stage)
    assert third.coordinator.ledger_alarms == 0
    assert third.next[P0] == 2


@in_virtual_time
async def test_a_commit_that_failed_is_asked_for_again():
    stage = Stage()
    one = await serving(stage)
    one.refuse_commits = "REBALANCE_IN_PROGRESS"
    stage.say("a")
    one.poll()
    await one.settled()
    await one.commit()
    assert stage.committed == {}
    assert one.committer.failures == {"REBALANCE_IN_PROGRESS": 1}
    one.refuse_commits = ""
    await asyncio.sleep(2.0)
    assert stage.committed == {P0: 1}
    assert one.committer.done == 1
    asked = len(stage.names("advance"))
    await asyncio.sleep(10.0)
    assert len(stage.names("advance")) == asked, "what is committed is not asked for again"


@in_virtual_time
async def test_the_last_commit_of_an_assignment_counts_as_one():
    stage = Stage()
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    await one.revoke(P0)
    assert stage.committed == {P0: 1}
    assert one.committer.done == 1


# --- the alarm ---


@in_virtual_time
async def test_a_store_that_turns_out_to_have_forgotten_raises_the_alarm_and_stops_nothing():
    stage = Stage()
    one = await serving(stage)
    one.ledger.lose("it was flushed")
    assert one.coordinator.ledger_alarms == 1
    assert "it was flushed" in one.notes
    stage.say("a")
    one.poll()
    await one.settled()
    await one.commit()
    assert stage.committed == {P0: 1}


def test_a_first_start_is_no_alarm_and_a_broker_that_is_ahead_of_the_ledger_is():
    cases = ((None, None, False), (5, 5, False), (5, 9, False), (5, 3, True), (5, None, True))
    for committed, position, alarm in cases:

        @in_virtual_time
        async def scenario(
            committed: int | None = committed, position: int | None = position, alarm: bool = alarm
        ) -> None:
            stage = Stage()
            if position is not None:
                stage.store.positions["group", P0] = position
            shared = await stage.process(shared_ledger=True).start()
            await shared.coordinator.claim({P0: committed})
            assert shared.coordinator.ledger_alarms == int(alarm), (committed, position)
            own = await stage.process(shared_ledger=False).start()
            accepting = await stage.process(shared_ledger=False, accept_ledger=True).start()
            await accepting.coordinator.claim({P0: committed})
            if alarm:
                with pytest.raises(RefusedError, match="--accept-ledger"):
                    await own.coordinator.claim({P0: committed})
            else:
                await own.coordinator.claim({P0: committed})

        scenario()


# --- never past an unsettled record ---


@in_virtual_time
async def test_an_offset_is_committed_only_when_every_record_up_to_it_is_settled_everywhere():
    stage = Stage()
    stage.receiver.rule = lambda request: (
        None if request.ids == ("b",) and request.api == "client" else accept(request)
    )
    one = await stage.process(client={}).start()
    await one.assign(P0)
    for name in ("a", "b", "c"):
        stage.say(name, name, to=("distinct",) if name != "b" else ("distinct", "client"))
    one.poll()
    await until(lambda: stage.delivered["distinct"] == 3 and bool(stage.receiver.waiting))
    await one.commit()
    assert stage.committed == {P0: 1}
    stage.receiver.answer(accept)
    await one.settled()
    await one.commit()
    assert stage.committed == {P0: 3}


@in_virtual_time
async def test_gaps_and_an_end_of_partition_above_the_last_record_are_committed_over():
    """Control records of transactions: the goal of a run to the end lies behind them."""
    stage = Stage()
    one = await serving(stage)
    stage.receiver.rule = by_hand
    stage.say("a")
    one.poll()
    await quiet()
    one.coordinator.ends_of_partitions({P0: 3})
    await one.commit()
    assert stage.committed == {}
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await one.settled()
    await one.commit()
    assert stage.committed == {P0: 3}


@in_virtual_time
async def test_a_run_to_the_end_stops_when_all_is_committed_here_and_elsewhere():
    stage = Stage()
    one = await serving(stage)
    one.coordinator.goal({P0: 1, P1: 4})
    stage.say("a")
    one.poll()
    await one.settled()
    await one.commit()
    one.coordinator.look_around()
    assert one.poller.looked_elsewhere == [[P1]]
    one.coordinator.elsewhere({P1: 3})
    assert not one.poller.stopped
    one.coordinator.elsewhere({P1: 4})
    assert one.poller.stopped
