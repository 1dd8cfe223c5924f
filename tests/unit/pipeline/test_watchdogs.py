"""What stands without a reason is named, where and what; what has a reason never is.

That nothing is found where nothing is wrong is checked at every turn of every test of the pipeline: `Process.check`.
Here each watchdog has a real cause: a defect put into the pipeline, or a client that gives nothing.
"""

import asyncio

import pytest
from msgspec import structs

from consumer.core.audit import Difference
from consumer.core.gate import GatePolicy
from consumer.core.pressure import PressurePolicy
from consumer.ledger.ledger import Reservation, Wait
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.watchdogs import Watchdogs
from consumer.pipeline.whereabouts import Whereabouts
from consumer.types import Origin
from tests.unit.pipeline.process import WATCHFUL
from tests.unit.pipeline.receiver import accept, broken, by_hand, throttle, unauthorized
from tests.unit.pipeline.stage import P0, P1, TOPIC, Process, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

STUCK_S = WATCHFUL.stuck_after_s


async def serving(stage: Stage, **policies) -> Process:
    one = await stage.process(**policies).start()
    await one.assign(P0, P1)
    return one


def with_defect(one: Process) -> Process:
    """What goes wrong in it is wanted: the stage's own checks would end the test before the watchdogs look."""
    one.watched = False
    loop().each_turn = lambda: None
    return one


async def looking(one: Process, seconds: float) -> None:
    """Time passes, and the watchdogs look on."""
    for _ in range(int(seconds)):
        await asyncio.sleep(1.0)
        one.watchdogs.look()


# --- the books ---


@in_virtual_time
async def test_a_delivery_that_ends_without_being_counted_is_a_difference_that_names_the_destination(
    monkeypatch,
):
    stage = Stage()
    one = with_defect(await serving(stage))
    end = Settlement.end

    def forgetful(self, books, deliveries, ending):
        end(self, books, deliveries, ending)
        if ending is Ending.DELIVERED:
            books.delivered -= 1

    monkeypatch.setattr(Settlement, "end", forgetful)
    stage.say("a")
    one.poll()
    await looking(one, 2)

    assert one.watchdogs.differences == [Difference("destination distinct", "matched = what became of it", 1)]
    assert (
        "destination distinct: matched = what became of it does not hold: 1 too few"
        in one.watchdogs.troubles()["books"]
    )


@in_virtual_time
async def test_a_chunk_that_is_dropped_before_it_is_tracked_is_a_difference_that_names_the_partition(
    monkeypatch,
):
    stage = Stage()
    one = with_defect(await serving(stage))
    take = one.intake.take
    monkeypatch.setattr(
        one.intake, "take", lambda to, records: None if to.partition == P1 else take(to, records)
    )
    stage.say("a")
    stage.say("b", partition=P1)
    stage.say("c", partition=P1)
    one.poll()
    await looking(one, 2)

    assert one.watchdogs.differences == [Difference(f"partition {P1}", "polled = taken in", 2)]
    assert one.books.balanced, "what was never counted cannot be seen by the totals"


@in_virtual_time
async def test_what_was_handed_on_under_an_assignment_that_is_over_is_not_missed():
    stage = Stage()
    one = await serving(stage)
    before = one.epochs[P0]
    await one.revoke(P0)
    await one.assign(P0)
    stage.say("a")
    one.poll()
    one.coordinator.handed({P0: (before, 500), P1: (one.epochs[P1], 0)})
    assert one.coordinator.untaken == {P1: 0}


