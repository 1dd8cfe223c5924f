"""Reservations, sentence by sentence of the protocol: who holds what, until when, and who waits for whom. The ledger's
own half is in tests/contract/ledgers; here is what the pipeline has to do for it."""

import asyncio

from consumer.core.gate import Gate, GatePolicy
from consumer.core.retries import Backoff
from consumer.pipeline.coordinator import RECLAIM_AFTER_S
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy
from consumer.types import Origin
from tests.unit.pipeline.receiver import accept, broken, by_hand, lost, refuse, script, throttle, unauthorized
from tests.unit.pipeline.stage import LEASE_S, P0, P1, TOPIC, Stage
from tests.unit.pipeline.virtual_time import in_virtual_time, loop, quiet, until

ONE_AT_A_TIME = {"gate": GatePolicy(max_in_flight=1, backoff=Backoff(base_s=0.2, max_s=5.0))}


def at(offset: int, partition: int = 0) -> Origin:
    return Origin(TOPIC, partition, offset)


# --- reserve comes last: after the gate, and at the lane's head ---


@in_virtual_time
async def test_nothing_is_reserved_while_the_gate_is_closed():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = throttle(30)
    stage.say("a", "ann")
    one.poll()
    await until(lambda: one.sinks["distinct"].books.retries == 1)
    reserved = stage.names("reserve")
    stage.receiver.rule = accept
    stage.say("b", "bob")
    one.poll()
    await quiet()
    assert stage.names("reserve") == reserved
    assert stage.store.reserved == {}, "what cannot go yet keeps nobody waiting for its key"
    await one.settled()
    assert sorted(stage.receiver.arrivals("distinct")) == [("a",), ("a",), ("b",)]


@in_virtual_time
async def test_a_follower_is_not_reserved_before_it_is_at_the_head_of_its_lane():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    for name in ("a", "b", "c"):
        stage.say(name, "ann")
    one.poll()
    await quiet()
    assert stage.happened("reserve") == [("reserve", [at(0)])]
    stage.receiver.answer(accept)
    await until(lambda: len(stage.receiver.requests) == 2)
    assert stage.happened("reserve") == [("reserve", [at(0)]), ("reserve", [at(1)])]
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_at_most_one_gates_worth_is_reserved_ahead():
    stage = Stage()
    one = await stage.process(distinct={"gate": GatePolicy(max_in_flight=3)}).start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    for number in range(20):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await quiet()
    assert len(stage.receiver.open) == 3
    assert len(stage.store.reserved) == 6
    stage.receiver.rule = accept
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await one.settled()


@in_virtual_time
async def test_what_is_reserved_ahead_is_given_back_when_the_destination_halts():
    """Without it a record that cannot go keeps others, which have their own account or process, waiting."""
    stage = Stage()
    one = await stage.process(distinct={"gate": GatePolicy(max_in_flight=2)}).start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    for number in range(6):
        stage.say(f"e-{number}", f"user-{number}")
    one.poll()
    await quiet()
    assert len(stage.store.reserved) == 4
    while stage.receiver.waiting:
        stage.receiver.answer(unauthorized)
    await until(lambda: one.sinks["distinct"].gate.halted is not None)
    await until(lambda: not stage.receiver.open)
    await quiet()
    assert stage.store.reserved == {}
    stage.receiver.rule = accept
    await one.settled()
    assert one.books.destinations["distinct"].delivered == 6


@in_virtual_time
async def test_a_reservation_is_renewed_before_a_send_that_comes_long_after_it():
    """`age`: a reservation that was only taken long before could lapse while its request is on the wire."""
    stage = Stage()
    one = await stage.process(distinct={**ONE_AT_A_TIME, "sink": SinkPolicy(fresh_s=5.0)}).start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("a", "ann")
    stage.say("b", "bob")
    one.poll()
    await quiet()
    assert len(stage.store.reserved) == 2
    await until(lambda: loop().now_s > 1_020.0)
    asked = len(stage.names("reserve"))
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await one.settled()
    assert stage.happened("reserve")[asked:] == [("reserve", [at(1)])], "b was reserved again before it went"


