"""Another topology while records are in flight: they keep the version that they were mapped by."""

from collections.abc import Sequence
from dataclasses import replace

from consumer.core.gate import GatePolicy
from consumer.core.retries import Backoff
from consumer.ledger.ledger import Intent
from consumer.pipeline.sink_policy import SinkPolicy
from tests.unit.pipeline.receiver import accept, by_hand, refuse, unauthorized
from tests.unit.pipeline.stage import GARBAGE, P0, P1, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet, until

SINGLY = {
    "gate": GatePolicy(max_in_flight=1, backoff=Backoff(base_s=0.2, max_s=5.0)),
    "sink": SinkPolicy(max_items=1, linger_s=0.0),
}


async def serving(stage: Stage) -> Process:
    one = await stage.process(distinct=SINGLY).start()
    await one.assign(P0, P1)
    return one


def versions(stage: Stage) -> dict[int, str]:
    """Of the letters: offset → topology version."""
    found = {}
    for letter in stage.letters.letters:
        headers = {name: (value or b"").decode() for name, value in letter.headers}
        offset = int(headers["distinct-consumer.origin-offset"])
        found[offset] = headers["distinct-consumer.topology-version"]
    return found


@in_virtual_time
async def test_a_letter_names_the_version_that_its_record_was_mapped_by():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = await serving(stage)
    stage.say("before", "ann")
    one.poll()
    await until(lambda: bool(stage.receiver.waiting))

    one.intake.plan = replace(one.intake.plan, version="another")
    stage.say("after", "bob")
    stage.produce(GARBAGE)
    one.poll()
    await quiet()
    stage.receiver.rule = refuse
    stage.receiver.answer(refuse)
    await one.settled()

    assert versions(stage) == {0: "0123456789ab", 1: "another", 2: "another"}


@in_virtual_time
async def test_the_ledger_has_the_version_beside_each_key():
    stage = Stage()
    one = await serving(stage)
    confirm, confirmed = one.memory.confirm, list[Intent]()

    async def watched(intents: Sequence[Intent]) -> None:
        confirmed.extend(intents)
        await confirm(intents)

    one.memory.confirm = watched  # type: ignore[method-assign]
    stage.say("before", "ann", to=("distinct",))
    one.poll()
    await one.settled()
    one.intake.plan = replace(one.intake.plan, version="another")
    stage.say("after", "bob", to=("distinct",))
    one.poll()
    await one.settled()

    assert list(await one.memory.mapped_by(confirmed)) == ["0123456789ab", "another"]


@in_virtual_time
async def test_what_was_mapped_before_is_sent_as_it_was_mapped():
    stage = Stage()
    stage.receiver.rule = unauthorized
    one = await serving(stage)
    stage.say("before", "ann")
    one.poll()
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    halted = one.sinks["distinct"].gate.halted

    one.intake.plan = replace(one.intake.plan, routers={"user-events": lambda datum, record: []})
    stage.say("after", "bob")
    one.poll()
    await quiet()
    assert halted is not None
    stage.receiver.rule = accept
    await one.settled()

    assert [name for ids in stage.receiver.arrivals("distinct") for name in set(ids)][-1] == "before"
    assert one.books.destinations["distinct"].delivered == 1
    assert one.books.unrouted == 1