@in_virtual_time
async def test_a_batch_that_is_forgotten_is_a_difference_that_names_the_destination_and_then_a_stuck_lane_and_partition(
    monkeypatch,
):
    stage = Stage()
    stage.receiver.rule = broken
    one = with_defect(await serving(stage))
    stock = one.sinks["distinct"].stock
    later = stock.later
    monkeypatch.setattr(stock, "later", lambda batch, at_s: None)
    stage.say("a", "ann")
    stage.say("b", "ann", to=("distinct",))
    one.poll()
    await looking(one, 2)

    assert one.coordinator.count().balanced, "the totals count where it should be, not where it is"
    assert [(each.where, each.column) for each in one.watchdogs.differences] == [
        ("destination distinct", "in flight = found in lanes and requests")
    ]
    monkeypatch.setattr(stock, "later", later)
    stage.receiver.rule = accept
    await looking(one, STUCK_S + 10)

    (partition,), (lane,) = one.watchdogs.partitions, one.watchdogs.lanes
    assert partition.origin == Origin(TOPIC, 0, 0)
    assert partition.seconds >= STUCK_S
    assert (lane.destination, lane.origin.partition) == ("distinct", 0)
    assert "it was dropped" in lane.what
    told = one.watchdogs.troubles()
    assert told[f"partition {P0}"].startswith(
        f"stuck at {TOPIC}[0]@0: the first unsettled record from here on"
    )
    assert "restart the process" in told[f"partition {P0}"]
    shown = one.watchdogs.as_json()
    assert [(each["topic"], each["partition"], each["offset"]) for each in shown["stuck_partitions"]] == [
        (TOPIC, 0, 0)
    ]
    assert "ann" not in f"{told} {shown}", "a key may be a person's name"


# --- a partition ---


@in_virtual_time
async def test_a_record_that_was_dropped_before_any_lane_is_named_by_its_partition_and_offset(monkeypatch):
    stage = Stage()
    one = with_defect(await serving(stage))
    monkeypatch.setattr(one.sinks["distinct"], "offer", lambda lane_key, delivery: None)
    stage.say("a")
    one.poll()
    await looking(one, STUCK_S + 10)

    (partition,) = one.watchdogs.partitions
    assert partition.origin == Origin(TOPIC, 0, 0)
    assert "in no place of the pipeline" in partition.what
    assert one.watchdogs.lanes == []


@in_virtual_time
async def test_a_client_that_gives_nothing_though_the_partition_goes_on_is_named():
    """Fault 18: a batch that the client cannot read looks like this, whatever its cause."""
    stage = Stage()
    one = await serving(stage)
    one.watched = False
    for number in range(3):
        stage.say(f"e-{number}", partition=P1)
    one.poll(2)
    await one.settled()
    await looking(one, STUCK_S - 10)
    assert one.watchdogs.partitions == []
    await looking(one, 20)

    (partition,) = one.watchdogs.partitions
    assert partition.origin == Origin(TOPIC, 1, 2)
    assert "the client gives nothing" in partition.what
    assert "compression" in partition.next_step
    one.poll()
    await one.settled()
    await looking(one, 2)
    assert one.watchdogs.partitions == []


@in_virtual_time
async def test_a_partition_whose_end_was_read_over_gaps_is_not_stuck():
    stage = Stage()
    one = await serving(stage)
    stage.say("a")
    one.poll()
    await one.settled()
    one.coordinator.lag({P0: 5})
    one.coordinator.ends_of_partitions({P0: 5})
    await looking(one, STUCK_S + 20)


@in_virtual_time
async def test_commits_that_never_come_about_are_named():
    stage = Stage()
    one = await serving(stage)
    one.watched = False
    one.refuse_commits = "REQUEST_TIMED_OUT"
    stage.say("a")
    one.poll()
    await looking(one, STUCK_S + 10)

    (partition,) = one.watchdogs.partitions
    assert (partition.origin, "is not committed" in partition.what) == (Origin(TOPIC, 0, 0), True)
    one.refuse_commits = ""
    await looking(one, 5)
    assert one.watchdogs.partitions == []