@in_virtual_time
async def test_a_process_that_is_stopped_between_the_gate_and_the_wire_asks_again_before_it_sends(
    monkeypatch,
):
    """`age`: whoever took over meanwhile may have delivered it."""
    stage = Stage()
    one = await stage.process(distinct={**ONE_AT_A_TIME, "sink": SinkPolicy(fresh_s=5.0)}).start()
    await one.assign(P0)
    start = Gate.start

    def stopped_once(gate: Gate) -> int:
        monkeypatch.setattr(Gate, "start", start)
        loop().now_s += 7.0
        return start(gate)

    monkeypatch.setattr(Gate, "start", stopped_once)
    stage.say("a", "ann", to=("distinct",))
    one.poll()
    await one.settled()

    assert stage.names("reserve") == ["reserve", "reserve"], "before the stop, and after it"
    assert stage.receiver.arrivals("distinct") == [("a",)]
    assert one.books.destinations["distinct"].delivered == 1


# --- waiting for another holder ---


@in_virtual_time
async def test_a_record_that_waits_for_another_holder_stops_neither_its_process_nor_other_partitions():
    """`waiting`: another process is on the wire with this key."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    await second.assign(P1)
    stage.receiver.rule = by_hand
    stage.say("same", "ann", partition=P0)
    first.poll()
    await quiet()
    stage.receiver.rule = accept
    stage.say("same", "zoe", partition=P1)
    stage.say("after", "zoe", partition=P1)
    stage.say("other", "bob", partition=P1)
    second.poll()
    await until(lambda: ("other",) in stage.receiver.arrivals("distinct"))
    stage.say("later", "eve", partition=P1)
    assert second.poll() == 1
    await until(lambda: ("later",) in stage.receiver.arrivals("distinct"))
    assert ("after",) not in stage.receiver.arrivals("distinct"), "its lane keeps its order"
    stage.receiver.answer(accept)
    await second.settled()
    assert second.books.destinations["distinct"].suppressed == 1
    assert stage.receiver.arrivals("distinct")[-1] == ("after",)
    assert stage.receiver.accepted["distinct"]["same"] == 1


@in_virtual_time
async def test_two_records_with_one_key_in_one_process_wait_for_each_other_like_strangers():
    """`own again`: the same owner is not the same record. Without it both are sent."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    for user in ("ann", "bob", "cat"):
        stage.say("same", user)
    one.poll()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("same",)]
    books = one.books.destinations["distinct"]
    assert (books.delivered, books.suppressed) == (1, 2)


@in_virtual_time
async def test_a_record_that_waited_goes_when_the_holder_was_refused():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("same", "ann")
    stage.say("same", "bob")
    one.poll()
    await quiet()
    stage.receiver.rule = accept
    stage.receiver.answer(refuse)
    await one.settled()
    books = one.books.destinations["distinct"]
    assert (books.dead_lettered, books.delivered) == (1, 1)
    assert stage.letters.origins() == [("0", "distinct")]


@in_virtual_time
async def test_the_same_record_redelivered_takes_back_its_own_reservation_at_once():
    """`own again`: its request was on the wire when the partition was lost. It need not wait for its own lease."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("a")
    first.poll()
    await quiet()
    first.lose(P0)
    await second.assign(P0)
    second.poll()
    await quiet()
    assert [request.process for request in stage.receiver.open] == ["process-1", "process-2"]
    while stage.receiver.waiting:
        stage.receiver.answer(accept)
    await second.settled()


@in_virtual_time
async def test_what_a_killed_process_held_is_taken_over_after_its_lease():
    """`take over`: another record with the key of one that was on the wire at the kill."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    await second.assign(P1)
    stage.receiver.rule = by_hand
    stage.say("same", "ann", partition=P0)
    first.poll()
    await quiet()
    killed_s = loop().now_s
    await first.kill()
    stage.receiver.rule = accept
    stage.say("same", "zoe", partition=P1)
    second.poll()
    await second.settled()
    waited_s = stage.receiver.requests[-1].at_s - killed_s
    assert stage.receiver.requests[-1].process == "process-2"
    assert LEASE_S / 2 < waited_s < LEASE_S + 2.0


