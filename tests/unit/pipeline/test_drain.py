"""Revoke, stop and loss: what is awaited, what is given up, what is committed. (Protocol: `drain`, `lost`; design rules
5 and 8.)"""

import asyncio
from typing import Any

import pytest

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.verdicts import RetryPolicy
from consumer.types import Origin
from tests.unit.pipeline.receiver import (
    Rule,
    accept,
    broken,
    by_hand,
    lost,
    refuse,
    throttle,
    unauthorized,
    unknown_user,
)
from tests.unit.pipeline.stage import GARBAGE, P0, P1, TOPIC, Process, Stage, framed
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

TWO_AT_A_TIME = {"gate": GatePolicy(max_in_flight=2, backoff=Backoff(base_s=0.2, max_s=5.0))}


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(**(policies or {"distinct": TWO_AT_A_TIME})).start()
    await one.assign(P0)
    return one


def many(stage: Stage, count: int, first: int = 0, **more: object) -> None:
    for number in range(first, first + count):
        stage.say(f"e-{number}", f"user-{number}", **more)  # type: ignore[arg-type]


# --- drain ---


@in_virtual_time
async def test_what_is_queued_is_abandoned_at_once_and_only_the_wire_is_awaited():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 10)
    one.poll()
    await quiet()
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    assert one.books.abandoned == 8
    assert not draining.done()
    await asyncio.sleep(3.0)
    assert not draining.done()
    stage.receiver.answer(accept)
    stage.receiver.answer(accept)
    await draining
    assert len(stage.receiver.requests) == 2
    assert stage.committed[P0] == 2
    assert one.coordinator.count().in_flight == 0


@in_virtual_time
async def test_no_duplicate_follows_a_drain_that_finished_with_every_answer_clear():
    stage = Stage()
    one = await serving(stage)
    many(stage, 50, to=("distinct", "client"))
    one.poll()
    await until(lambda: stage.delivered["distinct"] >= 7)
    await one.stop()
    other = await serving(stage)
    other.poll()
    await other.settled()
    for api in ("distinct", "client"):
        assert stage.receiver.duplicates(api) == 0
        assert len(stage.receiver.accepted[api]) == 50
    stage.check_receiver()


@pytest.mark.parametrize(
    "rule", [broken, throttle(1), unauthorized, unknown_user], ids=lambda rule: rule.__name__
)
def test_nothing_is_retried_during_a_drain(rule):
    """What waits for a retry counts as queued: the drain ends with the answer, not with the deadline."""

    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        stage.receiver.rule = by_hand
        one = await serving(stage)
        many(stage, 1)
        one.poll()
        await quiet()
        draining = loop().create_task(one.revoke(P0))
        await quiet()
        stage.receiver.rule = accept
        began_s = loop().now_s
        stage.receiver.answer(rule)
        await draining
        assert loop().now_s - began_s < 0.1
        assert len(stage.receiver.requests) == 1
        assert one.books.abandoned == 1
        assert stage.committed == {}
        assert stage.store.reserved == {}
        assert stage.letters.letters == []

    scenario()


@in_virtual_time
async def test_what_waits_for_a_retry_when_the_drain_begins_is_given_up_at_once():
    stage = Stage()
    stage.receiver.rule = broken
    one = await serving(stage)
    many(stage, 1)
    one.poll()
    await until(lambda: one.books.destinations["distinct"].in_doubt == 1)
    began_s = loop().now_s
    await one.revoke(P0)
    assert loop().now_s - began_s < 0.1
    assert (one.books.abandoned, one.books.destinations["distinct"].in_doubt) == (1, 1)


@in_virtual_time
async def test_no_array_is_bisected_during_a_drain_and_none_of_it_is_dead_lettered():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 8, to=("client",))
    one.poll()
    await until(lambda: bool(stage.receiver.waiting))
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    stage.receiver.answer(refuse)
    await draining
    assert len(stage.receiver.requests) == 1
    assert stage.letters.letters == []
    assert one.books.abandoned == 8
    assert stage.store.reserved == {}


