"""Whose fault is it? (Design rule 6.) The record's, the destination's, or nobody's; and who goes on meanwhile."""

import asyncio
from typing import Any

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.verdicts import RetryPolicy
from tests.unit.pipeline.edges import header
from tests.unit.pipeline.receiver import (
    Reply,
    Request,
    accept,
    broken,
    by_hand,
    refuse,
    refusing,
    script,
    throttle,
    unauthorized,
    unknown_user,
)
from tests.unit.pipeline.stage import P0, P1, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(P0)
    return one


async def trickle(stage: Stage, one: Process, count: int, every_s: float = 0.2, to: str = "distinct") -> None:
    """Other users' records come, one after the other."""
    for number in range(count):
        stage.say(f"other-{loop().now_s:.2f}-{number}", f"other-{number}", to=(to,))
        one.poll()
        await asyncio.sleep(every_s)


# --- the record's ---


@in_virtual_time
async def test_a_definite_refusal_is_dead_lettered_with_its_reason_and_the_lane_goes_on():
    stage = Stage()
    stage.receiver.rule = refusing("a")
    one = await serving(stage)
    stage.say("a")
    stage.say("b")
    one.poll()
    await one.settled()
    (letter,) = stage.letters.letters
    assert header(letter, "reason") == "Invalid experience id."
    assert header(letter, "status") == "400"
    assert header(letter, "attempts") == "1"
    assert header(letter, "route") == "to-distinct"
    assert letter.value == stage.logs[P0][0].value
    assert stage.receiver.arrivals("distinct") == [("a",), ("b",)]


@in_virtual_time
async def test_a_record_for_two_destinations_is_refused_by_one_and_delivered_to_the_other():
    stage = Stage()
    stage.receiver.rule = lambda request: refuse(request) if request.api == "distinct" else accept(request)
    one = await serving(stage)
    stage.say("a", to=("distinct", "client"))
    one.poll()
    await one.settled()
    assert one.books.destinations["distinct"].dead_lettered == 1
    assert one.books.destinations["client"].delivered == 1
    assert one.books.settled == 1


# --- an unknown user ---


@in_virtual_time
async def test_an_unknown_user_delays_that_users_lane_only_and_is_sent_when_registered():
    stage = Stage()
    stage.receiver.rule = script(a=[unknown_user])
    one = await serving(stage)
    stage.say("a", "ann")
    stage.say("b", "ann")
    stage.say("c", "cat")
    one.poll()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("a",), ("c",), ("a",), ("b",)]
    delay_s = stage.receiver.requests[2].at_s - stage.receiver.requests[0].at_s
    assert 5.0 <= delay_s < 5.2
    assert stage.letters.letters == []


@in_virtual_time
async def test_a_user_who_stays_unknown_is_dead_lettered_and_the_followers_get_one_attempt_each():
    stage = Stage()
    stage.receiver.rule = unknown_user
    one = await serving(stage)
    for name in ("a", "b", "c"):
        stage.say(name, "ann")
    one.poll()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("a",)] * 3 + [("b",), ("c",)]
    assert [offset for offset, _ in stage.letters.origins()] == ["0", "1", "2"]
    assert stage.receiver.requests[-1].at_s - stage.receiver.requests[0].at_s < 11.0


@in_virtual_time
async def test_a_lane_that_waits_for_its_user_holds_no_reservation():
    stage = Stage()
    stage.receiver.rule = script(a=[unknown_user])
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].retries == 1)
    await quiet()
    assert stage.store.reserved == {}
    await one.settled()


