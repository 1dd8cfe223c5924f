"""A record that kills the process is met once by it and once by a child; nobody else pays for it."""

import asyncio
from typing import Any

import pytest

from consumer.avro import compiled, decoder
from consumer.avro.framing import SchemaId
from consumer.core.horizon import STRIDE
from tests.unit.pipeline.peril import Died
from tests.unit.pipeline.receiver import accept, by_hand
from tests.unit.pipeline.stage import P0, P1, Process, Stage, framed, saying
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet, until

KILLER = b"\0\0\0\0\1 killer"


async def serving(stage: Stage, *partitions: Any, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(*(partitions or (P0,)))
    return one


async def crash(one: Process) -> None:
    """It polls, and dies of what it got."""

    async def poll_all() -> None:
        while one.poll(500):
            await quiet()

    with pytest.raises(Died):
        await poll_all()
    await one.kill()


@in_virtual_time
async def test_a_record_that_killed_a_process_is_dead_lettered_by_the_next_and_all_others_are_delivered():
    stage = Stage()
    stage.deadly.add(KILLER)
    stage.say("before")
    stage.produce(KILLER)
    stage.say("after", "bob")
    await crash(await serving(stage))
    assert stage.receiver.arrivals("distinct") == []

    second = await serving(stage)
    second.poll()
    await second.settled()
    await second.commit()

    assert sorted(stage.receiver.arrivals("distinct")) == [("after",), ("before",)]
    (letter,) = stage.letters.letters
    assert letter.value == KILLER
    assert dict(letter.headers)["distinct-consumer.reason"] == b"crashed the process"
    assert second.books.undecodable == 1
    assert stage.committed == {P0: 3}
    assert 1 not in second.peril.met
    assert any("[0]@1: crashed the process" in note for note in second.notes)


@in_virtual_time
async def test_in_good_order_nothing_is_rehearsed_and_the_ledger_is_asked_once_a_stride_and_not_a_record():
    stage = Stage()
    first = await serving(stage)
    for _ in range(2 * STRIDE):
        stage.produce(None)
    while first.poll(500):
        await quiet()
    ventures = len(stage.names("venture"))
    assert ventures <= 1 + 2 * STRIDE // (STRIDE // 2)
    await first.stop()
    stage.say("later")
    second = await serving(stage)
    second.poll()
    await second.settled()
    assert (first.peril.rehearsed, second.peril.rehearsed) == ([], [])
    assert not any("good order" in note for note in second.notes)


@in_virtual_time
async def test_a_killer_far_above_the_commit_is_found_where_one_stride_would_not_reach():
    stage = Stage()
    stage.receiver.rule = by_hand
    stage.say("unanswered")
    for _ in range(3 * STRIDE):
        stage.produce(None)
    stage.deadly.add(KILLER)
    stage.produce(KILLER)
    one = await serving(stage)
    await crash(one)
    assert stage.committed == {}

    stage.receiver.rule = accept
    second = await serving(stage)
    while second.poll(500):
        await until(lambda: not second.coordinator.assignments[P0].backlog)
    await second.settled()
    assert [letter.value for letter in stage.letters.letters] == [KILLER]


@in_virtual_time
async def test_nothing_is_decoded_that_the_ledger_does_not_know_of():
    stage = Stage()
    one = await serving(stage)
    one.ledger.failing.add("venture")
    for _ in range(STRIDE - 1):
        stage.produce(None)
    stage.say("below")
    stage.say("above")
    while one.poll(STRIDE // 100):
        await quiet()
    await asyncio.sleep(5.0)
    assert stage.receiver.arrivals("distinct") == [("below",)]
    one.ledger.failing.clear()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("below",), ("above",)]


@in_virtual_time
async def test_care_ends_at_the_end_of_the_partition_as_it_was_taken_over():
    stage = Stage()
    stage.say("old")
    first = await serving(stage)
    first.poll()
    await first.kill()
    second = await serving(stage)
    second.poll()
    second.coordinator.ends_of_partitions({P0: 1})
    await second.settled()
    assert second.peril.rehearsed == [1]
    stage.say("new")
    second.poll()
    await second.settled()
    assert second.peril.rehearsed == [1]
    assert stage.delivered["distinct"] == 2


@in_virtual_time
async def test_only_the_partition_that_was_left_in_a_crash_is_rehearsed():
    stage = Stage()
    first = await serving(stage, P0)
    await first.kill()
    stage.say("left in a crash", partition=P0)
    stage.say("new", "bob", partition=P1)
    second = await serving(stage, P0, P1)
    second.poll()
    await second.settled()
    assert second.peril.rehearsed == [1]
    assert [note for note in second.notes if "good order" in note and "[1]" not in note]


@in_virtual_time
async def test_a_process_killed_during_a_rehearsal_accuses_no_record():
    stage = Stage()
    await (await serving(stage)).kill()
    stage.say("innocent")
    for _ in range(4):
        one = await serving(stage)
        one.peril.takes_s = 1.0
        one.poll()
        await asyncio.sleep(0.5)
        await one.kill()
    last = await serving(stage)
    last.poll()
    await last.settled()
    assert stage.letters.letters == []
    assert stage.receiver.arrivals("distinct") == [("innocent",)]


@in_virtual_time
async def test_what_a_careful_owner_did_not_come_to_is_left_to_the_next_ones_care():
    stage = Stage()
    stage.deadly.add(KILLER)
    stage.produce(KILLER)
    await crash(await serving(stage))
    careful = await serving(stage)
    await careful.stop()
    third = await serving(stage)
    third.poll()
    await third.settled()
    assert [letter.value for letter in stage.letters.letters] == [KILLER]
    assert third.peril.met == []


@in_virtual_time
async def test_a_fenced_process_does_not_end_its_successors_care():
    stage = Stage()
    stage.say("a")
    old = await serving(stage)
    new = await serving(stage)
    await old.revoke(P0)
    await new.kill()
    third = await serving(stage)
    third.poll()
    await third.settled()
    assert third.peril.rehearsed == [1]


@in_virtual_time
async def test_where_most_records_kill_they_are_held_and_do_not_fill_the_dead_letters():
    stage = Stage()
    stage.deadly.add(KILLER)
    for _ in range(150):
        stage.produce(KILLER)
    await crash(await serving(stage))
    second = await serving(stage)
    second.poll()
    await asyncio.sleep(30.0)
    assert stage.letters.letters == []
    assert "mass refusal" in str(second.intake.halted)


@in_virtual_time
async def test_a_schema_that_kills_when_it_is_compiled_costs_its_own_values_only(
    monkeypatch: pytest.MonkeyPatch,
):
    stage = Stage()
    stage.registry.known.add(2)
    stage.produce(framed(saying("ann", []), schema_id=2), b"ann")
    stage.say("sound", "bob")
    first = await serving(stage)
    compile_ = compiled.compile_reader

    def deadly(schema: Any, *, native: bool) -> Any:
        raise Died

    monkeypatch.setattr(decoder, "compile_reader", deadly)
    with pytest.raises(Died):
        await first.decoder.load([SchemaId(framed(b"", 2))])
    await first.kill()
    monkeypatch.setattr(decoder, "compile_reader", compile_)
    second = await serving(stage)
    monkeypatch.setattr(decoder, "compile_reader", deadly)
    second.poll()
    await second.settled()
    (letter,) = stage.letters.letters
    assert dict(letter.headers)["distinct-consumer.reason"] == b"crashed the process"
    assert stage.receiver.arrivals("distinct") == [("sound",)]