@in_virtual_time
async def test_what_waits_for_a_commit_that_is_not_due_yet_is_no_alarm():
    stage = Stage()
    one = await serving(stage)
    one.watched = False
    patient = structs.replace(WATCHFUL, commit_interval_s=600.0)
    dogs = one.watchdogs = Watchdogs(
        patient, one.coordinator, one.intake, one.sinks, one.graveyard, one.patient, one.clock, lambda: 60.0
    )
    one.refuse_commits = "not yet"
    stage.say("a")
    one.poll()
    await looking(one, STUCK_S + 500)
    assert dogs.partitions == []
    await looking(one, 150)
    assert [each.origin for each in dogs.partitions] == [Origin(TOPIC, 0, 0)]


# --- a lane ---


@in_virtual_time
async def test_a_lane_that_no_one_wakes_is_named_and_the_others_are_not(monkeypatch):
    stage = Stage()
    one = with_defect(await serving(stage))
    monkeypatch.setattr(one.sinks["client"], "_pump", lambda: None)
    stage.say("a", "ann", to=("client",))
    stage.say("b", "bob", to=("distinct",), partition=P1)
    one.poll()
    await looking(one, STUCK_S + 10)

    (lane,) = one.watchdogs.lanes
    assert (lane.destination, lane.origin) == ("client", Origin(TOPIC, 0, 0))
    assert "at the head of its lane" in lane.what
    assert [each.origin for each in one.watchdogs.partitions] == [Origin(TOPIC, 0, 0)]


@in_virtual_time
async def test_what_came_since_the_look_before_is_not_looked_at_and_costs_next_to_nothing(monkeypatch):
    """Twenty thousand lanes can be ready behind one that stands, and nothing else happens while they are looked at."""
    stage = Stage()
    one = with_defect(await serving(stage))
    sink = one.sinks["client"]
    monkeypatch.setattr(sink, "_pump", lambda: None)
    stage.say("a", "ann", to=("client",))
    one.poll()
    await quiet()
    before = sink.lanes.last_arrival
    for number in range(50):
        stage.say(f"b{number}", f"user-{number}", to=("client",))
    one.poll()
    await quiet()

    survey = Whereabouts(sink, {}, loop().time(), before)
    later = Whereabouts(sink, {}, loop().time(), sink.lanes.last_arrival)

    assert [lane.items[0].intent.origin for lane in survey.suspects] == [Origin(TOPIC, 0, 0)]
    assert len(later.suspects) == 51


@in_virtual_time
async def test_a_request_that_outlives_its_time_out_is_named():
    stage = Stage()
    stage.receiver.rule = by_hand
    one = with_defect(await serving(stage))
    stage.say("a")
    one.poll()
    await looking(one, STUCK_S)
    assert one.watchdogs.lanes == [], "a request that is under way is a reason"
    await looking(one, 100)

    (lane,) = one.watchdogs.lanes
    assert "in a request" in lane.what


@in_virtual_time
async def test_a_record_that_waits_for_a_holder_who_never_lets_go_is_named(monkeypatch):
    """A holder's lease and age end: one that outlives them is the ledger's fault, and would be waited for for ever."""
    stage = Stage()
    one = with_defect(await serving(stage))

    async def held_by_others(intents):
        return Reservation(7, dict.fromkeys(range(len(intents)), Wait(Origin(TOPIC, 5, 0))))

    monkeypatch.setattr(one.ledger, "reserve", held_by_others)
    stage.say("a")
    one.poll()
    await looking(one, STUCK_S - 10)
    assert (one.faults, one.watchdogs.stuck) == ([], [])
    await looking(one, 30)

    assert [(each.destination, each.origin) for each in one.watchdogs.lanes] == [
        ("distinct", Origin(TOPIC, 0, 0))
    ]
    assert f"last refused for {TOPIC}[5]@0" in one.watchdogs.lanes[0].what


