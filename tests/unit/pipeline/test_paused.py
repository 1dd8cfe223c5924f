"""A destination that the topology pauses: its records wait, and nobody else does. (Design part 3.)"""

import asyncio

from tests.unit.pipeline.stage import P0, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, until


@in_virtual_time
async def test_a_paused_destination_holds_its_records_while_the_others_go_on_and_delivers_them_when_resumed():
    stage = Stage()
    one = await stage.process().start()
    one.sinks["client"].paused = True
    await one.assign(P0)
    for number in range(30):
        stage.say(f"both-{number}", f"user-{number % 7}", to=("client", "distinct"))
        stage.say(f"one-{number}", f"user-{number % 7}", to=("distinct",))

    one.poll()
    await until(lambda: stage.delivered["distinct"] == 60)
    await asyncio.sleep(3600.0)

    assert stage.receiver.arrivals("client") == []
    assert one.books.destinations["client"].in_flight == 30
    assert stage.committed == {}, "the first record waits for it"
    assert stage.letters.letters == []

    one.sinks["client"].paused = False
    one.sinks["client"].wake()
    await one.settled()
    assert sum(stage.receiver.accepted["client"].values()) == 30
    await until(lambda: stage.committed == {P0: 60})