@in_virtual_time
async def test_a_single_definite_refusal_during_a_drain_is_still_dead_lettered_and_committed():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 1)
    one.poll()
    await quiet()
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    stage.receiver.answer(refuse)
    await draining
    assert stage.letters.origins() == [("0", "distinct")]
    assert stage.committed[P0] == 1


@in_virtual_time
async def test_a_record_found_guilty_of_unclear_answers_during_a_drain_is_the_next_owners():
    """That it has no clear answer is no definite refusal."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, distinct={"retry": RetryPolicy(unclear_votes=1)})
    many(stage, 1)
    one.poll()
    await quiet()
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    stage.receiver.answer(broken)
    await draining
    assert stage.letters.letters == []
    assert one.books.abandoned == 1


@in_virtual_time
async def test_the_deadline_ends_the_drain_and_what_comes_later_is_confirmed_but_moves_no_offset():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 2)
    one.poll()
    await quiet()
    began_s = loop().now_s
    draining = loop().create_task(one.revoke(P0, deadline_s=3.0))
    await quiet()
    stage.receiver.answer(accept)
    await draining
    assert loop().now_s - began_s == pytest.approx(3.0, abs=0.01)
    assert stage.committed[P0] == 1
    stage.receiver.answer(accept)
    await one.settled()
    assert stage.committed[P0] == 1
    assert stage.happened("confirm")[-1] == ("confirm", [Origin(TOPIC, 0, 1)])
    other = await serving(stage)
    other.poll()
    await other.settled()
    assert other.books.destinations["distinct"].suppressed == 1, "its late acknowledgement is known"
    assert stage.receiver.duplicates("distinct") == 0
    stage.check_receiver()


@in_virtual_time
async def test_what_is_acknowledged_and_unconfirmed_at_the_deadline_is_still_confirmed():
    """`drain`: the ledger is slow; without it the next owner sends again what is known to have arrived."""
    stage = Stage()
    one = await serving(stage)
    many(stage, 1)
    confirming = one.ledger.hang("confirm")
    one.poll()
    await until(lambda: len(stage.receiver.requests) == 1 and not stage.receiver.open)
    await one.revoke(P0, deadline_s=2.0)
    assert stage.committed == {}
    confirming.set()
    await one.settled()
    other = await serving(stage)
    other.poll()
    await other.settled()
    assert stage.receiver.duplicates("distinct") == 0


@in_virtual_time
async def test_a_late_acknowledgement_after_the_partition_came_back_never_moves_the_new_assignments_commit():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 1)
    one.poll()
    await quiet()
    await one.revoke(P0, deadline_s=1.0)
    await one.assign(P0)
    one.poll()
    await quiet()
    assert len(stage.receiver.requests) == 1, (
        "the record waits behind its own request, which is still on the wire"
    )
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await one.settled()
    assert len(stage.receiver.requests) == 1
    books = one.books.destinations["distinct"]
    assert (books.abandoned, books.in_doubt, books.suppressed) == (1, 1, 1)
    await one.commit()
    await quiet()
    assert stage.committed[P0] == 1


@in_virtual_time
async def test_a_record_that_two_processes_had_on_the_wire_is_delivered_once_in_their_books():
    """Its first owner's answer came too late. Both were accepted, so one is a duplicate, and delivered must not be
    above accepted − duplicates."""
    stage = Stage()
    stage.receiver.rule = by_hand
    first = await serving(stage)
    many(stage, 1)
    first.poll()
    await quiet()
    first.lose(P0)
    second = await serving(stage)
    second.poll()
    await quiet()
    stage.receiver.answer(accept)
    stage.receiver.answer(accept)
    await first.settled()
    await second.settled()
    assert stage.receiver.duplicates("distinct") == 1
    assert stage.delivered["distinct"] == 1
    stage.check_receiver()


@in_virtual_time
async def test_a_drain_of_one_partition_leaves_the_others_alone():
    stage = Stage()
    one = await serving(stage)
    await one.assign(P1)
    many(stage, 20, partition=P0)
    many(stage, 20, first=20, partition=P1)
    one.poll()
    await until(lambda: stage.delivered["distinct"] > 3)
    await one.revoke(P0)
    await one.settled()
    await one.commit()
    await quiet()
    assert stage.committed[P1] == 20
    delivered = set(stage.receiver.accepted["distinct"])
    assert {f"e-{number}" for number in range(20, 40)} <= delivered


@in_virtual_time
async def test_a_drain_while_a_chunk_waits_for_its_schema_gives_the_chunk_up():
    stage = Stage()
    one = await serving(stage)
    stage.registry.down = True
    for _ in range(5):
        stage.produce(framed(b"", schema_id=5))
    one.poll()
    await asyncio.sleep(3.0)
    assert "503" in str(one.intake.halted)
    began_s = loop().now_s
    await one.revoke(P0)
    assert loop().now_s - began_s < 0.1
    assert one.books.abandoned == 5
    assert one.intake.halted is None, "whoever waited for the registry is gone"


@in_virtual_time
async def test_a_ledger_that_cannot_record_the_position_at_the_end_commits_nothing():
    stage = Stage()
    one = await serving(stage)
    many(stage, 3)
    one.poll()
    await one.settled()
    one.ledger.failing.add("advance")
    await one.revoke(P0)
    assert stage.committed == {}
    assert any("no commit" in note for note in one.notes)


@in_virtual_time
async def test_a_ledger_that_hangs_at_the_end_bounds_the_drain():
    stage = Stage()
    one = await serving(stage)
    many(stage, 3)
    one.poll()
    await one.settled()
    one.ledger.hang("advance")
    began_s = loop().now_s
    await one.revoke(P0, deadline_s=4.0)
    assert loop().now_s - began_s <= 5.0
    assert stage.committed == {}


@in_virtual_time
async def test_a_drain_that_is_cut_off_from_outside_still_ends_its_assignments():
    """The owner thread stops waiting for it; the partition then comes back. The old assignment's records must be
    given up, and counted, all the same."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 3)
    one.poll()
    await quiet()
    draining = loop().create_task(one.coordinator.drain([P0], 60.0))
    await asyncio.sleep(1.0)
    draining.cancel()
    await quiet()
    assert one.coordinator.assignments == {}
    await one.assign(P0)
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    one.poll()
    await one.settled()
    assert one.coordinator.count().balanced
    await one.commit()
    await quiet()
    assert stage.committed[P0] == 3


