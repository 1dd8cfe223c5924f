"""The adaptive limit in the pipeline: what a receiver's answers, and only they, teach the gate."""

from dataclasses import replace

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.status import _state
from tests.unit.pipeline.receiver import Reply, Request, accept, throttle
from tests.unit.pipeline.stage import P0, P1, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, until

TAKES = 4


def gate(**policy: object) -> GatePolicy:
    return GatePolicy(max_in_flight=16, backoff=Backoff(base_s=0.2, max_s=5.0), **policy)  # type: ignore[arg-type]


async def busy(stage: Stage, policy: GatePolicy) -> Process:
    one = await stage.process(
        distinct={"gate": policy, "sink": SinkPolicy(max_items=1, linger_s=0.0)}
    ).start()
    await one.assign(P0, P1)
    for number in range(400):
        stage.say(f"e-{number}", f"user-{number}", to=("distinct",))
    one.poll()
    return one


def takes_no_more_than(stage: Stage, most: int):
    """Refuses by 429 what is more than so many at a time."""

    def rule(request: Request) -> Reply:
        # The request itself is among the open ones.
        return accept(request) if len(stage.receiver.open) <= most else throttle(0)(request)

    return rule


def one_after_another(stage: Stage, reply: Reply) -> Reply:
    return replace(reply, after_s=0.01 * len(stage.receiver.open))


@in_virtual_time
async def test_what_was_sent_together_and_refused_together_halves_the_limit_once() -> None:
    stage = Stage()
    stage.receiver.rule = lambda request: one_after_another(stage, throttle(2)(request))
    one = await busy(stage, gate())
    await until(lambda: len(stage.receiver.requests) == 16 and not stage.receiver.open)
    stage.receiver.rule = accept
    assert one.sinks["distinct"].gate.limit == 8
    await until(lambda: one.books.destinations["distinct"].delivered > 0)
    assert one.sinks["distinct"].gate.limit >= 8
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 400


@in_virtual_time
async def test_the_limit_settles_at_what_the_receiver_takes_and_the_status_says_why() -> None:
    stage = Stage()
    stage.receiver.rule = takes_no_more_than(stage, TAKES)
    one = await busy(stage, gate())
    await until(lambda: one.books.destinations["distinct"].delivered > 200)
    sink = one.sinks["distinct"]
    assert sink.gate.limit == TAKES
    assert _state(sink)["limit"] == TAKES
    assert _state(sink)["limit_reason"].startswith(f"{TAKES + 1} were refused; tried again in ")
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 400


@in_virtual_time
async def test_a_fixed_limit_stays_whatever_the_receiver_refuses() -> None:
    stage = Stage()
    stage.receiver.rule = takes_no_more_than(stage, TAKES)
    one = await busy(stage, gate(adaptive=False))
    await until(lambda: one.books.destinations["distinct"].delivered > 200)
    sink = one.sinks["distinct"]
    assert (sink.gate.limit, _state(sink)["limit_reason"]) == (16, "fixed by the topology")
    await one.settled()
