"""Dead letters, in the protocol's order: the ledger is asked, the letter acknowledged, the reservation released, and
then the delivery is settled. A topic that cannot be written pauses; it never skips."""

import asyncio
from typing import Any

import msgspec

from consumer.core.pressure import PressurePolicy
from consumer.kafka.letters import TooLarge, Unwritten
from consumer.types import Origin
from tests.unit.pipeline.edges import header
from tests.unit.pipeline.receiver import accept, broken, by_hand, refuse, refusing
from tests.unit.pipeline.stage import GARBAGE, P0, P1, TOPIC, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

FIRST = Origin(TOPIC, 0, 0)


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(P0)
    return one


@in_virtual_time
async def test_the_ledger_is_asked_the_letter_acknowledged_the_reservation_released_then_it_is_settled():
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    await one.commit()
    await quiet()
    steps = ("states", "letter", "bury", "dead_lettered", "advance", "commit")
    assert stage.names(*steps)[1:] == list(steps)  # The first `advance` records where the assignment begins.


@in_virtual_time
async def test_a_record_that_was_confirmed_meanwhile_gets_no_letter():
    """Its assignment ended while it was on the wire; the next owner's request for it was refused after the first
    one's answer came late."""
    stage = Stage()
    stage.receiver.rule = by_hand
    first = await serving(stage)
    stage.say("a")
    first.poll()
    await quiet()
    first.lose(P0)
    second = await serving(stage)
    second.poll()
    await quiet()
    stage.receiver.answer(accept)
    await until(lambda: "confirm" in stage.names("confirm"))
    stage.receiver.answer(refuse)
    await second.settled()
    await quiet()
    assert stage.letters.letters == []
    assert second.books.destinations["distinct"].suppressed == 1
    assert second.coordinator.assignments[P0].tracker.committable == 1
    assert stage.store.reserved == {}
    stage.check_receiver()


@in_virtual_time
async def test_a_release_that_fails_is_retried_before_anything_is_settled():
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    one.ledger.failing.add("bury")
    stage.say("a")
    stage.say("b")
    one.poll()
    await asyncio.sleep(20.0)
    assert [offset for offset, _ in stage.letters.origins()] == ["0"], "the letter is not written again"
    assert one.books.destinations["distinct"].dead_lettered == 0
    await one.commit()
    assert stage.committed == {}
    one.ledger.failing.clear()
    await one.settled()
    assert one.books.destinations["distinct"].dead_lettered == 2


@in_virtual_time
async def test_the_same_record_redelivered_after_its_letter_is_settled_and_not_sent_again():
    """The trace: refused and dead-lettered A1, accepted A2, a revoke before the commit. Without the row that the
    release leaves, A1 is sent again and accepted after A2, with its letter in the topic."""
    stage = Stage()
    stage.receiver.rule = refusing("a-1")
    first = await serving(stage)
    stage.say("a-1")
    stage.say("a-2")
    first.poll()
    await first.settled()
    first.lose(P0)
    stage.receiver.rule = accept
    second = await serving(stage)
    second.poll()
    await second.settled()
    assert stage.receiver.arrivals("distinct") == [("a-1",), ("a-2",)]
    assert second.books.destinations["distinct"].suppressed == 2
    assert len(stage.letters.letters) == 1
    await second.commit()
    await quiet()
    assert stage.committed[P0] == 2


@in_virtual_time
async def test_another_record_with_the_key_of_a_dead_lettered_one_may_go():
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    stage.say("same", "ann")
    one.poll()
    await one.settled()
    stage.receiver.rule = accept
    stage.say("same", "bob")
    one.poll()
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 1


@in_virtual_time
async def test_a_topic_that_cannot_be_written_pauses_and_never_skips():
    stage = Stage()
    stage.receiver.rule = refusing("bad")
    stage.letters.writable = False
    one = await serving(stage, pressure=PressurePolicy(max_pending=20, resume_at=0.5))
    stage.say("bad", "ann")
    for number in range(100):
        stage.say(f"e-{number}", f"user-{number % 3}" if number < 50 else "ann")
    for _ in range(200):
        one.poll(5)
        await asyncio.sleep(0.3)
    await one.commit()
    await quiet()
    assert one.graveyard.unwritable is not None
    assert stage.committed == {}, "nothing passes the record whose letter is not written"
    assert not one.poller.polling, "and the bound stops the polling"
    assert one.coordinator.count().in_flight <= 25
    stage.letters.writable = True
    while one.next[P0] < 101:
        await asyncio.sleep(0.3)
        one.poll(5)
    await one.settled()
    await one.commit()
    await quiet()
    assert stage.committed[P0] == 101
    assert len(stage.letters.letters) == 1
    assert one.graveyard.unwritable is None


