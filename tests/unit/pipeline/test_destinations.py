"""What a topology says of each destination: paused, so many requests a second, a breaker."""

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.sink_policy import SinkPolicy
from tests.unit.pipeline.receiver import accept, broken
from tests.unit.pipeline.stage import P0, P1, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, until

_BACKOFF = Backoff(base_s=0.2, max_s=5.0)


@in_virtual_time
async def test_a_paused_destination_holds_its_records_and_the_others_go_on():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0, P1)
    one.sinks["distinct"].paused = True
    for number in range(20):
        stage.say(f"e-{number}", f"user-{number}", to=("distinct", "client"))
    one.poll()
    await until(lambda: one.books.destinations["client"].delivered == 20)
    assert stage.receiver.arrivals("distinct") == []
    assert one.coordinator.count().in_flight == 20
    await one.commit()
    assert stage.committed.get(P0, 0) == 0

    one.sinks["distinct"].paused = False
    one.sinks["distinct"].wake()
    await one.settled()
    await one.commit()

    assert one.books.destinations["distinct"].delivered == 20
    assert stage.committed[P0] == 20


@in_virtual_time
async def test_no_more_requests_a_second_leave_than_the_rate():
    stage = Stage()
    limited = {"gate": GatePolicy(max_in_flight=64, rate_per_s=10.0, backoff=_BACKOFF)}
    one = await stage.process(distinct=limited).start()
    await one.assign(P0, P1)
    for number in range(40):
        stage.say(f"e-{number}", f"user-{number}")
    begun_s = loop().now_s
    one.poll()
    await one.settled()
    took_s = loop().now_s - begun_s

    assert len(stage.receiver.arrivals("distinct")) == 40
    assert 3.5 <= took_s <= 5.0


@in_virtual_time
async def test_a_breaker_opens_after_so_many_unclear_answers_in_a_row():
    stage = Stage()
    stage.receiver.rule = broken
    breaking = {
        "gate": GatePolicy(max_in_flight=1, breaker_after=2, backoff=_BACKOFF),
        "sink": SinkPolicy(max_items=1, linger_s=0.0),
    }
    one = await stage.process(distinct=breaking).start()
    await one.assign(P0, P1)
    for number in range(5):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    assert len(stage.receiver.arrivals("distinct")) == 2

    stage.receiver.rule = accept
    await one.settled()

    assert one.sinks["distinct"].gate.halted is None
    assert one.books.destinations["distinct"].delivered == 5
