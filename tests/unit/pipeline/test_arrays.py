"""Arrays: frozen at the first send, bisected in turn, and what leaves one. (Protocol: `arrays`; design rule 7.)"""

import asyncio

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.types import Origin
from tests.unit.pipeline.receiver import (
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
from tests.unit.pipeline.stage import AGE_S, P0, P1, TOPIC, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

FOUR = ("a", "b", "c", "d")
ARRAYS = {"gate": GatePolicy(max_in_flight=1, backoff=Backoff(base_s=0.2, max_s=5.0))}


async def sent_four(stage: Stage, users: str = "ann bob cat dan"):  # type: ignore[no-untyped-def]
    """A process whose four records share an array."""
    one = await stage.process(client=ARRAYS).start()
    await one.assign(P0)
    for name, user in zip(FOUR, users.split(), strict=True):
        stage.say(name, user, to=("client",))
    one.poll()
    return one


def at(offset: int, partition: int = 0) -> Origin:
    return Origin(TOPIC, partition, offset)


# --- frozen ---


@in_virtual_time
async def test_after_an_unclear_answer_the_same_array_goes_again_with_the_same_bytes_and_key():
    stage = Stage()
    stage.receiver.rule = script(a=[broken, lost])
    one = await sent_four(stage)
    await until(lambda: len(stage.receiver.requests) == 1)
    stage.say("e", "eve", to=("client",))
    one.poll()
    await one.settled()
    first, *again = [request for request in stage.receiver.requests if request.ids[0] == "a"]
    assert first.ids == FOUR
    assert len(again) == 2
    assert all((request.key, request.body) == (first.key, first.body) for request in again)
    assert one.books.destinations["client"].in_doubt == 0, "the last answer was a yes"


@in_virtual_time
async def test_an_array_that_was_throttled_or_met_a_halt_goes_again_as_it_was():
    """`Retry` (a 409 too: that key is still at work there) asks for the same bytes: with other members it would have
    another key, and what is at work would be doubled."""
    stage = Stage()
    stage.receiver.rule = script(a=[throttle(3), unauthorized])
    one = await sent_four(stage)
    await until(lambda: one.sinks["client"].books.retries == 4)
    stage.say("e", "eve", to=("client",))
    one.poll()
    await one.settled()
    requests = [request for request in stage.receiver.requests if "a" in request.ids]
    assert [request.ids for request in requests] == [FOUR] * 3
    assert len({request.key for request in requests}) == 1


@in_virtual_time
async def test_the_same_members_have_the_same_key_in_another_process():
    """So that a receiver that looks at it can tell a redelivery."""
    stage = Stage()
    one = await sent_four(stage)
    stage.receiver.rule = by_hand
    await until(lambda: bool(stage.receiver.open))
    one.lose(P0)
    other = await stage.process(client=ARRAYS).start()
    await other.assign(P0)
    other.poll()
    await until(lambda: len(stage.receiver.open) == 2)
    first, second = stage.receiver.open
    assert (first.ids, first.key) == (second.ids, second.key)
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await other.settled()


# --- bisected ---


@in_virtual_time
async def test_a_definite_refusal_bisects_until_the_guilty_item_alone_is_dead_lettered():
    stage = Stage()
    stage.receiver.rule = refusing("c")
    one = await sent_four(stage)
    await one.settled()
    assert stage.receiver.arrivals("client") == [FOUR, ("a", "b"), ("c", "d"), ("c",), ("d",)]
    assert stage.letters.origins() == [("2", "client")]
    books = one.books.destinations["client"]
    assert (books.delivered, books.dead_lettered, books.in_doubt) == (3, 1, 0)
    assert stage.store.reserved == {}


@in_virtual_time
async def test_the_halves_go_in_turn_so_that_a_user_in_both_keeps_the_order():
    stage = Stage()
    stage.receiver.rule = refusing("a")
    one = await sent_four(stage, "ann bob ann bob")
    await one.settled()
    # The lanes stand in their array one after the other.
    assert stage.receiver.arrivals("client") == [("a", "c", "b", "d"), ("a", "c"), ("a",), ("c",), ("b", "d")]


@in_virtual_time
async def test_after_a_definite_refusal_all_reservations_are_given_back_and_each_half_reserves_anew():
    """Without it the second half's keys block others for as long as the first half takes."""
    stage = Stage()
    stage.receiver.rule = by_hand
    await sent_four(stage)
    await until(lambda: bool(stage.receiver.open))
    asked = len(stage.journal)
    stage.receiver.answer(refuse)
    await until(lambda: len(stage.receiver.requests) == 2)
    assert [entry for entry in stage.journal[asked:] if entry[0] in ("release", "reserve")] == [
        ("release", [at(0), at(1), at(2), at(3)]),
        ("reserve", [at(0), at(1)]),
    ]
    assert len(stage.store.reserved) == 2
    stage.receiver.rule = accept
    stage.receiver.answer(accept)


@in_virtual_time
async def test_an_array_found_guilty_after_unclear_answers_is_bisected_and_keeps_its_reservations():
    """Without it the second half is sent by another process while the first one is still in doubt."""
    stage = Stage()

    def rule(request):  # type: ignore[no-untyped-def]
        return broken(request) if "c" in request.ids else accept(request)

    stage.receiver.rule = rule
    one = await sent_four(stage)
    for number in range(200):
        stage.say(f"e-{number}", f"user-{number}", to=("client",), partition=P1)
    await one.assign(P1)
    held: list[int] = []

    def look(request):  # type: ignore[no-untyped-def]
        if request.ids in (("a", "b"), ("c", "d")):
            slots = {row.holder.origin.offset for row in stage.store.reserved.values()}
            held.append(len(slots & {0, 1, 2, 3}))

    stage.receiver.on_request = look
    while one.coordinator.count().in_flight or one.next[P1] < 200:
        one.poll(5)
        await until(lambda: not stage.receiver.open)
        await asyncio.sleep(0.3)
    assert held[0] == 4, "the second half is still held while the first one is sent"
    assert stage.letters.origins() == [("2", "client")]
    assert one.books.destinations["client"].delivered == 203
    assert stage.receiver.duplicates("client") == 0


@in_virtual_time
async def test_a_bisected_array_keeps_its_progress_when_the_gate_closes_between_the_halves():
    """Else every 429 between them joins them again, and an array with one bad record never ends."""
    stage = Stage()
    answers = [refuse, throttle(1), refuse, throttle(1), throttle(1)]

    def rule(request):  # type: ignore[no-untyped-def]
        if "a" not in request.ids:
            return accept(request)
        return answers.pop(0)(request) if answers else refusing("a")(request)

    stage.receiver.rule = rule
    one = await sent_four(stage)
    await one.settled()
    assert stage.receiver.arrivals("client").count(FOUR) == 1
    assert stage.letters.origins() == [("0", "client")]


@in_virtual_time
async def test_an_array_is_never_larger_than_its_bytes_allow():
    """Brackets and commas count: a byte too many is answered as if the receiver were at fault."""
    stage = Stage()
    three = len('{"id": "000"},') * 3
    one = await stage.process(client={"sink": SinkPolicy(max_bytes=three, linger_s=0.01)}).start()
    await one.assign(P0)
    for number in range(30):
        stage.say(f"{number:03}", f"user-{number}", to=("client",))
    one.poll()
    await one.settled()
    sizes = [len(request.body) for request in stage.receiver.requests]
    assert max(sizes) <= three
    assert max(len(request.ids) for request in stage.receiver.requests) == 2


# --- what leaves an array ---


@in_virtual_time
async def test_a_member_that_must_wait_leaves_the_array_with_its_lanes_followers():
    """Without it the whole array waits for one key, or the follower overtakes."""
    stage = Stage()
    holder = await stage.process().start()
    await holder.assign(P1)
    stage.receiver.rule = by_hand
    stage.say("b", "zoe", to=("client",), partition=P1)
    holder.poll()
    await until(lambda: bool(stage.receiver.open))
    held = stage.receiver.open[0]
    stage.receiver.rule = accept
    one = await sent_four(stage, "ann bob bob cat")
    await until(lambda: len(stage.receiver.requests) == 2)
    assert stage.receiver.arrivals("client")[1] == ("a", "d")
    held.reply(accept(held))
    await one.settled()
    assert stage.receiver.arrivals("client")[2] == ("c",)
    assert one.books.destinations["client"].suppressed == 1


@in_virtual_time
async def test_before_each_resend_all_members_are_reserved_again_and_a_settled_one_leaves():
    """`unclear`: two duplicates from one lost answer. The array was in doubt, its reservations lapsed, and another
    record with the key of one member was accepted meanwhile."""
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await sent_four(stage)
    await until(lambda: bool(stage.receiver.open))
    first = stage.receiver.open[0]
    first.reply(broken(first))
    await until(lambda: one.books.destinations["client"].in_doubt == 4)
    other = await stage.process().start()
    await other.assign(P1)
    one.ledger.down = True  # It stalls for longer than a reservation lives.
    await until(lambda: loop().now_s > 1_000.0 + AGE_S + 10.0)
    stage.receiver.rule = accept
    stage.say("b", "zoe", to=("client",), partition=P1)
    other.poll()
    await other.settled()
    asked = len(stage.journal)
    one.ledger.down = False
    await one.settled()
    reserves = [entry for entry in stage.journal[asked:] if entry[0] == "reserve"]
    assert reserves == [("reserve", [at(0), at(1), at(2), at(3)])]
    again = stage.receiver.requests[-1]
    assert again.ids == ("a", "c", "d")
    assert again.key != first.key, "the rest is a new array with its own key"
    books = one.books.destinations["client"]
    assert (books.delivered, books.suppressed, books.in_doubt) == (3, 1, 1)
    assert stage.receiver.duplicates("client") == 0
    stage.check_receiver()


@in_virtual_time
async def test_members_of_a_revoked_partition_leave_and_the_rest_goes_on_as_a_new_array():
    stage = Stage()
    one = await stage.process(client=ARRAYS).start()
    await one.assign(P0, P1)
    stage.receiver.rule = by_hand
    for name, user, partition in (("a", "ann", P0), ("b", "bob", P1), ("c", "cat", P0), ("d", "dan", P1)):
        stage.say(name, user, to=("client",), partition=partition)
    one.poll()
    await until(lambda: bool(stage.receiver.open))
    first = stage.receiver.open[0]
    first.reply(broken(first))
    await until(lambda: one.books.destinations["client"].in_doubt == 4)
    stage.receiver.rule = accept
    await one.revoke(P0)
    await one.settled()
    again = stage.receiver.requests[-1]
    assert (first.ids, again.ids) == (("a", "c", "b", "d"), ("b", "d"))
    assert again.key != first.key
    books = one.books.destinations["client"]
    assert (books.delivered, books.abandoned, books.in_doubt) == (2, 2, 2)
    await quiet()
    assert stage.store.reserved == {}


@in_virtual_time
async def test_a_revoke_gives_up_at_once_also_the_parts_to_come_of_a_bisected_array():
    """The parts wait for the half on the wire, or being reserved: they are queued all the same."""
    for hang in ("", "reserve"):
        stage = Stage()
        one = await stage.process(client=ARRAYS).start()
        await one.assign(P0, P1)
        stage.receiver.rule = by_hand
        for name, partition in (("a", P1), ("b", P1), ("c", P0), ("d", P0)):
            stage.say(name, name, to=("client",), partition=partition)
        one.epochs = {P1: one.epochs[P1], P0: one.epochs[P0]}
        one.poll()
        await until(lambda: bool(stage.receiver.open))
        assert stage.receiver.open[0].ids == FOUR
        event = one.ledger.hang(hang) if hang else None
        stage.receiver.answer(refuse)
        await until(lambda: not stage.receiver.open or len(stage.receiver.requests) == 2)
        await until(lambda: bool(hang) or len(stage.receiver.open) == 1)
        draining = loop().create_task(one.revoke(P0))
        await quiet()
        assert one.books.destinations["client"].abandoned == 2, hang
        if event is not None:
            event.set()
        await until(lambda: len(stage.receiver.open) == 1)
        stage.receiver.answer(accept)
        await draining
        await one.settled()
        assert stage.receiver.arrivals("client") == [FOUR, ("a", "b")]
        assert stage.store.reserved == {}


@in_virtual_time
async def test_of_an_array_that_is_refused_while_one_of_its_partitions_drains_the_rest_is_judged_anew():
    """The guilty one may have left: what stays is asked again as a whole before it is bisected."""
    stage = Stage()
    one = await stage.process(client=ARRAYS).start()
    await one.assign(P0, P1)
    stage.receiver.rule = by_hand
    for name, partition in (("a", P0), ("b", P1), ("c", P0), ("d", P1)):
        stage.say(name, name, to=("client",), partition=partition)
    one.poll()
    await until(lambda: bool(stage.receiver.open))
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    stage.receiver.rule = refusing("d")
    stage.receiver.answer(refuse)
    await draining
    await one.settled()
    assert stage.receiver.arrivals("client")[1:] == [("b", "d"), ("b",), ("d",)]
    books = one.books.destinations["client"]
    assert (books.delivered, books.dead_lettered, books.abandoned) == (1, 1, 2)
