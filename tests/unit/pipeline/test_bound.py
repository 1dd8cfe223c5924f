"""The bound of what is unsettled: who fills it, and who goes on all the same. (Design rules 3 and 4.)"""

import asyncio

from consumer.core.pressure import PressurePolicy
from tests.unit.pipeline.receiver import Reply, Request, accept, unauthorized
from tests.unit.pipeline.stage import OTHER, OTHER_TOPIC, P0, TOPIC, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, until


def clients_key_is_refused(request: Request) -> Reply:
    return unauthorized(request) if request.api == "client" else accept(request)


async def poll_all(one: Process, until_polled: int, seconds: float = 5.0) -> None:
    """Poll one record of each topic at a time, as far as the bound allows."""
    for _ in range(until_polled):
        one.poll(1)
        await asyncio.sleep(seconds / until_polled)


@in_virtual_time
async def test_a_halted_destination_never_stops_a_topic_that_has_no_route_to_it():
    stage = Stage()
    stage.receiver.rule = clients_key_is_refused
    topics = (TOPIC, OTHER_TOPIC)
    one = await stage.process(pressure=PressurePolicy(max_pending=20), topics=topics).start()
    await one.assign(P0, OTHER)
    for number in range(50):
        stage.say(f"stuck-{number}", f"user-{number}", to=("client",), partition=P0)
        stage.say(f"e-{number}", f"user-{number}", to=("distinct",), partition=OTHER)

    await poll_all(one, 60)

    assert stage.delivered == {"distinct": 50, "client": 0}
    assert one.poller.resting == {TOPIC}
    assert one.sinks["client"].in_flight == 15, "its topic's own quarter of the bound, and the common half"
    stage.receiver.rule = accept
    await until(lambda: one.poller.polling)
    await poll_all(one, 60)
    await one.settled()
    assert stage.delivered == {"distinct": 50, "client": 50}


@in_virtual_time
async def test_on_a_topic_of_both_the_other_goes_on_until_the_bound_is_reached():
    """A record that waits for one of them is unsettled for both: what was read is delivered, and no more is read."""
    stage = Stage()
    stage.receiver.rule = clients_key_is_refused
    one = await stage.process(pressure=PressurePolicy(max_pending=20)).start()
    await one.assign(P0)
    for number in range(50):
        stage.say(f"e-{number}", f"user-{number}", to=("client", "distinct"))

    await poll_all(one, 60)

    assert stage.delivered == {"distinct": 20, "client": 0}
    assert not one.poller.polling