@in_virtual_time
async def test_an_unknown_user_with_attempts_left_is_not_dead_lettered_because_its_partition_leaves():
    """A rebalance is no verdict: the next owner has the attempts that are left."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await quiet()
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    stage.receiver.answer(unknown_user)
    await draining
    assert stage.letters.letters == []
    assert one.books.abandoned == 1
    assert stage.store.reserved == {}


# --- the destination's ---


@in_virtual_time
async def test_a_401_halts_loses_and_dead_letters_nothing_and_resumes_by_itself():
    stage = Stage()
    stage.receiver.rule = unauthorized
    one = await serving(stage)
    for number in range(30):
        stage.say(f"e-{number}", f"user-{number % 7}", to=("distinct", "client"))
    one.poll()
    await asyncio.sleep(60.0)
    halted = one.sinks["distinct"].gate.halted
    assert halted is not None
    assert "401" in halted
    assert len(stage.receiver.arrivals("distinct")) < 60, "it probes at growing distances"
    await one.commit()
    assert stage.committed == {}
    stage.receiver.rule = accept
    await one.settled(within_s=30.0)
    assert one.sinks["distinct"].gate.halted is None
    assert stage.letters.letters == []
    assert stage.delivered == {"distinct": 30, "client": 30}
    assert stage.receiver.duplicates("distinct") == stage.receiver.duplicates("client") == 0


@in_virtual_time
async def test_one_halted_destination_does_not_stop_the_other():
    stage = Stage()
    stage.receiver.rule = lambda request: (
        unauthorized(request) if request.api == "distinct" else accept(request)
    )
    one = await serving(stage)
    for number in range(30):
        stage.say(f"e-{number}", f"user-{number % 7}", to=("distinct", "client"))
    one.poll()
    await until(lambda: one.books.destinations["client"].delivered == 30, within_s=5.0)
    assert one.books.settled == 0
    stage.receiver.rule = accept
    await one.settled()


@in_virtual_time
async def test_an_answer_to_what_was_sent_before_the_halt_does_not_end_it():
    """Else a key that was revoked among many requests in flight is tried by each late success again."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, distinct={"gate": GatePolicy(max_in_flight=4, backoff=Backoff(base_s=5.0))})
    for number in range(8):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await quiet()
    stage.receiver.answer(unauthorized)
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    for _ in range(3):
        stage.receiver.answer(accept)
    await until(lambda: not stage.receiver.open)
    await quiet()
    assert one.sinks["distinct"].gate.halted is not None
    assert len(stage.receiver.requests) == 4
    stage.receiver.rule = accept
    await one.settled()


@in_virtual_time
async def test_a_retry_after_is_waited_for_by_all_even_when_a_halt_ends_meanwhile():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, distinct={"gate": GatePolicy(max_in_flight=2, backoff=Backoff(base_s=0.1))})
    stage.say("a", "ann")
    stage.say("b", "bob")
    one.poll()
    await quiet()
    stage.receiver.answer(unauthorized)
    stage.receiver.answer(throttle(30))
    await until(lambda: not stage.receiver.open)
    asked_s = loop().now_s
    stage.receiver.rule = accept
    stage.say("c", "cat")
    one.poll()
    await one.settled()
    assert stage.receiver.requests[2].at_s - asked_s > 29.0


@in_virtual_time
async def test_a_503_with_retry_after_holds_the_destination_back_and_not_only_that_record():
    stage = Stage()

    def unavailable(_: Request) -> Reply:
        answer = broken(_).answer
        return Reply(type(answer)(503, {"retry-after": "20"}, b""))  # type: ignore[call-arg, arg-type]

    stage.receiver.rule = script(a=[unavailable])
    one = await serving(stage)
    stage.say("a", "ann")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].in_doubt == 1)
    stage.say("b", "bob")
    one.poll()
    await one.settled()
    assert stage.receiver.requests[1].at_s - stage.receiver.requests[0].at_s >= 20.0


@in_virtual_time
async def test_unclear_answers_only_are_the_destinations_fault_and_nothing_is_dead_lettered():
    stage = Stage()
    stage.receiver.rule = broken
    one = await serving(stage)
    for number in range(20):
        stage.say(f"e-{number}", f"user-{number}", to=("distinct", "client"))
    one.poll()
    await asyncio.sleep(600.0)
    assert stage.letters.letters == []
    assert one.sinks["distinct"].gate.halted == "unclear answers only"
    stage.receiver.rule = accept
    await one.settled()
    assert stage.delivered == {"distinct": 20, "client": 20}
    assert one.books.destinations["distinct"].in_doubt == 0


@in_virtual_time
async def test_a_record_that_alone_gets_no_clear_answer_is_dead_lettered_after_n_while_others_succeed():
    stage = Stage()
    stage.receiver.rule = lambda request: broken(request) if "poison" in request.ids else accept(request)
    one = await serving(stage)
    stage.say("poison", "ann")
    stage.say("after", "ann")
    one.poll()
    await trickle(stage, one, 60)
    await one.settled()
    assert stage.receiver.arrivals("distinct").count(("poison",)) == 3
    (letter,) = stage.letters.letters
    assert header(letter, "reason") == "500 internal server error, 3 times while others succeeded"
    assert ("after",) in stage.receiver.arrivals("distinct")
    assert one.books.destinations["distinct"].in_doubt == 1, "it may have been taken"


