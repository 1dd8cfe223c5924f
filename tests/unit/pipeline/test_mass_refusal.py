"""Mass refusal: when most of at least a hundred in a minute are refused, it is not the records. The destination (or
decoding) holds them instead of filling the dead letters, until a probe is accepted. (Design rule 6, end.)"""

import asyncio
from typing import Any

import pytest

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.intake import IntakePolicy
from consumer.pipeline.verdicts import MASS_REFUSAL
from tests.unit.pipeline.receiver import accept, by_hand, refuse, unauthorized
from tests.unit.pipeline.stage import GARBAGE, P0, P1, Process, Stage, framed, saying
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

FAST = {"gate": GatePolicy(max_in_flight=8, backoff=Backoff(base_s=0.1, max_s=1.0))}


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(distinct=FAST, client=FAST, **policies).start()
    await one.assign(P0)
    return one


def many(stage: Stage, count: int, api: str, first: int = 0, how: str = "matched") -> None:
    for number in range(first, first + count):
        stage.say(f"e-{number}", f"user-{number}", to=(api,), how=how)


@pytest.mark.parametrize("api", ["distinct", "client"])
def test_when_most_are_refused_they_are_held_and_delivered_once_a_probe_is_accepted(api):
    """Singles, and arrays bisected down to each of their items."""

    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        stage.receiver.rule = refuse
        one = await serving(stage)
        many(stage, 400, api)
        one.poll()
        await asyncio.sleep(120.0)
        assert one.sinks[api].gate.halted == MASS_REFUSAL
        assert len(stage.letters.letters) == 99
        assert one.coordinator.count().in_flight == 301
        stage.receiver.rule = accept
        await one.settled()
        assert len(stage.letters.letters) == 99
        assert stage.delivered[api] == 301
        assert one.sinks[api].gate.halted is None

    scenario()


@in_virtual_time
async def test_a_few_refusals_among_many_acceptances_are_dead_lettered():
    stage = Stage()
    stage.receiver.rule = lambda request: (
        refuse(request) if int(request.ids[0][2:]) % 3 == 0 else accept(request)
    )
    one = await serving(stage)
    many(stage, 600, "distinct")
    one.poll()
    await one.settled()
    assert len(stage.letters.letters) == 200


@in_virtual_time
async def test_the_probe_is_another_record_each_time_so_that_one_good_one_is_enough():
    """Else a record that is bad indeed is asked about for ever, while those behind it would be accepted."""
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 130, "distinct")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted == MASS_REFUSAL)
    stage.receiver.rule = lambda request: accept(request) if request.ids == ("e-129",) else refuse(request)
    await until(lambda: one.sinks["distinct"].gate.halted is None, within_s=60.0)


@in_virtual_time
async def test_the_probes_of_a_mass_refusal_come_at_growing_distances():
    """A refused probe is an answer, but not one that opens the gate for the next."""
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 400, "distinct")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted == MASS_REFUSAL)
    asked = len(stage.receiver.requests)
    await asyncio.sleep(60.0)
    assert len(stage.receiver.requests) - asked < 250
    stage.receiver.rule = accept
    await one.settled()


@in_virtual_time
async def test_an_answer_from_before_the_halt_is_no_accepted_probe():
    """Else the halt ends in the moment it begins, as long as one in a gate's worth is accepted: and fills the dead
    letters at that pace."""
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 95, "distinct")
    one.poll()
    await one.settled()
    stage.receiver.rule = by_hand
    many(stage, 60, "distinct", first=100)
    one.poll()
    await quiet()
    assert len(stage.receiver.waiting) > 5
    for _ in range(5):
        stage.receiver.answer(refuse)
    await until(lambda: one.sinks["distinct"].gate.halted == MASS_REFUSAL)
    stage.receiver.answer(accept)
    await until(lambda: stage.delivered["distinct"] == 1)
    assert one.sinks["distinct"].gate.halted == MASS_REFUSAL
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_a_mass_refusal_outlives_another_halt():
    """The key is revoked, or the ledger fails, while most are refused: once that is over, the refusals are still
    held. Else the reason that came last decides, and the dead letters fill."""
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    many(stage, 300, "distinct")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted == MASS_REFUSAL)
    stage.receiver.rule = unauthorized
    await until(lambda: "401" in str(one.sinks["distinct"].gate.halted))
    await asyncio.sleep(90.0)
    stage.receiver.rule = refuse
    await asyncio.sleep(90.0)
    assert len(stage.letters.letters) == 99
    one.ledger.down = True
    await until(lambda: "ledger" in str(one.sinks["distinct"].gate.halted))
    await asyncio.sleep(90.0)
    one.ledger.down = False
    await asyncio.sleep(90.0)
    assert len(stage.letters.letters) == 99
    stage.receiver.rule = accept
    await one.settled()
    assert stage.delivered["distinct"] == 201