@in_virtual_time
async def test_two_records_that_each_wait_behind_the_others_key_do_not_wait_in_a_circle():
    """Arrays of two lanes that hold crosswise what the other wants: who must wait holds nothing meanwhile."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    await second.assign(P1)
    for name, user in (("x", "ann"), ("y", "ann"), ("z", "bob")):
        stage.say(name, user, partition=P0, to=("client",))
    for name, user in (("y", "zoe"), ("x", "zoe"), ("z", "zed")):
        stage.say(name, user, partition=P1, to=("client",))
    first.poll()
    second.poll()
    await first.settled(within_s=30.0)
    await second.settled(within_s=30.0)
    assert stage.receiver.accepted["client"] == {"x": 1, "y": 1, "z": 1}
    assert stage.delivered["client"] == 3


# --- epochs ---


@in_virtual_time
async def test_a_fenced_process_that_does_not_know_yet_sends_nothing_of_its_queue_and_commits_nothing():
    """`epoch`: without it a process whose partition went elsewhere sends its whole queue."""
    stage = Stage()
    first, second = await stage.process(distinct=ONE_AT_A_TIME).start(), await stage.process().start()
    await first.assign(P0)
    stage.receiver.rule = by_hand
    for number in range(10):
        stage.say(f"e-{number}", f"user-{number}")
    first.poll()
    await quiet()
    on_the_wire = [request.ids for request in stage.receiver.open]
    await second.assign(P0)
    stage.receiver.rule = accept
    stage.receiver.answer(accept)
    await first.settled()
    await first.commit()
    await quiet()
    # One more was reserved before the epoch was written, and may go.
    sent = [request.ids for request in stage.receiver.requests if request.process == "process-1"]
    assert len(sent) <= len(on_the_wire) + 1
    assert first.books.abandoned >= 10 - len(sent)
    assert first.coordinator.assignments == {}
    assert stage.committed == {}
    assert any("fenced" in note for note in first.notes)
    second.poll()
    await second.settled()
    assert sum(stage.receiver.accepted["distinct"].values()) == 10, "nothing lost, and nothing came twice"
    await asyncio.sleep(RECLAIM_AFTER_S)
    assert [partition for partition, _ in first.poller.reclaimed] == [P0], "Kafka is asked whose it is"


@in_virtual_time
async def test_what_a_fenced_process_held_after_an_unclear_answer_is_given_back():
    """`end of assignment`, by a fence: without it another partition's record with that key waits until the
    reservation's age, for an owner that is alive."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    stage.receiver.rule = script(same=[broken])
    stage.say("same", "ann", partition=P0)
    first.poll()
    await until(lambda: first.books.destinations["distinct"].in_doubt == 1)
    assert len(stage.store.reserved) == 1
    await second.assign(P0)
    second.next[P0] = 1  # It has not come to this record yet.
    await until(lambda: first.coordinator.assignments == {})
    await quiet()
    assert stage.store.reserved == {}
    assert first.books.destinations["distinct"].abandoned == 1


@in_virtual_time
async def test_a_fence_that_shows_during_a_drain_still_commits_nothing():
    """`epoch` and `lost`: a reservation under way when the drain began comes back fenced."""
    stage = Stage()
    first, second = await stage.process().start(), await stage.process().start()
    await first.assign(P0)
    stage.say("a", "ann")
    first.poll()
    await first.settled()
    stage.say("b", "bob")
    reserving = first.ledger.hang("reserve")
    first.poll()
    await quiet()
    draining = loop().create_task(first.coordinator.drain([P0], 10.0))
    await quiet()
    await second.assign(P0)
    reserving.set()
    assert await draining == {}
    assert stage.committed == {}


# --- an end of assignment gives back what is not on the wire ---