@in_virtual_time
async def test_unclear_answers_without_a_success_in_between_do_not_count_against_a_record():
    """An outage is not the record's fault, however often it meets it."""
    stage = Stage()
    patient = RetryPolicy(backoff=Backoff(base_s=0.1, max_s=1.0), unclear_votes=2)
    stage.receiver.rule = broken
    one = await serving(stage, distinct={"retry": patient})
    stage.say("a", "ann")
    stage.say("b", "bob")
    one.poll()
    await until(lambda: len(stage.receiver.arrivals("distinct")) >= 20)
    assert stage.letters.letters == []
    stage.receiver.rule = accept
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 2


@in_virtual_time
async def test_one_record_without_answers_does_not_keep_its_destination_halted_alone():
    """It was all there was, and halted its destination; then others come. Every other probe is one of theirs."""
    stage = Stage()
    stage.random.random = lambda: 0.0  # type: ignore[method-assign] # it is always due when a probe is
    stage.receiver.rule = lambda request: broken(request) if "poison" in request.ids else accept(request)
    one = await serving(stage)
    stage.say("poison", "ann")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    for number in range(5):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].delivered == 5, within_s=10.0)


@in_virtual_time
async def test_a_receiver_that_is_down_for_one_user_does_not_stop_the_others():
    stage = Stage()
    stage.receiver.rule = lambda request: None if request.ids[0].startswith("slow") else accept(request)
    one = await serving(stage)
    for number in range(3):
        stage.say(f"slow-{number}", "ann")
    for number in range(50):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].delivered == 50, within_s=5.0)
    assert stage.receiver.arrivals("distinct").count(("slow-0",)) == 1
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await one.settled()


# --- the ledger's ---


@in_virtual_time
async def test_a_ledger_that_cannot_answer_stops_delivery_and_it_goes_on_when_it_can():
    stage = Stage()
    one = await serving(stage)
    one.ledger.down = True
    for number in range(10):
        stage.say(f"e-{number}", f"user-{number}", to=("distinct", "client"))
    one.poll()
    await asyncio.sleep(60.0)
    assert stage.receiver.requests == []
    assert "ledger" in str(one.sinks["distinct"].gate.halted)
    one.ledger.down = False
    await one.settled()
    assert stage.delivered == {"distinct": 10, "client": 10}


@in_virtual_time
async def test_what_is_acknowledged_and_not_confirmed_yet_is_neither_settled_nor_sent_again():
    """Rule 2: confirmed durably after the acknowledgement and before the commit."""
    stage = Stage()
    one = await serving(stage)
    one.ledger.failing.add("confirm")
    stage.say("a")
    stage.say("b")
    one.poll()
    await asyncio.sleep(30.0)
    await one.commit()
    assert stage.committed == {}
    assert stage.receiver.arrivals("distinct") == [("a",)]
    one.ledger.failing.clear()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("a",), ("b",)]


# --- a permit is free as soon as its answer is there ---


@in_virtual_time
async def test_a_letter_that_cannot_be_written_does_not_keep_other_lanes_from_its_permit():
    """The request ended, and only its dead letter waits: with one permit, everybody else's would wait with it."""
    stage = Stage()
    stage.receiver.rule = refusing("bad")
    one = await serving(stage, distinct={"gate": GatePolicy(max_in_flight=1)})
    one.watched = False  # In life no write takes that long without a word.
    stage.letters.took_s = 600.0
    stage.say("bad", "ann")
    stage.say("good", "bob")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].delivered == 1, within_s=5.0)
    await one.settled(within_s=700.0)


@in_virtual_time
async def test_a_destination_that_waits_does_not_spin():
    """A retry that is due while the gate is closed, or an array that was filling when its partition left: nothing
    can go, so nothing may turn the loop a thousand times a second."""
    stage = Stage()
    stage.receiver.rule = script(a=[broken])
    one = await serving(stage)
    await one.assign(P1)
    stage.say("a", "ann", to=("client",))
    stage.say("b", "bob", to=("client",), partition=P1)
    one.poll()
    one.lose(P1)  # While its array was filling.
    await until(lambda: one.books.destinations["client"].in_doubt == 1)
    one.sinks["client"].gate.throttled(loop().now_s, 300.0)
    await asyncio.sleep(5.0)
    turns = loop().turns
    await asyncio.sleep(200.0)
    assert loop().turns - turns < 1_000
    await one.settled(within_s=400.0)
    turns = loop().turns
    await asyncio.sleep(200.0)
    assert loop().turns - turns < 1_000
