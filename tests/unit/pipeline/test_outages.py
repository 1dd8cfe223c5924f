"""An outage that looks like a refusal: a receiver, or somebody before it, that says no to every record alike."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from consumer.core.gate import GatePolicy
from consumer.core.refusals import IN_A_ROW
from consumer.core.retries import Backoff
from consumer.http.sender import Answer
from consumer.pipeline.verdicts import MASS_REFUSAL
from tests.unit.pipeline.edges import header
from tests.unit.pipeline.receiver import Reply, Request, accept, broken, refuse, unauthorized
from tests.unit.pipeline.stage import P0, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, until

PROMPT = {"gate": GatePolicy(max_in_flight=8, backoff=Backoff(base_s=0.1, max_s=1.0))}


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(distinct=PROMPT, client=PROMPT, **policies).start()
    await one.assign(P0)
    return one


def many(stage: Stage, count: int, api: str, first: int = 0) -> None:
    for number in range(first, first + count):
        stage.say(f"e-{number}", f"user-{number}", to=(api,))


def too_large(_: Request) -> Reply:
    return Reply(Answer(413, {}, b"<html>413 Request Entity Too Large</html>"))


@pytest.mark.parametrize("api", ["distinct", "client"])
def test_an_outage_in_the_middle_of_a_good_stream_costs_few_letters(api):
    """What was accepted just before would outweigh a minute's refusals: here, all that is left of the topic."""

    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        one = await serving(stage)
        for first in range(0, 1_500, 500):
            many(stage, 500, api, first)
            one.poll()
        await one.settled()
        stage.receiver.rule = refuse
        many(stage, 500, api, first=1_500)
        one.poll()
        await until(lambda: one.sinks[api].gate.halted == MASS_REFUSAL)
        await asyncio.sleep(120.0)
        assert len(stage.letters.letters) < IN_A_ROW
        stage.receiver.rule = accept
        await one.settled()
        assert stage.delivered[api] + len(stage.letters.letters) == 2_000

    scenario()


@in_virtual_time
async def test_an_outage_on_a_quiet_topic_does_not_empty_it_in_the_course_of_the_day():
    stage = Stage()
    stage.receiver.rule = refuse
    one = await serving(stage)
    for number in range(400):
        many(stage, 1, "distinct", first=number)
        one.poll()
        await asyncio.sleep(2.0)
    assert one.sinks["distinct"].gate.halted == MASS_REFUSAL
    assert len(stage.letters.letters) < IN_A_ROW
    stage.receiver.rule = accept
    await one.settled()
    assert stage.delivered["distinct"] + len(stage.letters.letters) == 400


@in_virtual_time
async def test_a_row_of_bad_records_in_a_good_stream_holds_it_up_for_moments_only():
    """They are looked at again: a probe behind them is accepted, and then they are the records' fault."""
    stage = Stage()
    one = await serving(stage)
    many(stage, 500, "distinct")
    one.poll()
    await one.settled()
    stage.receiver.rule = lambda request: (
        refuse(request) if 500 <= int(request.ids[0][2:]) < 800 else accept(request)
    )
    for first in (500, 1_000):
        many(stage, 500 if first == 500 else 300, "distinct", first)
        one.poll()
    await one.settled(within_s=60.0)
    assert len(stage.letters.letters) == 300
    assert stage.delivered["distinct"] == 1_000


@pytest.mark.parametrize("api", ["distinct", "client"])
def test_a_413_to_every_small_record_is_a_proxys_and_costs_no_letter(api):
    @in_virtual_time
    async def scenario() -> None:
        stage = Stage()
        stage.receiver.rule = too_large
        one = await serving(stage)
        many(stage, 40, api)
        one.poll()
        await asyncio.sleep(300.0)
        assert stage.letters.letters == []
        assert one.sinks[api].gate.halted is not None
        stage.receiver.rule = accept
        await one.settled()
        assert stage.delivered[api] == 40
        assert stage.letters.letters == []

    scenario()


@in_virtual_time
async def test_a_413_that_one_small_record_alone_gets_is_its_own():
    stage = Stage()
    stage.receiver.rule = lambda request: too_large(request) if "big" in request.ids else accept(request)
    one = await serving(stage)
    stage.say("big", "ann")
    one.poll()
    for number in range(60):
        many(stage, 1, "distinct", first=number)
        one.poll()
        await asyncio.sleep(0.2)
    await one.settled()
    (letter,) = stage.letters.letters
    assert header(letter, "reason") == "413 content too large, 3 times while others succeeded"


@in_virtual_time
async def test_a_413_to_a_record_that_is_large_indeed_is_its_own_at_once():
    stage = Stage()
    stage.receiver.rule = too_large
    one = await serving(stage)
    stage.say("x" * 20_000, "ann")
    one.poll()
    await one.settled()
    (letter,) = stage.letters.letters
    assert header(letter, "status") == "413"


def flapping(share: float) -> Callable[[Request], Reply]:
    """One of several servers is down: this share of all requests, whatever is in them."""
    chance = Random(7)
    return lambda request: broken(request) if chance.random() < share else accept(request)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@in_virtual_time
async def test_a_receiver_of_which_one_server_in_a_few_is_down_costs_no_letter(share):
    """Many a record fails three times with others' successes in between, but none of them is alone with it."""
    stage = Stage()
    stage.receiver.rule = flapping(share)
    one = await serving(stage)
    for first in range(0, 800, 200):
        many(stage, 200, "distinct", first)
        one.poll()
        await asyncio.sleep(5.0)
    await one.settled(within_s=900.0)
    assert stage.letters.letters == []
    assert stage.delivered["distinct"] == 800


@in_virtual_time
async def test_several_records_that_alone_get_no_clear_answer_are_all_found():
    stage = Stage()
    stage.receiver.rule = lambda request: (
        broken(request) if request.ids[0].startswith("poison") else accept(request)
    )
    one = await serving(stage)
    for number in range(5):
        stage.say(f"poison-{number}", f"ann-{number}", to=("distinct",))
    one.poll()
    for number in range(600):
        many(stage, 1, "distinct", first=number)
        one.poll()
        await asyncio.sleep(0.1)
    await one.settled()
    assert len(stage.letters.letters) == 5


@in_virtual_time
async def test_one_record_that_a_firewall_answers_403_holds_up_no_other_and_is_kept():
    """It halts the destination each time it is tried: so it is tried less and less, while others are taken."""
    stage = Stage()
    stage.receiver.rule = lambda request: (
        unauthorized(request) if "poison" in request.ids else accept(request)
    )
    one = await stage.process().start()
    await one.assign(P0)
    stage.say("poison", "ann")
    many(stage, 499, "distinct")
    one.poll()
    await until(lambda: stage.delivered["distinct"] == 499, within_s=20.0)
    assert stage.letters.letters == []
    assert one.coordinator.count().in_flight == 1
    stage.receiver.rule = accept
    await one.settled()
    assert stage.delivered["distinct"] == 500