@in_virtual_time
async def test_a_revoke_gives_back_what_is_reserved_and_not_on_the_wire():
    """`end of assignment`: without it another partition's record with that key waits for ever."""
    stage = Stage()
    one = await stage.process(distinct=ONE_AT_A_TIME).start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("a", "ann")
    stage.say("b", "bob")
    one.poll()
    await quiet()
    assert len(stage.store.reserved) == 2
    draining = loop().create_task(one.revoke(P0))
    await quiet()
    assert [row.holder.origin for row in stage.store.reserved.values()] == [at(0)], "only the wire's is left"
    stage.receiver.answer(accept)
    await draining
    assert stage.store.reserved == {}
    assert stage.committed[P0] == 1


@in_virtual_time
async def test_a_revoke_gives_back_also_what_is_kept_after_an_unclear_answer():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = script(a=[broken] * 9)
    stage.say("a", "ann")
    one.poll()
    await until(lambda: one.books.destinations["distinct"].in_doubt == 1)
    assert len(stage.store.reserved) == 1
    await one.revoke(P0)
    assert stage.store.reserved == {}
    books = one.books.destinations["distinct"]
    assert (books.abandoned, books.in_doubt, books.dead_lettered) == (1, 1, 0)


@in_virtual_time
async def test_what_is_on_the_wire_at_the_deadline_is_given_back_when_its_time_out_comes():
    """`end of assignment`: one still on the wire is given back or confirmed when its answer or time-out comes."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("a", "ann")
    one.poll()
    await quiet()
    await one.revoke(P0, deadline_s=2.0)
    assert len(stage.store.reserved) == 1, "it may still be taken"
    stage.receiver.answer(broken)
    await one.settled()
    await quiet()
    assert stage.store.reserved == {}
    assert len(stage.receiver.requests) == 1, "it is the next owner's now"


@in_virtual_time
async def test_a_partition_that_leaves_while_its_reservation_is_made_gives_it_back():
    """The race between revoke and reserve: the ledger grants what is not ours any more."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0, P1)
    stage.say("a", "ann", partition=P0)
    stage.say("b", "bob", partition=P1)
    reserving = one.ledger.hang("reserve")
    one.poll()
    await quiet()
    one.lose(P0)
    reserving.set()
    await one.settled()
    await quiet()
    assert stage.receiver.arrivals("distinct") == [("b",)]
    assert stage.store.reserved == {}
    assert one.books.abandoned == 1


@in_virtual_time
async def test_a_partition_that_is_lost_between_the_gate_and_the_wire_sends_nothing():
    """The race between revoke and send: the request had its permit, and its task had not begun."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0, P1)
    sink = one.sinks["distinct"]
    stage.say("a", "ann", partition=P0)
    stage.say("b", "bob", partition=P1)
    one.poll()
    started = sink.gate.start

    def start_and_lose() -> int:
        if P0 in one.coordinator.assignments:
            loop().call_soon(one.lose, P0)
        return started()

    sink.gate.start = start_and_lose  # type: ignore[method-assign]
    # Queued before the request's task, so it runs first.
    await one.settled()
    await quiet()
    assert ("b",) in stage.receiver.arrivals("distinct")
    assert ("a",) not in stage.receiver.arrivals("distinct")
    assert sink.gate.in_flight == 0
    assert stage.store.reserved == {}


@in_virtual_time
async def test_a_drain_ends_only_when_the_ledger_has_what_is_given_back():
    """At a stop the process ends right after: what is not given back by then blocks its key until the lease."""
    stage = Stage()
    one = await stage.process(distinct=ONE_AT_A_TIME).start()
    await one.assign(P0)
    stage.receiver.rule = lost
    stage.say("a", "ann")
    stage.say("b", "bob")
    one.poll()
    await until(lambda: bool(stage.receiver.requests))
    releasing = one.ledger.hang("release")
    loop().call_later(1.5, releasing.set)
    await one.stop(deadline_s=2.0)
    assert stage.store.reserved == {}


@in_virtual_time
async def test_a_release_that_the_ledger_does_not_take_is_repeated():
    stage = Stage()
    one = await stage.process(distinct=ONE_AT_A_TIME).start()
    await one.assign(P0, P1)
    stage.receiver.rule = by_hand
    stage.say("a", "ann", partition=P0)
    stage.say("b", "bob", partition=P1)
    one.poll()
    await quiet()
    one.ledger.failing.add("release")
    one.lose(P1)
    await until(lambda: one.patient.trouble is not None)
    assert len(stage.store.reserved) == 2
    one.ledger.failing.clear()
    await until(lambda: len(stage.store.reserved) == 1)
    stage.receiver.answer(accept)
    await one.settled()


# --- keys and windows together ---


@in_virtual_time
async def test_of_several_opens_in_one_window_one_is_accepted_whatever_the_order():
    """`own again`: three accepted opens in one window."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0, P1)
    for number, minute in enumerate((10.0, 0.0, 5.0, 15.0)):
        stage.say(f"open-{number}", f"user-{number}", at_min=minute, partition=(P0, P1)[number % 2])
    one.poll()
    await one.settled()
    books = one.books.destinations["distinct"]
    assert (books.delivered, books.windowed) == (1, 3)