@in_virtual_time
async def test_a_partition_that_comes_again_without_having_left_ends_its_old_assignment():
    stage = Stage()
    one = await serving(stage)
    stage.receiver.rule = unauthorized
    many(stage, 3)
    one.poll()
    await asyncio.sleep(1.0)
    await one.assign(P0)
    assert one.books.abandoned == 3
    stage.receiver.rule = accept
    one.poll()
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 3


# --- dead letters that cannot be written ---


@pytest.mark.parametrize("producer_s", [0.005, 30.0], ids=["waits for its turn", "is with the producer"])
def test_a_drain_gives_up_at_once_a_letter_that_is_known_to_be_unwritable(producer_s: float):
    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        stage.letters.writable = False
        stage.receiver.rule = refuse
        one = await serving(stage)
        many(stage, 1)
        stage.produce(GARBAGE)
        one.poll()
        await until(lambda: stage.letters.attempts == 2)
        stage.letters.took_s = producer_s
        await until(lambda: loop().now_s > 10.0)
        began_s = loop().now_s

        await one.revoke(P0, deadline_s=25.0)

        assert loop().now_s - began_s < 0.5
        assert one.coordinator.count().in_flight == 0
        assert one.books.abandoned == 2
        assert one.coordinator.unburied == "2 cannot be written to user-events.dead-letters: _MSG_TIMED_OUT"
        assert stage.committed == {}
        assert stage.store.reserved == {}, "the next owner need not wait for it"

    scenario()


@in_virtual_time
async def test_a_drain_awaits_a_letter_of_a_topic_that_is_not_known_to_be_unwritable():
    stage = Stage()
    stage.letters.took_s = 3.0
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 1)
    one.poll()
    await until(lambda: bool(one.graveyard.busy_with(set(one.coordinator.assignments.values()))))
    await one.revoke(P0, deadline_s=25.0)
    assert stage.letters.origins() == [("0", "distinct")]
    assert stage.committed[P0] == 1
    assert one.coordinator.unburied == ""


