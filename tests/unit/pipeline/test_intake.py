"""The first steps: what is counted and settled at once, what waits for a schema, and when the polling pauses."""

import asyncio
from typing import Any

import pytest

from consumer.core.pressure import PressurePolicy
from tests.unit.pipeline.receiver import accept, by_hand, unauthorized
from tests.unit.pipeline.stage import GARBAGE, P0, P1, Process, Stage, framed, saying
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet, until


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(P0, P1)
    return one


# --- counted ---


@in_virtual_time
async def test_tombstones_unrouted_undecodable_and_dropped_records_are_counted_and_committed():
    stage = Stage()
    one = await serving(stage)
    stage.produce(None)
    stage.produce(framed(saying("ann", [])))
    stage.produce(GARBAGE)
    stage.say("a", how="dropped")
    stage.say("b", how="unmapped")
    stage.say("c")
    one.poll()
    await one.settled()
    await one.commit()
    books = one.coordinator.count()
    assert (books.consumed, books.settled) == (6, 6)
    assert (books.tombstones, books.unrouted, books.undecodable) == (1, 1, 1)
    distinct = books.destinations["distinct"]
    assert (distinct.matched, distinct.dropped, distinct.dead_lettered, distinct.delivered) == (3, 1, 1, 1)
    assert stage.committed == {P0: 6}
    assert sorted(stage.letters.origins()) == [("2", ""), ("4", "distinct")]


@in_virtual_time
async def test_a_chunk_of_nothing_but_tombstones_settles():
    stage = Stage()
    one = await serving(stage)
    for _ in range(3):
        stage.produce(None)
    one.poll()
    await one.commit()
    await quiet()
    assert stage.committed == {P0: 3}


@in_virtual_time
async def test_a_record_that_cannot_be_mapped_says_which_field_and_holds_no_value():
    stage = Stage()
    one = await serving(stage)
    stage.say("a", how="unmapped")
    one.poll()
    await one.settled()
    headers = dict(stage.letters.letters[0].headers)
    assert headers["distinct-consumer.reason"] == b"feature: is required and missing"


# --- schemas ---


@in_virtual_time
async def test_a_registry_that_does_not_answer_pauses_that_partition_and_it_resumes_in_order():
    stage = Stage()
    one = await serving(stage)
    stage.registry.down = True
    stage.registry.known.add(2)
    stage.produce(framed(saying("ann", [_route("new")]), schema_id=2), b"ann", P0)
    one.poll()
    stage.say("after", "ann", partition=P0)
    stage.say("elsewhere", "ann", partition=P1)
    one.poll()
    await asyncio.sleep(30.0)
    assert stage.receiver.arrivals("distinct") == [("elsewhere",)]
    assert "503" in str(one.intake.halted)
    assert stage.letters.letters == [], "a registry without an answer is no verdict on the record"
    stage.registry.down = False
    await one.settled()
    assert one.intake.halted is None
    assert stage.receiver.arrivals("distinct")[1:] == [("new",), ("after",)]


@in_virtual_time
async def test_a_partition_that_was_lost_while_its_schema_was_fetched_takes_nothing():
    stage = Stage()
    one = await serving(stage)
    stage.registry.known.add(2)
    stage.produce(framed(saying("ann", [_route("new")]), schema_id=2), b"ann", P0)
    one.poll()
    one.lose(P0)
    await asyncio.sleep(1.0)
    assert stage.receiver.requests == []
    assert one.books.abandoned == 1


@in_virtual_time
async def test_a_chunk_that_would_take_too_much_memory_is_decoded_in_portions_in_its_order(
    monkeypatch: pytest.MonkeyPatch,
):
    stage = Stage()
    one = await serving(stage)
    answer, sizes = one.decoder.answer, []

    def counted(records: Any, shortcuts: Any) -> Any:
        sizes.append(len(records))
        return answer(records, shortcuts)

    monkeypatch.setattr(one.decoder, "answer", counted)
    monkeypatch.setattr(one.decoder, "portion", lambda records: min(2, len(records)))
    one.decoder.light_bytes = 0
    for number in range(7):
        stage.say(f"e-{number}", "ann")
    one.poll()
    await one.settled()
    assert sizes == [2, 2, 2, 1]
    assert [event for array in stage.receiver.arrivals("distinct") for event in array] == [
        f"e-{number}" for number in range(7)
    ]
    await one.commit()
    assert stage.committed == {P0: 7}