@in_virtual_time
async def test_an_open_near_a_reserved_one_waits_for_its_outcome_and_goes_when_that_is_refused():
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.receiver.rule = by_hand
    stage.say("open-1", "ann", at_min=0.0)
    stage.say("open-2", "bob", at_min=10.0)
    one.poll()
    await quiet()
    assert stage.receiver.arrivals("distinct") == [("open-1",)]
    stage.receiver.rule = accept
    stage.receiver.answer(refuse)
    await one.settled()
    books = one.books.destinations["distinct"]
    assert (books.dead_lettered, books.delivered, books.windowed) == (1, 1, 0)


@in_virtual_time
async def test_a_follower_in_the_lane_finds_the_window_of_the_open_before_it_confirmed():
    """The lanes go on only when the confirmation is durable: else the follower would wait for a settled record."""
    stage = Stage()
    one = await stage.process().start()
    await one.assign(P0)
    stage.say("open-1", "ann", at_min=0.0)
    stage.say("open-2", "ann", at_min=19.9)
    stage.say("open-3", "ann", at_min=20.0)
    confirming = one.ledger.hang("confirm")
    one.poll()
    await until(lambda: len(stage.receiver.requests) == 1 and not stage.receiver.open)
    await quiet()
    assert stage.names("reserve") == ["reserve"]
    confirming.set()
    await one.settled()
    assert stage.receiver.arrivals("distinct") == [("open-1",), ("open-3",)]


@in_virtual_time
async def test_a_record_whose_window_was_taken_while_it_was_in_doubt_gives_back_its_key():
    """It held key and window after an unclear answer, lapsed, and another's open was accepted near: what it still
    holds must not be forgotten with it, or the next record with its key waits for a settled one."""
    stage = Stage()
    patient = RetryPolicy(backoff=Backoff(base_s=0.2, max_s=5.0), unclear_votes=99)
    first = await stage.process(distinct={"retry": patient}).start()
    second = await stage.process().start()
    await first.assign(P0)
    await second.assign(P1)
    stage.receiver.rule = by_hand
    stage.say("open-1", "ann", at_min=0.0, partition=P0)
    first.poll()
    await quiet()
    stage.receiver.answer(broken)
    await until(lambda: first.books.destinations["distinct"].in_doubt == 1)
    # Another's open in the same window is acknowledged late, without a reservation of its own by now.
    stage.say("open-2", "zoe", at_min=5.0, partition=P1)
    (intent,) = [one.intent for one in await _deliveries_of(second)]
    await second.ledger.confirm([intent])
    stage.receiver.rule = accept
    await first.settled()
    await quiet()
    books = first.books.destinations["distinct"]
    assert (books.windowed, books.in_doubt) == (1, 1)
    assert stage.store.reserved == {}


async def _deliveries_of(process):  # type: ignore[no-untyped-def]
    """What a process makes of its next records, before it can send them."""
    process.sinks["distinct"].paused = True
    process.poll()
    await quiet()
    return [one for (_, _), lane in process.invariants.lanes.items() for one in lane]
