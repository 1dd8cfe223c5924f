"""Order is record order, per lane, and it is the order of sending; who has a lane of his own. (Design rule 3.) That no
record overtakes another of its lane is checked at every request of every test here: see `stage.Process`."""

from typing import Any

from consumer.endpoints.client_events import ClientEvents
from consumer.endpoints.outcome import Outcome, Refused, Rejected
from consumer.http.sender import Answer
from tests.unit.pipeline.receiver import (
    Reply,
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
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet, until


async def serving(stage: Stage, **policies: Any) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(P0, P1)
    return one


@in_virtual_time
async def test_a_users_records_are_sent_in_order_through_every_kind_of_trouble():
    stage = Stage()
    stage.receiver.rule = script(
        a_0=[broken, throttle(1), unauthorized, unknown_user],
        a_1=[refuse],
        a_2=[unknown_user, unknown_user, broken],
        a_3=[unauthorized, broken],
        b_1=[broken, broken],
    )
    one = await serving(stage)
    for number in range(6):
        stage.say(f"a-{number}", "ann", to=("distinct", "client"))
        stage.say(f"b-{number}", "bob", to=("distinct", "client"))
    one.poll()
    await one.settled()
    for api in ("distinct", "client"):
        arrivals = [name for ids in stage.receiver.arrivals(api) for name in ids]
        for user in ("a", "b"):
            firsts = sorted((name for name in set(arrivals) if name.startswith(user)), key=arrivals.index)
            assert firsts == sorted(firsts), f"{user} at {api}"


@in_virtual_time
async def test_a_bisected_array_sends_no_later_record_of_a_user_before_an_earlier_one_ended():
    stage = Stage()
    stage.receiver.rule = refusing("a-1", "b-0")
    one = await serving(stage)
    for number in range(4):
        for user in ("a", "b"):
            stage.say(f"{user}-{number}", user, to=("client",))
    one.poll()
    await one.settled()
    assert one.books.destinations["client"].delivered == 6
    assert one.books.destinations["client"].dead_lettered == 2


class EventsOfKnownUsers(ClientEvents):
    """Arrays, at a receiver that says of a single one whose user it does not know."""

    def classify(self, answer: Answer) -> Outcome:
        if answer.status == 404:
            return Rejected("User not found.", 404, Refused.UNKNOWN_USER)
        return super().classify(answer)


@in_virtual_time
async def test_an_unknown_user_in_an_array_takes_its_followers_in_later_parts_back_with_it():
    """The parts to come hold records of the same user: they must not go before the one that waits."""
    stage = Stage()
    one = await serving(stage)
    one.operations["client"] = EventsOfKnownUsers(one.clock)
    unknown = Reply(Answer(404, {}, b""))
    stage.receiver.rule = script(a_0=[refuse, refuse, lambda request: unknown])
    for number in range(4):
        stage.say(f"a-{number}", "ann", to=("client",))
    stage.say("b-0", "bob", to=("client",))
    one.poll()
    await one.settled()
    everything = ("a-0", "a-1", "a-2", "a-3", "b-0")
    assert stage.receiver.arrivals("client") == [
        everything,
        ("a-0", "a-1"),
        ("a-0",),
        ("b-0",),
        ("a-0", "a-1", "a-2", "a-3"),
    ]


@in_virtual_time
async def test_one_user_at_two_destinations_has_a_lane_at_each():
    stage = Stage()
    stage.receiver.rule = lambda request: None if request.api == "client" else accept(request)
    one = await serving(stage)
    for number in range(3):
        stage.say(f"a-{number}", "ann", to=("distinct", "client"))
    one.poll()
    await until(lambda: stage.delivered["distinct"] == 3)
    stage.receiver.rule = accept
    await until(lambda: bool(stage.receiver.waiting))
    stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_the_same_key_in_two_partitions_is_two_lanes():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    stage.say("a", "ann", partition=P0)
    stage.say("b", "ann", partition=P1)
    one.poll()
    await quiet()
    assert sorted(stage.receiver.arrivals("distinct")) == [("a",), ("b",)]
    stage.receiver.answer(accept)
    stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_a_record_without_a_key_goes_by_its_user_and_without_that_by_its_partition():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    stage.say("ann-1", "ann", record_key=None)
    stage.say("bob-1", "bob", record_key=None)
    stage.say("ann-2", "ann", record_key=None)
    stage.say("nobody-1", "", record_key=None)
    stage.say("nobody-2", "", record_key=None)
    stage.say("elsewhere", "", record_key=None, partition=P1)
    one.poll()
    await quiet()
    assert sorted(stage.receiver.arrivals("distinct")) == [
        ("ann-1",),
        ("bob-1",),
        ("elsewhere",),
        ("nobody-1",),
    ]
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_a_route_without_ordering_lets_each_record_go_by_itself():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    for number in range(4):
        stage.say(f"a-{number}", "ann", ordered=False)
    one.poll()
    await quiet()
    assert len(stage.receiver.arrivals("distinct")) == 4
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_a_lane_whose_partition_came_back_with_another_operation_at_its_head_does_not_stall():
    """Its records were abandoned while it stood in the queue of one operation; the next begins with another's."""
    stage = Stage()
    stage.receiver.rule = script(first=[throttle(30)])
    one = await serving(stage)
    stage.say("first", "bob", to=("client",))
    one.poll()
    await until(lambda: one.books.destinations["client"].retries == 1)
    stage.say("a", "ann", to=("client",), partition=P1)
    one.poll()
    one.lose(P1)
    one.operations["client"] = ClientEvents(one.clock)
    await one.assign(P1)
    one.poll()
    # Nothing else happens when the gate opens but what this lane brings about itself.
    one.lose(P0)
    await one.settled(within_s=60.0)
    assert stage.receiver.arrivals("client") == [("first",), ("a",)]