@in_virtual_time
async def test_a_record_that_waits_for_one_holder_after_another_is_no_alarm(monkeypatch):
    """Each may hold the key for its lease and age: two of them, longer than a lane may stand. A holder whose receiver
    is down reserves anew for each try."""
    stage = Stage()
    one = with_defect(await serving(stage))
    token = 0

    async def held_by_others(intents):
        return Reservation(7, dict.fromkeys(range(len(intents)), Wait(Origin(TOPIC, 5, 0), token)))

    monkeypatch.setattr(one.ledger, "reserve", held_by_others)
    stage.say("a")
    one.poll()
    for token in range(3):  # noqa: B007 (the closure reads it)
        await looking(one, STUCK_S - 10)

    assert (one.faults, one.watchdogs.stuck) == ([], [])


@in_virtual_time
async def test_records_that_a_mass_refusal_holds_are_no_alarm():
    stage = Stage()
    one = await serving(stage)
    for number in range(200):
        stage.say(f"e-{number}", f"user-{number}", how="unmapped")
    await play_for(400)(one)
    assert one.coordinator.count().in_flight > 0, "they are held indeed"


# --- no false alarms, for a long time ---


def play_for(seconds: float):
    """Let time pass with polls, as a run has them; the stage's checks fail at the first finding."""

    async def play(one: Process) -> None:
        for _ in range(int(seconds)):
            one.poll(50)
            await asyncio.sleep(1.0)

    return play


TROUBLES = {
    "a halt": unauthorized,
    "a receiver that is down": broken,
    "a Retry-After of minutes": throttle(600),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_waits_for_a_destination_in_trouble_is_no_alarm_however_long(trouble):
    @in_virtual_time
    async def play() -> None:
        stage = Stage()
        stage.receiver.rule = lambda request: (TROUBLES[trouble] if request.api == "client" else accept)(
            request
        )
        one = await serving(stage, pressure=PressurePolicy(max_pending=60))
        for number in range(120):
            stage.say(
                f"e-{number}",
                f"user-{number % 40}",
                to=("client", "distinct"),
                partition=(P0, P1)[number % 2],
            )
        await play_for(1_000)(one)
        assert one.pressure.records >= 60, "it waits indeed"
        stage.receiver.rule = accept
        await play_for(700)(one)
        assert stage.delivered == {"client": 120, "distinct": 120}

    play()


@in_virtual_time
async def test_a_slow_receiver_a_hot_user_and_a_paused_destination_are_no_alarm():
    stage = Stage()

    def slowly(request):
        reply = accept(request)
        return type(reply)(reply.answer, reply.taken, after_s=50.0)

    stage.receiver.rule = slowly
    one = await serving(stage, distinct={"gate": GatePolicy(max_in_flight=1)})
    one.sinks["client"].paused = True
    for number in range(60):
        stage.say(f"e-{number}", "ann", to=("distinct",), partition=P0)
        stage.say(f"f-{number}", f"user-{number}", to=("client",), partition=P1)
    await play_for(2_500)(one)
    assert one.books.destinations["client"].delivered == 0
    assert one.books.destinations["distinct"].delivered > 30


@in_virtual_time
async def test_a_registry_a_ledger_and_letters_that_are_down_for_long_are_troubles_of_their_own():
    stage = Stage()
    one = await serving(stage)
    stage.registry.down = True
    stage.produce(b"\0\0\0\0\7x", partition=P1)
    stage.say("a")
    one.ledger.down = True
    await play_for(1_000)(one)
    assert one.patient.trouble is not None
    assert one.intake.halted is not None
    one.ledger.down = stage.registry.down = False
    stage.letters.writable = False
    await play_for(1_000)(one)
    assert one.graveyard.unwritable is not None
    stage.letters.writable = True
    await until(lambda: one.coordinator.count().in_flight == 0)
    await quiet()


@in_virtual_time
async def test_a_watchdog_that_fails_says_so_and_ends_nothing(monkeypatch, caplog):
    stage = Stage()
    one = await serving(stage)
    monkeypatch.setattr(one.coordinator, "in_flight_by_topic", lambda: 1 / 0)
    stage.say("a")
    one.poll()
    await one.settled()
    await looking(one, 3)
    assert "the consumer goes on" in caplog.text
