"""The Client API's four operations are one destination: one user's records keep their order across all of them, and a
lane rests around an alias where that is asked for."""

import asyncio
from typing import Any

import pytest

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.endpoints.client_alias import ClientAlias, ClientAliasOptions
from consumer.pipeline.work import Phase
from tests.unit.pipeline.receiver import (
    Request,
    accept,
    broken,
    by_hand,
    lost,
    refuse,
    refusing,
    script,
    throttle,
    unauthorized,
)
from tests.unit.pipeline.stage import P0, P1, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

EVENTS, ALIAS, IDENTIFY, DEVICES = "client", "client/alias", "client/identify", "client/devices"
NAMES = {EVENTS: "events", ALIAS: "alias", IDENTIFY: "identify", DEVICES: "devices"}
SETTLE_S = 2.0
ONE_AT_A_TIME = {"gate": GatePolicy(max_in_flight=1, backoff=Backoff(base_s=0.2, max_s=5.0))}


async def serving(stage: Stage, settle_delay_s: float = 0.0, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    one.operations[ALIAS] = ClientAlias(one.clock, ClientAliasOptions(settle_delay_s=settle_delay_s))
    await one.assign(P0, P1)
    return one


def request_of(stage: Stage, id: str, attempt: int = 0) -> Request:
    return [request for request in stage.receiver.requests if id in request.ids][attempt]


# --- order ---


@in_virtual_time
async def test_one_users_records_keep_their_order_across_all_four_operations():
    stage = Stage()
    one = await serving(stage)
    order = [
        EVENTS,
        IDENTIFY,
        EVENTS,
        EVENTS,
        ALIAS,
        DEVICES,
        EVENTS,
        IDENTIFY,
        IDENTIFY,
        ALIAS,
        EVENTS,
        DEVICES,
    ]
    for number, operation in enumerate(order):
        for user in ("ann", "bob", "cat"):
            stage.say(f"{user}-{number:02}", user, to=(operation,))
    one.poll()
    await one.settled()
    for user in ("ann", "bob", "cat"):
        arrived = [
            (request.operation, id)
            for request in stage.receiver.requests
            for id in request.ids
            if id.startswith(user)
        ]
        assert arrived == [(NAMES[name], f"{user}-{number:02}") for number, name in enumerate(order)]
    assert stage.delivered["client"] == 3 * len(order)


@in_virtual_time
async def test_consecutive_events_still_share_an_array_between_two_other_operations():
    stage = Stage()
    one = await serving(stage)
    for id, operation in (("a", IDENTIFY), ("b", EVENTS), ("c", EVENTS), ("d", DEVICES)):
        stage.say(id, to=(operation,))
    one.poll()
    await one.settled()
    assert stage.receiver.calls("client") == [("identify", "a"), ("events", "b", "c"), ("devices", "d")]


@in_virtual_time
async def test_what_follows_in_another_operation_waits_until_trouble_with_the_one_before_is_over():
    stage = Stage()
    stage.receiver.rule = script(
        a=[broken, throttle(1), unauthorized], b=[refuse], c=[lost, broken], d=[unauthorized, lost]
    )
    one = await serving(stage)
    for id, operation in (("a", IDENTIFY), ("b", ALIAS), ("c", EVENTS), ("d", DEVICES), ("e", EVENTS)):
        stage.say(id, to=(operation,))
    one.poll()
    await one.settled()
    arrived = [id for ids in stage.receiver.arrivals("client") for id in ids]
    assert arrived == ["a"] * 4 + ["b"] + ["c"] * 3 + ["d"] * 3 + ["e"]
    assert stage.letters.origins() == [("1", "client")]


@in_virtual_time
async def test_a_member_refused_in_an_array_ends_before_the_users_next_operation_goes():
    stage = Stage()
    stage.receiver.rule = refusing("b")
    one = await serving(stage)
    for id, operation in (("a", EVENTS), ("b", EVENTS), ("c", EVENTS), ("d", DEVICES)):
        stage.say(id, to=(operation,))
    one.poll()
    await one.settled()
    assert stage.receiver.calls("client")[-1] == ("devices", "d")
    assert stage.names("letter", "delivered")[-1] == "delivered"


@in_virtual_time
async def test_one_users_operation_under_way_does_not_hold_up_another_users_other_operation():
    stage = Stage()
    stage.receiver.rule = lambda request: None if request.operation == "identify" else accept(request)
    one = await serving(stage)
    stage.say("a", "ann", to=(IDENTIFY,))
    stage.say("b", "ann", to=(EVENTS,))
    stage.say("c", "bob", to=(DEVICES,))
    stage.say("d", "cat", to=(EVENTS,))
    one.poll()
    await until(lambda: stage.delivered["client"] == 2)
    assert stage.receiver.accepted["client"].keys() == {"c", "d"}
    stage.receiver.answer(accept)
    await one.settled()


# --- the rest around an alias ---


@in_virtual_time
async def test_an_alias_rests_before_and_after_while_other_users_go_on():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("before", "ann", to=(IDENTIFY,))
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    for number in range(5):
        stage.say(f"bob-{number}", "bob", to=((EVENTS, DEVICES)[number % 2],))
    begun_s = loop().now_s
    one.poll()
    await one.settled()
    before, alias, after = (request_of(stage, id) for id in ("before", "alias", "after"))
    assert SETTLE_S <= alias.at_s - before.at_s < SETTLE_S + 0.5
    assert SETTLE_S <= after.at_s - alias.at_s < SETTLE_S + 0.5
    assert max(request_of(stage, f"bob-{number}").at_s for number in range(5)) < begun_s + 1.0


@in_virtual_time
async def test_what_comes_once_the_alias_is_delivered_and_the_lane_is_empty_rests_all_the_same():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    one.poll()
    await one.settled()
    assert one.sinks["client"].lanes.fullest() is None, "an empty lane is nothing to report"
    stage.say("after", "ann", to=(EVENTS,))
    stage.say("bob", "bob", to=(EVENTS,))
    one.poll()
    await one.settled()
    assert request_of(stage, "bob").at_s - request_of(stage, "alias").at_s < 1.0
    assert SETTLE_S <= request_of(stage, "after").at_s - request_of(stage, "alias").at_s < SETTLE_S + 0.5


@in_virtual_time
async def test_a_lane_that_rested_in_vain_is_forgotten():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    one.poll()
    await one.settled()
    assert one.sinks["client"].lanes._lanes
    await until(lambda: not one.sinks["client"].lanes._lanes, within_s=SETTLE_S + 0.5)


@pytest.mark.parametrize("settle_delay_s", [0.0, 1.0])
def test_two_aliases_in_a_row_each_have_their_rest(settle_delay_s):
    @in_virtual_time
    async def play() -> None:
        stage = Stage()
        one = await serving(stage, settle_delay_s)
        for number in range(3):
            stage.say(f"a-{number}", "ann", to=(ALIAS,))
        begun_s = loop().now_s
        one.poll()
        await one.settled()
        last_s = request_of(stage, "a-2").at_s
        # Before the first, between two: after one and before the next.
        assert 5 * settle_delay_s <= last_s - begun_s < 5 * settle_delay_s + 0.5

    play()


@in_virtual_time
async def test_a_resting_alias_holds_no_reservation_and_its_followers_wait():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await quiet()
    assert stage.store.reserved == {}
    assert (one.sinks["client"].in_flight, stage.receiver.requests) == (2, [])
    await one.settled()


@in_virtual_time
async def test_a_refused_alias_leaves_its_follower_no_rest():
    """The receiver has nothing to work on."""
    stage = Stage()
    stage.receiver.rule = refusing("alias")
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await one.settled()
    assert request_of(stage, "after").at_s - request_of(stage, "alias").at_s < 0.5
    assert stage.letters.origins() == [("0", "client")]


@in_virtual_time
async def test_an_alias_without_a_clear_answer_goes_again_as_it_was_and_the_rest_counts_from_the_last():
    stage = Stage()
    stage.receiver.rule = script(alias=[lost, broken])
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await one.settled()
    attempts = [request_of(stage, "alias", attempt) for attempt in range(3)]
    assert len({(request.key, request.body) for request in attempts}) == 1
    assert request_of(stage, "after").at_s - attempts[-1].at_s >= SETTLE_S


@in_virtual_time
async def test_an_alias_that_may_have_been_taken_and_is_dead_lettered_leaves_a_rest():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.receiver.rule = lambda request: lost(request) if "alias" in request.ids else accept(request)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    for number in range(20):
        stage.say(f"b-{number}", "bob", to=(DEVICES,))
        one.poll()
        await asyncio.sleep(1.0)
    await one.settled()
    assert stage.letters.origins() == [("0", "client")]
    last_s = [request for request in stage.receiver.requests if request.ids == ("alias",)][-1].at_s
    assert request_of(stage, "after").at_s - last_s >= SETTLE_S


@in_virtual_time
async def test_a_revoke_gives_up_a_resting_alias_at_once_and_the_next_owner_sends_it_in_order():
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("before", "ann", to=(EVENTS,))
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await until(lambda: stage.delivered["client"] == 1)
    begun_s = loop().now_s
    await one.revoke(P0, P1)
    assert loop().now_s - begun_s < 0.1
    assert one.books.destinations["client"].abandoned == 2
    other = await serving(stage, SETTLE_S)
    other.poll()
    await other.settled()
    assert stage.receiver.calls("client") == [("events", "before"), ("alias", "alias"), ("events", "after")]


@in_virtual_time
async def test_after_a_crash_between_the_alias_and_its_commit_the_next_owner_rests_too():
    """The alias is found in the ledger and not sent again; it may have been delivered a moment ago."""
    stage = Stage()
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await until(lambda: stage.delivered["client"] == 1)
    await one.kill()
    other = await serving(stage, SETTLE_S)
    taken_over_s = loop().now_s
    other.poll()
    await other.settled()
    assert stage.receiver.calls("client") == [("alias", "alias"), ("events", "after")]
    assert other.books.destinations["client"].suppressed == 1
    # Before the alias, which is looked up only then, and after it.
    assert request_of(stage, "after").at_s - taken_over_s >= 2 * SETTLE_S


@in_virtual_time
async def test_a_crash_while_the_alias_is_on_the_wire_sends_it_again_with_the_same_bytes_and_key():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await until(lambda: bool(stage.receiver.waiting))
    await one.kill()
    stage.receiver.rule = accept
    other = await serving(stage, SETTLE_S)
    other.poll()
    await other.settled()
    first, second = (request_of(stage, "alias", attempt) for attempt in range(2))
    assert (first.key, first.body) == (second.key, second.body)
    assert stage.receiver.calls("client")[-1] == ("events", "after")


@in_virtual_time
async def test_an_alias_that_rests_when_the_destination_halts_goes_once_it_is_over():
    stage = Stage()
    one = await serving(stage, SETTLE_S, client=ONE_AT_A_TIME)
    stage.receiver.rule = script(bob=[unauthorized, unauthorized, unauthorized])
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("bob", "bob", to=(DEVICES,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await one.settled()
    assert [call for call in stage.receiver.calls("client") if call[1] != "bob"] == [
        ("alias", "alias"),
        ("events", "after"),
    ]
    assert one.books.destinations["client"].delivered == 3


@in_virtual_time
async def test_a_late_acknowledgement_of_an_alias_rests_the_lane_for_the_next_assignment_too():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage, SETTLE_S)
    stage.say("alias", "ann", to=(ALIAS,))
    stage.say("after", "ann", to=(EVENTS,))
    one.poll()
    await until(lambda: bool(stage.receiver.waiting))
    assignment = one.coordinator.assignments[P0]
    one.lose(P0)
    assert assignment.phase is Phase.ENDED
    await one.assign(P0)
    one.poll()
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    answered_s = loop().now_s
    await one.settled()
    assert stage.receiver.calls("client") == [("alias", "alias"), ("events", "after")]
    assert request_of(stage, "after").at_s - answered_s >= SETTLE_S
