"""How a sender keeps, shares and gives up its connections."""

import asyncio
from time import monotonic

import pytest

from consumer.http.sender import Answer, Failure, FailureKind, Sender
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, answer_of, failure_of


async def echo(wire: Wire, seen: Seen) -> None:
    await wire.write(response(200, seen.body))


async def test_one_connection_serves_request_after_request(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(echo)

    for number in range(5):
        body = str(number).encode()
        assert answer_of(await sender.post(receiver.url(), {}, body)).body == body

    assert receiver.connections == 1


async def test_two_hundred_requests_are_in_flight_at_once(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    all_there = asyncio.Event()

    async def hold(wire: Wire, seen: Seen) -> None:
        if len(receiver.seen) == 200:
            all_there.set()
        await all_there.wait()
        await echo(wire, seen)

    receiver = await receive(hold)
    sender = make_sender(max_connections=200, connect_timeout_s=20, total_timeout_s=20)
    bodies = [str(number).encode() for number in range(200)]

    results = await asyncio.gather(*(sender.post(receiver.url(), {}, body) for body in bodies))

    assert [answer_of(result).body for result in results] == bodies
    assert sorted(receiver.bodies) == sorted(bodies)


async def test_no_more_requests_are_in_flight_than_allowed(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    in_flight = most_in_flight = 0

    async def count(wire: Wire, seen: Seen) -> None:
        nonlocal in_flight, most_in_flight
        in_flight += 1
        most_in_flight = max(most_in_flight, in_flight)
        await asyncio.sleep(0.01)
        in_flight -= 1
        await echo(wire, seen)

    receiver = await receive(count)
    sender = make_sender(max_connections=4, connect_timeout_s=20, total_timeout_s=20)

    results = await asyncio.gather(*(sender.post(receiver.url(), {}, b"x") for _ in range(40)))

    assert all(isinstance(result, Answer) for result in results)
    assert len(receiver.seen) == 40
    assert most_in_flight == 4


async def test_what_gets_no_connection_in_time_is_not_sent(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    go_on = asyncio.Event()

    async def hold(wire: Wire, seen: Seen) -> None:
        await go_on.wait()
        await echo(wire, seen)

    receiver = await receive(hold)
    sender = make_sender(max_connections=1, connect_timeout_s=1.0, total_timeout_s=60)
    first = asyncio.create_task(sender.post(receiver.url(PATH), HEADERS, b"first"))
    await receiver.until(lambda: len(receiver.seen) == 1)

    waited = await asyncio.gather(*(sender.post(receiver.url(PATH), HEADERS, BODY) for _ in range(5)))
    go_on.set()
    answer_of(await first)

    for result in waited:
        failure_of(result, FailureKind.TIMEOUT, sent=False)
    assert receiver.bodies == [b"first"]


async def test_the_wait_for_a_connection_counts_towards_the_total_timeout(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    async def delay(wire: Wire, seen: Seen) -> None:
        await asyncio.sleep(3.0)
        await echo(wire, seen)

    receiver = await receive(delay)
    sender = make_sender(max_connections=1, connect_timeout_s=4.9, total_timeout_s=5.0)

    first, second = await asyncio.gather(
        sender.post(receiver.url(PATH), HEADERS, b"first"), sender.post(receiver.url(PATH), HEADERS, BODY)
    )

    answer_of(first)
    failure_of(second, FailureKind.TIMEOUT, sent=True)


async def test_a_cancelled_wait_for_a_connection_sends_nothing(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    go_on = asyncio.Event()

    async def hold(wire: Wire, seen: Seen) -> None:
        await go_on.wait()
        await echo(wire, seen)

    receiver = await receive(hold)
    sender = make_sender(max_connections=1, connect_timeout_s=20, total_timeout_s=20)
    first = asyncio.create_task(sender.post(receiver.url(), {}, b"first"))
    await receiver.until(lambda: len(receiver.seen) == 1)
    second = asyncio.create_task(sender.post(receiver.url(), {}, b"second"))
    await asyncio.sleep(0.01)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    answer_of(await first)
    answer_of(await sender.post(receiver.url(), {}, b"third"))

    assert receiver.bodies == [b"first", b"third"]


async def test_a_cancelled_post_frees_its_place(make_sender: MakeSender, receive: MakeReceiver) -> None:
    async def hold_the_first(wire: Wire, seen: Seen) -> None:
        if seen.body == b"first":
            await asyncio.sleep(60)
        await echo(wire, seen)

    receiver = await receive(hold_the_first)
    sender = make_sender(max_connections=1, connect_timeout_s=20, total_timeout_s=20)
    first = asyncio.create_task(sender.post(receiver.url(), {}, b"first"))
    await receiver.until(lambda: len(receiver.seen) == 1)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert answer_of(await sender.post(receiver.url(), {}, b"second")).body == b"second"
    assert receiver.bodies == [b"first", b"second"]


async def test_a_receiver_that_closes_idle_connections_costs_nothing(
    sender: Sender, receive: MakeReceiver
) -> None:
    receiver = await receive(answering(response(200, b"ok"), then_close=True))

    for number in range(3):
        answer_of(await sender.post(receiver.url(), {}, str(number).encode()))
        await receiver.until(lambda: receiver.open_connections == 0)
        await asyncio.sleep(0.1)  # until the sender has noticed as well

    assert receiver.bodies == [b"0", b"1", b"2"]
    assert receiver.connections == 3


async def test_a_kept_connection_that_ends_under_a_request_is_not_tried_again(
    sender: Sender, receive: MakeReceiver
) -> None:
    async def serve_one(wire: Wire, seen: Seen) -> None:
        if seen.body == b"first":
            await echo(wire, seen)
        else:
            wire.writer.close()

    receiver = await receive(serve_one)
    answer_of(await sender.post(receiver.url(PATH), HEADERS, b"first"))

    failure_of(await sender.post(receiver.url(PATH), HEADERS, b"second"), FailureKind.RESET, sent=True)

    assert receiver.bodies == [b"first", b"second"]
    assert receiver.connections == 1


async def test_a_race_with_a_closing_receiver_never_sends_twice(
    sender: Sender, receive: MakeReceiver
) -> None:
    receiver = await receive(answering(response(200, b"ok"), then_close=True))
    bodies = [str(number).encode() for number in range(100)]

    results = [await sender.post(receiver.url(PATH), HEADERS, body) for body in bodies]

    acknowledged = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, Answer)]
    for result in results:
        if isinstance(result, Failure):
            failure_of(result, FailureKind.RESET, sent=True)
    assert len(set(receiver.bodies)) == len(receiver.bodies)
    assert set(acknowledged) <= set(receiver.bodies)


@pytest.mark.parametrize("idle", [False, True], ids=["with the first", "while idle"])
async def test_a_second_answer_that_is_there_before_the_next_request_does_not_acknowledge_it(
    sender: Sender, receive: MakeReceiver, idle: bool
) -> None:
    async def answer_twice(wire: Wire, seen: Seen) -> None:
        mine = response(503 if seen.body == b"second" else 200, seen.body)
        surplus = response(200, b"surplus")
        if idle:
            await wire.write(mine)
            await asyncio.sleep(0.02)  # past the answer that is asked for
            await wire.write(surplus)
        else:
            await wire.write(mine + surplus)

    receiver = await receive(answer_twice)
    for body in (b"first", b"second", b"third", b"fourth"):
        match await sender.post(receiver.url(), {}, body):
            case Answer() as answer:
                assert answer.body == body
                assert answer.status == (503 if body == b"second" else 200)
            case failure:
                failure_of(failure, FailureKind.RESET, FailureKind.PROTOCOL, sent=True)
        if idle:
            await asyncio.sleep(0.2)
    assert receiver.bodies == [b"first", b"second", b"third", b"fourth"]


async def test_idle_connections_are_closed_before_the_receiver_would(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    receiver = await receive(echo)
    sender = make_sender(idle_timeout_s=0.2)
    answer_of(await sender.post(receiver.url(), {}, b"first"))

    await asyncio.sleep(0.4)
    answer_of(await sender.post(receiver.url(), {}, b"second"))

    assert receiver.connections == 2


async def test_what_was_to_begin_earlier_is_not_sent(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(echo)
    await sender.post(receiver.url(PATH), HEADERS, b"before")

    failure_of(
        await sender.post(receiver.url(PATH), HEADERS, b"late", monotonic() - 0.001),
        FailureKind.LATE,
        sent=False,
    )

    await sender.post(receiver.url(PATH), HEADERS, b"in time", monotonic() + 10.0)
    assert receiver.bodies == [b"before", b"in time"]


async def test_what_waited_for_its_turn_until_it_was_late_is_not_sent(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    async def slow(wire: Wire, seen: Seen) -> None:
        await asyncio.sleep(0.2)
        await echo(wire, seen)

    receiver = await receive(slow)
    sender = make_sender(max_connections=1)

    first, second = await asyncio.gather(
        sender.post(receiver.url(PATH), HEADERS, b"first"),
        sender.post(receiver.url(PATH), HEADERS, b"second", monotonic() + 0.1),
    )

    answer_of(first)
    failure_of(second, FailureKind.LATE, sent=False)
    assert receiver.bodies == [b"first"]


async def test_closing_closes_the_connections(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(echo)
    answer_of(await sender.post(receiver.url(), {}, b"x"))

    await sender.close()

    await receiver.until(lambda: receiver.open_connections == 0)


async def test_closing_ends_the_posts_under_way(sender: Sender, receive: MakeReceiver) -> None:
    async def never(wire: Wire, seen: Seen) -> None:
        await asyncio.sleep(60)

    receiver = await receive(never)
    post = asyncio.create_task(sender.post(receiver.url(PATH), HEADERS, BODY))
    await receiver.until(lambda: len(receiver.seen) == 1)

    await sender.close()

    async with asyncio.timeout(30):
        failure_of(await post, FailureKind.RESET, sent=True)


async def test_posting_after_closing_is_a_fault(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(echo)
    await sender.close()
    await sender.close()

    with pytest.raises(RuntimeError, match="close"):
        await sender.post(receiver.url(), {}, b"x")

    assert receiver.connections == 0
