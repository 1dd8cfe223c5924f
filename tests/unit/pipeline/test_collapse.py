"""One user's consecutive traits collapsed into one request: each stays its own delivery, in the ledger and in the
books, and a refusal sends each by itself."""

import asyncio
import json
from itertools import groupby
from typing import Any

from consumer.endpoints.client_identify import ClientIdentify, ClientIdentifyOptions
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.types import Origin
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
from tests.unit.pipeline.stage import P0, P1, TOPIC, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

EVENTS, IDENTIFY, DEVICES = "client", "client/identify", "client/devices"
ABC = ("a", "b", "c")


async def serving(stage: Stage, collapse: int = 10, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    one.operations[IDENTIFY] = ClientIdentify(one.clock, ClientIdentifyOptions(collapse=collapse))
    await one.assign(P0, P1)
    return one


async def identified(stage: Stage, *ids: str, **policies: Any) -> Process:
    """A process that has these traits of one user in its lane."""
    one = await serving(stage, **policies)
    for id in ids or ABC:
        stage.say(id, to=(IDENTIFY,))
    one.poll()
    return one


def at(offset: int) -> Origin:
    return Origin(TOPIC, 0, offset)


def requests_of(stage: Stage, id: str) -> list[Request]:
    return [request for request in stage.receiver.requests if id in request.ids]


# --- collapsed ---


@in_virtual_time
async def test_a_users_consecutive_traits_are_one_request_and_each_is_its_own_delivery():
    stage = Stage()
    one = await identified(stage)
    await one.settled()
    (request,) = stage.receiver.requests
    assert json.loads(request.body) == {"external_id": "ann", "data": {"a": True, "b": True, "c": True}}
    assert stage.happened("reserve", "confirm") == [
        ("reserve", [at(0), at(1), at(2)]),
        ("confirm", [at(0), at(1), at(2)]),
    ]
    assert one.books.destinations["client"].delivered == 3
    await one.commit()
    assert stage.committed[P0] == 3


@in_virtual_time
async def test_each_has_its_own_key_so_that_a_duplicate_of_one_is_found():
    stage = Stage()
    one = await identified(stage)
    await one.settled()
    for id in ("b", "d"):
        stage.say(id, to=(IDENTIFY,))
    one.poll()
    await one.settled()
    assert stage.receiver.calls("client") == [("identify", "a", "b", "c"), ("identify", "d")]
    assert one.books.destinations["client"].suppressed == 1


@in_virtual_time
async def test_unless_it_is_asked_for_each_is_a_request():
    stage = Stage()
    one = await identified(stage, collapse=1)
    await one.settled()
    assert stage.receiver.calls("client") == [("identify", "a"), ("identify", "b"), ("identify", "c")]


@in_virtual_time
async def test_users_are_never_mixed_also_where_they_share_a_lane():
    stage = Stage()
    one = await serving(stage)
    for number, user in enumerate(("ann", "ann", "bob", "bob", "ann")):
        stage.say(f"e-{number}", user, to=(IDENTIFY,), record_key=b"household")
    stage.say("f-0", "cat", to=(IDENTIFY,))
    stage.say("f-1", "cat", to=(IDENTIFY,))
    one.poll()
    await one.settled()
    bodies = {request.ids: json.loads(request.body)["external_id"] for request in stage.receiver.requests}
    assert bodies == {("e-0", "e-1"): "ann", ("e-2", "e-3"): "bob", ("e-4",): "ann", ("f-0", "f-1"): "cat"}
    household = [ids for ids in stage.receiver.arrivals("client") if ids[0].startswith("e")]
    assert household == [("e-0", "e-1"), ("e-2", "e-3"), ("e-4",)]


@in_virtual_time
async def test_traits_of_one_user_in_two_lanes_are_not_joined():
    """Between lanes there is no order that a request could keep."""
    stage = Stage()
    one = await serving(stage)
    for number, partition in enumerate((P0, P0, P1, P1)):
        stage.say(f"a-{number}", to=(IDENTIFY,), partition=partition)
    one.poll()
    await one.settled()
    assert sorted(stage.receiver.arrivals("client")) == [("a-0", "a-1"), ("a-2", "a-3")]


@in_virtual_time
async def test_what_lies_between_two_traits_keeps_them_apart():
    stage = Stage()
    one = await serving(stage)
    for id, operation in (("a", IDENTIFY), ("b", EVENTS), ("c", IDENTIFY), ("d", IDENTIFY), ("e", DEVICES)):
        stage.say(id, to=(operation,))
    one.poll()
    await one.settled()
    assert stage.receiver.calls("client") == [
        ("identify", "a"),
        ("events", "b"),
        ("identify", "c", "d"),
        ("devices", "e"),
    ]


@in_virtual_time
async def test_no_more_become_one_request_than_was_asked_for_in_number_or_bytes():
    stage = Stage()
    one = await identified(stage, *"abcdefg", collapse=3)
    await one.settled()
    assert stage.receiver.arrivals("client") == [("a", "b", "c"), ("d", "e", "f"), ("g",)]
    size = len(b'{"external_id": "ann", "data": {"a": true}}') + 1
    stage = Stage()
    one = await identified(stage, *"abcde", client={"sink": SinkPolicy(max_bytes=2 * size + 1)})
    await one.settled()
    assert stage.receiver.arrivals("client") == [("a", "b"), ("c", "d"), ("e",)]


@in_virtual_time
async def test_traits_do_not_linger_and_those_that_come_meanwhile_are_the_next_request():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await identified(stage, "a", client={"sink": SinkPolicy(linger_s=5.0)})
    begun_s = loop().now_s
    await until(lambda: bool(stage.receiver.waiting))
    assert loop().now_s - begun_s < 0.1
    for id in ("b", "c"):
        stage.say(id, to=(IDENTIFY,))
    one.poll()
    await quiet()
    stage.receiver.answer(accept)
    stage.receiver.rule = accept
    await one.settled()
    assert stage.receiver.arrivals("client") == [("a",), ("b", "c")]


@in_virtual_time
async def test_many_users_traits_go_side_by_side():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    for user in ("ann", "bob", "cat"):
        for number in range(2):
            stage.say(f"{user}-{number}", user, to=(IDENTIFY,))
    one.poll()
    await quiet()
    assert [request.ids for request in stage.receiver.waiting] == [
        (f"{user}-0", f"{user}-1") for user in ("ann", "bob", "cat")
    ]
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()


# --- no clear answer ---


@in_virtual_time
async def test_after_an_unclear_answer_the_same_request_goes_again_with_the_same_bytes_and_key():
    stage = Stage()
    stage.receiver.rule = script(a=[broken, lost, throttle(1), unauthorized])
    one = await identified(stage)
    await until(lambda: len(stage.receiver.requests) == 1)
    stage.say("d", to=(IDENTIFY,))
    one.poll()
    await one.settled()
    assert len(requests_of(stage, "a")) == 5
    assert {(request.ids, request.key, request.body) for request in requests_of(stage, "a")} == {
        (ABC, stage.receiver.requests[0].key, stage.receiver.requests[0].body)
    }
    assert stage.receiver.arrivals("client")[-1] == ("d",)
    books = one.books.destinations["client"]
    assert (books.delivered, books.in_doubt, books.retries) == (4, 0, 12)


@in_virtual_time
async def test_a_member_that_was_settled_meanwhile_leaves_and_the_rest_is_a_new_request():
    stage = Stage()
    stage.receiver.rule = script(a=[broken])
    one = await identified(stage)
    await until(lambda: one.books.destinations["client"].retries == 3)
    (waiting,) = one.sinks["client"].stock.shelf.batches()
    await one.ledger.confirm([waiting.members[1].intent])
    await one.settled()
    first, second = stage.receiver.requests
    assert (first.ids, second.ids) == (ABC, ("a", "c"))
    assert first.key != second.key
    assert one.books.destinations["client"].suppressed == 1


@in_virtual_time
async def test_found_guilty_after_unclear_answers_each_is_sent_by_itself():
    """The one that the receiver breaks on is dead-lettered; the others arrive."""
    stage = Stage()
    one = await identified(stage)
    stage.receiver.rule = lambda request: broken(request) if "b" in request.ids else accept(request)
    number = 0
    while one.coordinator.count().in_flight:
        number += 1
        stage.say(f"bob-{number}", "bob", to=(DEVICES,))
        one.poll()
        await asyncio.sleep(0.5)
        assert number < 100, "it goes on for ever"
    mine = [ids for ids in stage.receiver.arrivals("client") if set(ids) & set(ABC)]
    assert [ids for ids, _ in groupby(mine)] == [ABC, ("a",), ("b",), ("c",)]
    assert stage.letters.origins() == [("1", "client")]
    assert stage.receiver.accepted["client"]["a"] == stage.receiver.accepted["client"]["c"] == 1


# --- refused ---


@in_virtual_time
async def test_a_refusal_sends_each_by_itself_so_that_only_the_guilty_one_is_dead_lettered():
    stage = Stage()
    stage.receiver.rule = refusing("b")
    one = await identified(stage, *"abcd")
    stage.say("e", to=(EVENTS,))
    one.poll()
    await one.settled()
    assert stage.receiver.calls("client") == [
        ("identify", "a", "b", "c", "d"),
        ("identify", "a"),
        ("identify", "b"),
        ("identify", "c"),
        ("identify", "d"),
        ("events", "e"),
    ]
    assert stage.letters.origins() == [("1", "client")]
    books = one.books.destinations["client"]
    assert (books.delivered, books.dead_lettered, books.in_doubt, books.retries) == (4, 1, 0, 4)
    assert stage.store.reserved == {}


@in_virtual_time
async def test_after_a_refusal_all_reservations_are_given_back_and_each_reserves_anew():
    stage = Stage()
    stage.receiver.rule = by_hand
    await identified(stage)
    await until(lambda: bool(stage.receiver.waiting))
    asked = len(stage.journal)
    stage.receiver.answer(refuse)
    await until(lambda: len(stage.receiver.requests) == 2)
    assert [entry for entry in stage.journal[asked:] if entry[0] in ("release", "reserve")] == [
        ("release", [at(0), at(1), at(2)]),
        ("reserve", [at(0)]),
    ]
    stage.receiver.rule = accept
    stage.receiver.answer(accept)


@in_virtual_time
async def test_a_single_of_an_uncollapsed_request_is_frozen_too():
    stage = Stage()
    stage.receiver.rule = script(a=[refuse], b=[lost, broken])
    one = await identified(stage)
    await one.settled()
    assert stage.receiver.arrivals("client") == [ABC, ("a",), ("b",), ("b",), ("b",), ("c",)]
    alone = [request for request in stage.receiver.requests if request.ids == ("b",)]
    assert len({(request.key, request.body) for request in alone}) == 1
    assert one.books.destinations["client"].delivered == 3


# --- a crash, a revoke ---


@in_virtual_time
async def test_after_a_crash_with_the_request_on_the_wire_the_same_bytes_and_key_go_again():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await identified(stage)
    await until(lambda: bool(stage.receiver.waiting))
    await one.kill()
    stage.receiver.rule = accept
    other = await serving(stage)
    other.poll()
    await other.settled()
    first, second = stage.receiver.requests
    assert (first.ids, first.key, first.body) == (second.ids, second.key, second.body)
    assert other.books.destinations["client"].delivered == 3


@in_virtual_time
async def test_after_a_crash_in_the_middle_of_the_singles_only_what_was_not_confirmed_goes_again():
    stage = Stage()
    stage.receiver.rule = script(a=[refuse], b=[by_hand])
    one = await identified(stage)
    await until(lambda: len(stage.receiver.requests) == 3)
    assert stage.receiver.arrivals("client") == [ABC, ("a",), ("b",)]
    await one.kill()
    stage.receiver.rule = accept
    other = await serving(stage)
    other.poll()
    await other.settled()
    assert stage.receiver.arrivals("client")[3:] == [("b", "c")]
    books = other.books.destinations["client"]
    assert (books.suppressed, books.delivered) == (1, 2)
    assert stage.receiver.duplicates("client") == 0


@in_virtual_time
async def test_a_crash_between_acknowledgement_and_confirmation_costs_one_repetition_of_the_request():
    stage = Stage()
    one = await serving(stage)
    one.ledger.hang("confirm")
    for id in ABC:
        stage.say(id, to=(IDENTIFY,))
    one.poll()
    await until(lambda: stage.receiver.accepted["client"].total() == 3)
    await quiet()
    await one.kill()
    other = await serving(stage)
    other.poll()
    await other.settled()
    first, second = stage.receiver.requests
    assert (first.key, first.body) == (second.key, second.body)
    assert stage.receiver.duplicates("client") == 3


@in_virtual_time
async def test_a_revoke_gives_up_the_singles_to_come_at_once():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await identified(stage)
    await until(lambda: bool(stage.receiver.waiting))
    stage.receiver.answer(refuse)
    await until(lambda: len(stage.receiver.requests) == 2)
    one.background.spawn(one.revoke(P0))
    await quiet()
    assert one.books.destinations["client"].abandoned == 2
    stage.receiver.answer(accept)
    await until(lambda: stage.committed.get(P0) == 1)
    stage.receiver.rule = accept
    other = await serving(stage)
    other.poll()
    await other.settled()
    assert stage.receiver.arrivals("client") == [ABC, ("a",), ("b", "c")]