# --- records that cannot even be sent ---


@in_virtual_time
async def test_when_most_records_cannot_be_mapped_they_are_held_until_a_probe_is_accepted():
    """A field was renamed: the dead letters of a whole topic would be the alternative."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    many(stage, 150, "distinct", how="unmapped")
    many(stage, 20, "distinct", first=150)
    one.poll()
    await asyncio.sleep(120.0)
    assert one.sinks["distinct"].gate.halted == MASS_REFUSAL
    assert stage.letters.letters == []
    assert one.books.destinations["distinct"].in_flight == 170
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()
    books = one.books.destinations["distinct"]
    assert (books.delivered, books.dead_lettered) == (20, 150)


@in_virtual_time
async def test_what_cannot_be_mapped_is_weighed_beside_its_whole_chunk():
    """Whatever the order in the chunk: a hundred bad ones before four hundred good ones are a fifth."""
    stage = Stage()
    one = await serving(stage)
    many(stage, 100, "distinct", how="unmapped")
    many(stage, 400, "distinct", first=100)
    one.poll()
    await one.settled()
    assert len(stage.letters.letters) == 100
    assert one.sinks["distinct"].gate.halted is None


@in_virtual_time
async def test_what_cannot_be_mapped_is_held_also_while_the_destination_halts_for_another_reason():
    stage = Stage()
    stage.receiver.rule = unauthorized
    one = await serving(stage)
    many(stage, 5, "distinct")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    many(stage, 200, "distinct", first=5, how="unmapped")
    one.poll()
    await asyncio.sleep(120.0)
    assert stage.letters.letters == []
    stage.receiver.rule = accept
    await one.settled()
    assert len(stage.letters.letters) == 200


@in_virtual_time
async def test_what_is_held_is_given_up_at_once_when_its_partition_leaves():
    stage = Stage()
    one = await serving(stage)
    many(stage, 150, "distinct", how="unmapped")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted == MASS_REFUSAL)
    before_s = loop().now_s
    await one.revoke(P0)
    assert one.coordinator.count().in_flight == 0
    assert one.books.destinations["distinct"].abandoned == 150
    assert loop().now_s - before_s < 0.1
    assert stage.letters.letters == []


@in_virtual_time
async def test_what_is_held_waits_without_turning_the_loop():
    """Thousands of held records must not each have a timer of their own."""
    stage = Stage()
    one = await serving(stage)
    many(stage, 2_000, "distinct", how="unmapped")
    one.poll(2_000)
    await quiet()
    turns = loop().turns
    await asyncio.sleep(100.0)
    assert loop().turns - turns < 1_000
    assert len(asyncio.all_tasks()) < 20


@in_virtual_time
async def test_the_books_still_balance_when_a_process_ends_while_records_are_held():
    stage = Stage()
    one = await serving(stage)
    many(stage, 150, "distinct", how="unmapped")
    one.poll()
    await quiet()
    await one.close()
    books = one.coordinator.count()
    assert books.balanced
    assert books.in_flight == 150


# --- records that cannot be decoded ---


def spoil(stage: Stage, count: int) -> None:
    for _ in range(count):
        stage.produce(GARBAGE)


@in_virtual_time
async def test_when_most_records_cannot_be_decoded_they_are_held_until_a_chunk_can_be():
    stage = Stage()
    one = await serving(stage)
    spoil(stage, 150)
    one.poll()
    await asyncio.sleep(120.0)
    assert "mass refusal" in str(one.intake.halted)
    assert stage.letters.letters == []
    assert one.coordinator.count().in_flight == 150
    many(stage, 10, "distinct", first=1_000)
    one.poll()
    assert one.intake.halted is None, "it was the probe"
    await one.settled()
    assert len(stage.letters.letters) == 150
    assert one.books.undecodable == 150
    assert one.books.destinations["distinct"].delivered == 10


@in_virtual_time
async def test_a_few_undecodable_records_are_dead_lettered_with_the_reason():
    stage = Stage()
    one = await serving(stage)
    many(stage, 20, "distinct")
    spoil(stage, 10)
    one.poll()
    await one.settled()
    assert one.books.undecodable == 10
    assert {dict(letter.headers)["distinct-consumer.reason"] for letter in stage.letters.letters} == {
        b"truncated"
    }
    assert stage.letters.letters[0].value == GARBAGE


@in_virtual_time
async def test_during_the_halt_no_record_overtakes_one_before_it_that_may_yet_be_decoded():
    """A schema that came late turns undecodable records into good ones: they still come before their followers."""
    stage = Stage()
    one = await serving(stage, intake=IntakePolicy(retry_held_s=5.0))
    for number in range(150):
        stage.produce(
            framed(saying(f"user-{number}", [_route(f"early-{number}")]), schema_id=7),
            f"user-{number}".encode(),
        )
    one.poll()
    await until(lambda: one.intake.halted is not None)
    many(stage, 30, "distinct", first=0)  # e-0 … e-29 of the same users, and not enough to be the probe.
    spoil(stage, 40)
    one.poll()
    await asyncio.sleep(20.0)
    assert stage.receiver.requests == [], "decoding stands still"
    stage.registry.known.add(7)
    await one.settled()
    arrivals = [ids[0] for ids in stage.receiver.arrivals("distinct")]
    for number in range(30):
        assert arrivals.index(f"early-{number}") < arrivals.index(f"e-{number}")
    assert stage.letters.letters != []
    assert one.books.undecodable == 40


@in_virtual_time
async def test_the_halt_of_decoding_ends_with_a_chunk_of_a_schema_not_seen_before():
    """The producer mends itself by a new schema: its chunk has to be looked into though others wait before it."""
    stage = Stage()
    stage.registry.known.add(9)
    one = await serving(stage)
    spoil(stage, 150)
    one.poll()
    await until(lambda: one.intake.halted is not None)
    for number in range(10):
        stage.produce(framed(saying("ann", [_route(f"new-{number}")]), schema_id=9), b"ann")
    one.poll()
    await one.settled(within_s=60.0)
    assert one.books.destinations["distinct"].delivered == 10
    assert one.books.undecodable == 150


@in_virtual_time
async def test_the_halt_of_decoding_outlives_a_registry_that_fails_and_comes_back():
    """Else the end of another trouble is taken for the end of this one, and what is held fills the dead letters."""
    stage = Stage()
    one = await serving(stage)
    await one.assign(P1)
    spoil(stage, 150)
    one.poll()
    await until(lambda: "mass refusal" in str(one.intake.halted))
    stage.registry.down = True
    stage.registry.known.add(11)
    stage.produce(framed(b"\xff", schema_id=11), partition=P1)
    one.poll()
    await asyncio.sleep(30.0)
    stage.registry.down = False
    await asyncio.sleep(60.0)
    assert "mass refusal" in str(one.intake.halted)
    assert stage.letters.letters == []


@in_virtual_time
async def test_undecodable_records_that_are_held_are_given_up_when_their_partition_leaves():
    stage = Stage()
    one = await serving(stage)
    spoil(stage, 150)
    one.poll()
    await quiet()
    await one.revoke(P0)
    assert one.books.abandoned == 150
    assert one.books.undecodable == 0, "undecodable ones are settled: these are not"
    assert stage.letters.letters == []


def _route(name: str) -> dict[str, object]:
    return {"to": "distinct", "id": name, "key": name, "at_min": None, "how": "matched", "ordered": True}