@in_virtual_time
async def test_a_letter_that_is_too_large_becomes_a_stub_with_origin_and_digest():
    stage = Stage()
    stage.receiver.rule = refuse
    stage.letters.outcomes = [Unwritten("_MSG_TIMED_OUT"), TooLarge()]
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    (letter,) = stage.letters.letters
    assert letter.value is None
    assert header(letter, "stub-digest") != ""
    assert (header(letter, "origin-topic"), header(letter, "origin-offset")) == (TOPIC, "0")


@in_virtual_time
async def test_a_letter_keeps_the_records_bytes_key_and_headers_untouched():
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    record = stage.say("a")
    stage.logs[P0][0] = marked = msgspec.structs.replace(
        record, headers=[("trace", b"\x00\xff"), ("none", None)]
    )
    one.poll()
    await one.settled()
    (letter,) = stage.letters.letters
    assert (letter.key, letter.value) == (marked.key, marked.value)
    assert list(letter.headers)[:2] == [("trace", b"\x00\xff"), ("none", None)]


@in_virtual_time
async def test_what_waits_for_an_unwritable_topic_is_given_up_at_once_when_its_partition_is_lost():
    """Not when its next attempt comes, up to the longest delay later: its key waits for it elsewhere."""
    stage = Stage()
    stage.receiver.rule = refuse
    stage.letters.writable = False
    one = await serving(stage)
    stage.say("a")
    stage.produce(GARBAGE)
    one.poll()
    await until(lambda: stage.letters.attempts > 8)
    await quiet()
    one.lose(P0)
    await asyncio.sleep(stage.letters.took_s * 2)
    await quiet()
    assert one.coordinator.count().in_flight == 0
    assert one.books.abandoned == 2
    assert one.books.undecodable == 0
    assert one.graveyard.unwritable is None, "nothing waits for the topic any more"
    assert stage.store.reserved == {}


@in_virtual_time
async def test_an_undecodable_record_is_committed_only_after_its_letter():
    stage = Stage()
    one = await serving(stage)
    stage.letters.writable = False
    stage.produce(GARBAGE)
    stage.say("a")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].delivered == 1)
    await one.commit()
    assert stage.committed == {}
    stage.letters.writable = True
    await one.settled()
    await one.commit()
    await quiet()
    assert stage.committed[P0] == 2


@in_virtual_time
async def test_a_drain_waits_for_all_letters_of_a_record_not_only_for_the_first():
    """One record, refused by the mapping of two destinations: two letters are being written for it."""
    stage = Stage()
    stage.letters.slow["client"] = 0.5
    one = await serving(stage)
    stage.say("a", to=("distinct", "client"), how="unmapped")
    one.poll()
    await until(lambda: len(stage.letters.letters) == 1)
    await one.revoke(P0)
    assert one.books.abandoned == 0
    assert stage.committed[P0] == 1
    assert len(stage.letters.letters) == 2


@in_virtual_time
async def test_a_drain_waits_for_what_follows_a_letter_before_it_commits():
    """The letter is acknowledged and the release is still on its way: the record is not settled yet, and would come
    again with a second letter."""
    stage = Stage()
    one = await serving(stage)
    burying = one.ledger.hang("bury")
    stage.say("a", how="unmapped")
    one.poll()
    await until(lambda: len(stage.letters.letters) == 1)
    loop().call_later(1.0, burying.set)
    await one.revoke(P0)
    assert stage.committed[P0] == 1
    assert one.books.destinations["distinct"].dead_lettered == 1


@in_virtual_time
async def test_the_wait_for_a_letter_of_one_partition_does_not_hold_up_another():
    stage = Stage()
    stage.receiver.rule = refusing("bad")
    stage.letters.writable = False
    one = await serving(stage)
    await one.assign(P1)
    stage.say("bad", "ann", partition=P0)
    stage.say("good", "ann", partition=P1)
    one.poll()
    await until(lambda: stage.delivered["distinct"] == 1)
    await one.commit()
    await quiet()
    assert stage.committed == {P1: 1}
    stage.letters.writable = True
    await one.settled()


@in_virtual_time
async def test_a_refusal_after_an_unclear_answer_is_dead_lettered_and_stays_in_doubt():
    """A duplicate is better than a loss: the slot is free again, and the doubt is counted."""
    stage = Stage()
    answers = [broken, refuse]
    stage.receiver.rule = lambda request: answers.pop(0)(request)
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    books = one.books.destinations["distinct"]
    assert (books.dead_lettered, books.in_doubt) == (1, 1)
    assert stage.store.reserved == {}
    assert stage.happened("dead_lettered") == [("dead_lettered", FIRST)]