# --- the bound ---


@in_virtual_time
async def test_polling_pauses_at_the_bound_and_resumes_at_the_share_below_it():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, pressure=PressurePolicy(max_pending=10, resume_at=0.5))
    for number in range(30):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll(9)
    assert one.poller.turns == []
    one.poll(1)
    assert one.poller.turns == ["pause"]
    await quiet()
    for _ in range(4):
        stage.receiver.answer(accept)
        await until(lambda: not [request for request in stage.receiver.open if request.replied.done()])
        await quiet()
    assert one.poller.turns == ["pause"], "no flutter"
    stage.receiver.answer(accept)
    await until(lambda: len(one.poller.turns) == 2)
    assert one.poller.turns == ["pause", "resume"]
    assert one.coordinator.count().in_flight == 5
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    while one.next[P0] < 30:
        one.poll(5)
        await asyncio.sleep(0.5)
    await one.settled()


@in_virtual_time
async def test_the_bound_counts_bytes_as_well():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, pressure=PressurePolicy(max_pending_bytes=5_000))
    stage.say("x" * 5_000)
    one.poll()
    assert one.poller.turns == ["pause"]
    await quiet()
    stage.receiver.answer(accept)
    await one.settled()
    assert one.poller.polling


@in_virtual_time
async def test_polling_resumes_when_what_filled_the_bound_was_undecodable():
    """Those end at the dead letters, without a delivery: the pause must not outlive them."""
    stage = Stage()
    one = await serving(stage, pressure=PressurePolicy(max_pending=10))
    for _ in range(10):
        stage.produce(GARBAGE)
    one.poll()
    assert not one.poller.polling
    await one.settled()
    assert one.poller.polling


@in_virtual_time
async def test_polling_resumes_when_what_filled_the_bound_left_with_its_partition():
    """A backlog that waits for a schema fills the bound, and is given up: the other partitions must go on."""
    stage = Stage()
    one = await serving(stage, pressure=PressurePolicy(max_pending=10))
    stage.registry.down = True
    for _ in range(10):
        stage.produce(framed(b"", schema_id=2), partition=P0)
    one.poll()
    assert not one.poller.polling
    await one.revoke(P0)
    assert one.poller.polling
    stage.say("a", partition=P1)
    one.poll()
    await until(lambda: stage.delivered["distinct"] == 1)


@in_virtual_time
async def test_polling_resumes_when_what_filled_the_bound_is_tombstones():
    stage = Stage()
    one = await serving(stage, pressure=PressurePolicy(max_pending=10))
    for _ in range(20):
        stage.produce(None)
    one.poll()
    await quiet()
    assert one.poller.polling


@in_virtual_time
async def test_a_halted_destination_fills_the_bound_and_no_more_than_that():
    stage = Stage()
    stage.receiver.rule = unauthorized
    one = await serving(stage, pressure=PressurePolicy(max_pending=50))
    for number in range(300):
        stage.say(f"e-{number}", f"user-{number}")
    for _ in range(100):
        one.poll(10)
        await asyncio.sleep(0.2)
    assert one.coordinator.count().in_flight == 50
    assert one.sinks["distinct"].in_flight == 50
    stage.receiver.rule = accept
    while one.next[P0] < 300:
        one.poll(10)
        await asyncio.sleep(0.2)
    await one.settled()


def _route(name: str) -> dict[str, object]:
    return {"to": "distinct", "id": name, "key": name, "at_min": None, "how": "matched", "ordered": True}
