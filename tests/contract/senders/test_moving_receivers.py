"""A receiver moves: its name leads to another address while the one of before still answers. Here both share one
address, which comes to the same: only a new connection finds the new one."""

import asyncio
from collections import Counter

import pytest

from consumer.http.sender import Answer, Failure, FailureKind
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering, response
from tests.contract.senders.results import answer_of, failure_of

AGE_S = 0.4


async def test_busy_connections_follow_a_receiver_that_moved(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    before = await receive(answering(response(200, b"before")))
    sender = make_sender(max_connection_age_s=AGE_S)
    answered: Counter[bytes] = Counter()

    async def post_on() -> None:
        # One at a time: among several, a client now and then opens a connection for no reason, and finds it so.
        while answered[b"after"] < 5:
            answered[answer_of(await sender.post(before.url(), {}, b"x")).body] += 1
            await asyncio.sleep(0.005)

    posting = asyncio.create_task(post_on())
    await before.until(lambda: len(before.seen) > 4)
    await before.stop_listening()
    after = await receive(answering(response(200, b"after")), at_port=before.port)
    async with asyncio.timeout(AGE_S + 10.0):
        await posting

    assert answered == {b"before": len(before.seen), b"after": len(after.seen)}, "each was sent once"
    await before.until(lambda: before.open_connections == 0)


async def test_a_request_under_way_is_answered_over_its_old_connection(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    renewed = asyncio.Event()

    async def hold_the_first(wire: Wire, seen: Seen) -> None:
        if seen.body == b"first":
            await renewed.wait()
        await wire.write(response(200, seen.body))

    receiver = await receive(hold_the_first)
    sender = make_sender(max_connection_age_s=0.1, total_timeout_s=20.0)
    first = asyncio.create_task(sender.post(receiver.url(), {}, b"first"))
    await receiver.until(lambda: len(receiver.seen) == 1)

    while receiver.connections < 4:  # the first one's, then one an age
        answer_of(await sender.post(receiver.url(), {}, b"later"))
        await asyncio.sleep(0.02)
    renewed.set()

    assert answer_of(await first).body == b"first"
    assert receiver.bodies.count(b"first") == 1


async def test_a_connection_serves_until_its_age_and_no_longer(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    receiver = await receive(answering(response(200, b"ok")))
    sender = make_sender(max_connection_age_s=60.0, max_connections=1)

    for _ in range(20):
        answer_of(await sender.post(receiver.url(), {}, b""))

    assert receiver.connections == 1


async def test_a_sender_that_is_closed_while_it_renews_leaves_nothing_open(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    receiver = await receive(answering(response(200, b"ok")))
    sender = make_sender(max_connection_age_s=0.05)
    answer_of(await sender.post(receiver.url(), {}, b""))
    await asyncio.sleep(0.1)
    answer_of(await sender.post(receiver.url(), {}, b""))

    await sender.close()

    with pytest.raises(RuntimeError, match="close"):
        await sender.post(receiver.url(), {}, b"")
    await receiver.until(lambda: receiver.open_connections == 0)


async def test_a_receiver_that_is_gone_has_been_sent_nothing_and_is_found_when_it_comes_back(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    before = await receive(answering(response(200, b"before"), then_close=True))
    sender = make_sender()
    answer_of(await sender.post(before.url(), {}, b"x"))
    await before.stop_listening()
    await before.until(lambda: before.open_connections == 0)
    await asyncio.sleep(0.1)  # until the sender has noticed as well

    failure_of(await sender.post(before.url(), {}, b"x"), FailureKind.CONNECT, sent=False)
    after = await receive(answering(response(200, b"after")), at_port=before.port)
    result = await sender.post(before.url(), {}, b"x")

    assert not isinstance(result, Failure)
    assert isinstance(result, Answer)
    assert result.body == b"after"
    assert after.connections == 1
