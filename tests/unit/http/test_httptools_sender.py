"""What the default sender does with a connection, beyond what every sender promises."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumer.http import httptools_sender
from consumer.http.connecting import connect
from consumer.http.connection import Connection
from consumer.http.httptools_sender import HttptoolsSender
from consumer.http.sender import Answer, Failure, FailureKind, SenderPolicy
from tests.contract.senders.receiver import Behaviour, Receiver, Seen, Wire, response

HALF_A_HEAD = b"HTTP/1.1 200 OK\r\nX-Rest: "


@pytest.fixture
async def sender() -> AsyncIterator[HttptoolsSender]:
    made = HttptoolsSender(SenderPolicy(max_connections=1, total_timeout_s=20.0, idle_timeout_s=60.0))
    yield made
    await made.close()


async def post(sender: HttptoolsSender, receiver: Receiver, body: bytes = b"x") -> Answer | Failure:
    async with asyncio.timeout(10.0):
        return await sender.post(receiver.url(), {}, body)


def saying(surplus: bytes, *, later: bool) -> Behaviour:
    """Refuses every request, and says more than it was asked for."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(response(503, seen.body) + (b"" if later else surplus))
        if later:
            await asyncio.sleep(0.05)
            await wire.write(surplus)

    return behave


@pytest.mark.parametrize("later", [False, True], ids=["with the answer", "while idle"])
@pytest.mark.parametrize("surplus", [response(200, b"more"), HALF_A_HEAD], ids=["an answer", "half a head"])
async def test_what_comes_unasked_ends_the_connection_and_lends_the_next_answer_nothing(
    sender: HttptoolsSender, surplus: bytes, later: bool
) -> None:
    receiver = await Receiver(saying(surplus, later=later)).start()

    first = await post(sender, receiver, b"first")
    await receiver.until(lambda: receiver.open_connections == 0)
    second = await post(sender, receiver, b"second")

    assert (first, second) == (Answer(503, {}, b"first"), Answer(503, {}, b"second"))
    assert receiver.connections == 2
    await receiver.close()


async def test_an_answer_to_half_a_request_leaves_the_other_half_behind(sender: HttptoolsSender) -> None:
    """The connection would stay open by its words, but what is still to be sent on it belongs to nobody."""

    async def too_early(wire: Wire) -> None:
        start = await wire.reader.readuntil(b"\r\n\r\n")
        early = b"content-length: 20000000" in start.lower()
        await wire.write(response(413 if early else 200, b"early" if early else b"honest"))
        await asyncio.sleep(10.0)

    async def never(wire: Wire, seen: Seen) -> None: ...

    receiver = await Receiver(never, greeting=too_early).start()

    assert await post(sender, receiver, bytes(20_000_000)) == Answer(413, {}, b"early")
    assert await post(sender, receiver, b"small") == Answer(200, {}, b"honest")
    await receiver.close()


async def test_a_cancelled_post_hangs_up(sender: HttptoolsSender) -> None:
    async def silence(wire: Wire, seen: Seen) -> None:
        await wire.reader.read(1)

    receiver = await Receiver(silence).start()
    posting = asyncio.create_task(post(sender, receiver))
    await receiver.until(lambda: len(receiver.seen) == 1)

    posting.cancel()

    await receiver.until(lambda: receiver.open_connections == 0)
    assert receiver.connections == 1
    await receiver.close()


async def test_a_connection_that_ended_before_it_was_used_has_sent_nothing(
    sender: HttptoolsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang_up(wire: Wire) -> None:
        wire.writer.close()

    async def never(wire: Wire, seen: Seen) -> None: ...

    async def connect_and_wait(*arguments: Any, connect: Any = connect) -> Any:
        connection = await connect(*arguments)
        await receiver.until(lambda: receiver.connections == 1 and receiver.open_connections == 0)
        await asyncio.sleep(0.05)
        assert isinstance(connection, Connection)
        return connection

    receiver = await Receiver(never, greeting=hang_up).start()
    monkeypatch.setattr(httptools_sender, "connect", connect_and_wait)

    result = await post(sender, receiver)

    assert isinstance(result, Failure)
    assert (result.kind, result.sent) == (FailureKind.CONNECT, False)
    await receiver.close()


async def test_headers_of_the_caller_stand_instead_of_the_senders_own(sender: HttptoolsSender) -> None:
    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(response(200))

    receiver = await Receiver(behave).start()
    await sender.post(receiver.url(), {"User-Agent": "mine/1", "X-A": "b"}, b"")

    [seen] = receiver.seen
    assert (seen.headers["user-agent"], seen.headers["x-a"]) == ("mine/1", "b")
    assert seen.headers["accept-encoding"] == "identity"
    await receiver.close()


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection"])
async def test_what_frames_a_request_is_not_the_callers_to_set(sender: HttptoolsSender, name: str) -> None:
    with pytest.raises(ValueError, match=name.lower()):
        await sender.post("http://127.0.0.1:1/", {name: "x"}, b"")


async def test_a_receiver_that_will_say_no_more_is_not_waited_for_though_the_request_is_not_all_sent(
    sender: HttptoolsSender,
) -> None:
    async def half_close(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write_eof()
        await asyncio.sleep(10.0)

    async def never(wire: Wire, seen: Seen) -> None: ...

    receiver = await Receiver(never, greeting=half_close).start()

    async with asyncio.timeout(30.0):
        result = await post(sender, receiver, bytes(20_000_000))

    assert isinstance(result, Failure)
    assert (result.kind, result.sent) == (FailureKind.RESET, True)
    await receiver.close()


async def test_closing_opens_no_connection_for_those_who_wait_for_their_turn(sender: HttptoolsSender) -> None:
    async def silence(wire: Wire, seen: Seen) -> None:
        await wire.reader.read(1)

    receiver = await Receiver(silence).start()
    posts = [asyncio.create_task(post(sender, receiver)) for _ in range(4)]
    await receiver.until(lambda: len(receiver.seen) == 1)

    await sender.close()
    results = await asyncio.gather(*posts)

    assert [isinstance(one, Failure) and one.sent for one in results] == [True, False, False, False]
    assert receiver.connections == 1
    await receiver.close()