@in_virtual_time
async def test_a_topic_that_shows_to_be_unwritable_during_the_drain_ends_it_for_all_its_letters():
    stage = Stage()
    stage.letters.slow = {"distinct": 2.0, "client": 30.0}
    stage.letters.writable = False
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 1, to=("distinct", "client"))
    one.poll()
    await until(lambda: len(stage.receiver.requests) == 2)
    await quiet()
    began_s = loop().now_s
    await one.revoke(P0, deadline_s=25.0)
    assert loop().now_s - began_s < 3.0
    assert one.books.abandoned == 1


# --- lost ---


@in_virtual_time
async def test_what_is_lost_commits_nothing_and_its_queue_is_abandoned():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 10)
    one.poll()
    await quiet()
    stage.receiver.answer(accept)
    await until(lambda: stage.delivered["distinct"] == 1)
    one.lose(P0)
    await one.commit()
    await quiet()
    assert stage.committed == {}
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()
    assert len(stage.receiver.requests) <= 4
    assert stage.committed == {}
    assert one.books.abandoned == 10 - stage.delivered["distinct"]


@in_virtual_time
async def test_a_partition_lost_while_the_ledger_records_its_position_is_not_committed():
    """The race between the commit and the loss: it belongs to somebody else by the time the ledger is done."""
    stage = Stage()
    one = await serving(stage)
    many(stage, 3)
    one.poll()
    await one.settled()
    advancing = one.ledger.hang("advance")
    committing = loop().create_task(one.commit())
    await quiet()
    epoch = one.epochs[P0]
    one.coordinator.lost([P0])
    advancing.set()
    await committing
    assert stage.committed == {}, f"with epoch {epoch} the owner thread would have let it pass"


@in_virtual_time
async def test_records_that_come_after_the_end_of_their_assignment_are_not_taken():
    stage = Stage()
    one = await serving(stage)
    one.coordinator.lost([P0])
    many(stage, 3)
    one.poll()
    await quiet()
    assert one.books.consumed == 0
    assert stage.receiver.requests == []


@in_virtual_time
async def test_undecodable_and_unmapped_records_of_a_lost_partition_are_abandoned():
    stage = Stage()
    stage.letters.writable = False
    one = await serving(stage)
    stage.produce(GARBAGE)
    stage.say("a", how="unmapped")
    one.poll()
    await asyncio.sleep(5.0)
    one.lose(P0)
    await one.settled(within_s=1.0)
    assert one.books.abandoned == 2
    assert one.books.undecodable == 0


# --- what a process that ends leaves in its books ---


@pytest.mark.parametrize("rule", [by_hand, lost], ids=["no answer", "lost answer"])
def test_what_was_on_the_wire_when_the_process_ended_is_counted_in_doubt(rule: Rule):
    """The receiver may have taken it: accepted − duplicates must not be above delivered + in_doubt."""

    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        stage.receiver.rule = rule
        one = await serving(stage)
        many(stage, 2)
        one.poll()
        await quiet()
        await one.stop(deadline_s=0.1)
        assert one.books.destinations["distinct"].in_doubt == 2
        stage.check_receiver()

    scenario()


@in_virtual_time
async def test_what_was_acknowledged_and_not_confirmed_when_the_process_ended_is_counted_in_doubt():
    stage = Stage()
    one = await serving(stage)
    one.ledger.hang("confirm")
    many(stage, 2)
    one.poll()
    await until(lambda: len(stage.receiver.requests) == 2 and not stage.receiver.open)
    await one.stop(deadline_s=0.1)
    assert stage.delivered["distinct"] == 0
    stage.check_receiver()


@in_virtual_time
async def test_what_was_refused_and_waits_for_its_letter_when_the_process_ends_is_not_in_doubt():
    stage = Stage()
    stage.receiver.rule = refuse
    stage.letters.took_s = 60.0
    one = await serving(stage)
    many(stage, 1)
    one.poll()
    await until(lambda: len(stage.receiver.requests) == 1 and not stage.receiver.open)
    await one.stop(deadline_s=0.1)
    assert one.books.destinations["distinct"].in_doubt == 0
