"""What a sender makes of what goes wrong. One post() is one request, however it ends."""

import asyncio
import time

import pytest

from consumer.http.sender import Failure, FailureKind, Sender
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, failure_of

RESET, PROTOCOL, TIMEOUT = FailureKind.RESET, FailureKind.PROTOCOL, FailureKind.TIMEOUT


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_refused_connection_has_sent_nothing(sender: Sender, refused_port: int, host: str) -> None:
    failure = failure_of(
        await sender.post(f"http://{host}:{refused_port}{PATH}", HEADERS, BODY),
        FailureKind.CONNECT,
        sent=False,
    )

    assert "refused" in failure.reason.lower()


async def test_an_unknown_name_has_sent_nothing(make_sender: MakeSender) -> None:
    sender = make_sender(connect_timeout_s=20, total_timeout_s=20)

    failure_of(await sender.post(f"http://name.invalid{PATH}", HEADERS, BODY), FailureKind.DNS, sent=False)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (b"", [RESET]),
        (b"HTTP/1.1 200 OK\r\nContent-Le", [RESET]),
        (response(200, b"ok", length=20), [RESET]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", [RESET]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", [RESET]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n", [PROTOCOL]),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", [PROTOCOL]),
        (response(200, b"ok", "Content-Length: 3"), [PROTOCOL]),
    ],
    ids=[
        "nothing",
        "half a head",
        "body shorter than announced",
        "half a chunk",
        "no last chunk",
        "broken chunk",
        "not http",
        "two lengths",
    ],
)
async def test_half_an_answer_is_no_acknowledgement(
    sender: Sender, receive: MakeReceiver, data: bytes, kinds: list[FailureKind]
) -> None:
    receiver = await receive(answering(data, then_close=True))

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), *kinds, sent=True)

    assert receiver.bodies == [BODY]
    assert receiver.connections == 1


@pytest.mark.parametrize("data", [b"", response(200, b"ok", length=2000)], ids=["before", "within"])
async def test_a_reset_is_no_acknowledgement(sender: Sender, receive: MakeReceiver, data: bytes) -> None:
    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(data)
        await asyncio.sleep(0.05)  # a reset overtakes what the kernel has not handed over yet
        wire.reset()

    receiver = await receive(behave)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), RESET, sent=True)

    assert receiver.bodies == [BODY]
    assert receiver.connections == 1


@pytest.mark.parametrize("abrupt", [False, True], ids=["closed", "reset"])
async def test_a_connection_that_ends_before_the_request_is_read_may_have_carried_it(
    sender: Sender, receive: MakeReceiver, abrupt: bool
) -> None:
    async def hang_up(wire: Wire) -> None:
        if abrupt:
            wire.reset()
        else:
            wire.writer.close()

    receiver = await receive(answering(response(200)), greeting=hang_up)

    failure = await sender.post(receiver.url(PATH), HEADERS, BODY)

    assert isinstance(failure, Failure)
    # The end can be there before the client knows that it is connected; then it is certain that nothing was sent.
    assert (failure.kind, failure.sent) in {(RESET, True), (FailureKind.CONNECT, False)}
    assert receiver.connections == 1


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\n", response(200, b"ok", length=2000)],
    ids=["silence", "in the head", "in the body"],
)
async def test_a_slow_answer_ends_at_the_total_timeout(
    make_sender: MakeSender, receive: MakeReceiver, start: bytes
) -> None:
    async def drip(wire: Wire, seen: Seen) -> None:
        await wire.write(start)
        while start:  # one byte now and then keeps a time-out of single reads from ever passing
            await asyncio.sleep(0.05)
            await wire.write(b"x")
        await asyncio.sleep(60)

    receiver = await receive(drip)
    sender = make_sender(connect_timeout_s=1.5, total_timeout_s=1.5)

    began = time.monotonic()
    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), TIMEOUT, sent=True)

    assert 1.2 < time.monotonic() - began < 20.0
    assert receiver.bodies == [BODY]


async def test_an_endless_body_ends_at_its_bound(sender: Sender, receive: MakeReceiver) -> None:
    async def pour(wire: Wire, seen: Seen) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.write(b"400\r\n" + b"x" * 1024 + b"\r\n")

    receiver = await receive(pour)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.BODY_TOO_LARGE, sent=True)

    await receiver.until(lambda: receiver.open_connections == 0)  # the sender hung up, it did not read on
    assert receiver.bodies == [BODY]


async def test_a_large_body_that_stalls_is_hung_up_on(sender: Sender, receive: MakeReceiver) -> None:
    async def stall(wire: Wire, seen: Seen) -> None:
        await wire.write(response(200, b"x" * 2000, length=1_000_000))
        assert await wire.reader.read(1) == b""

    receiver = await receive(stall)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.BODY_TOO_LARGE, sent=True)

    await receiver.until(lambda: receiver.open_connections == 0)


@pytest.mark.parametrize("line", [b"x-filler: " + b"y" * 1000 + b"\r\n", b"y" * 1000], ids=["many", "one"])
async def test_an_endless_head_ends_at_a_bound(sender: Sender, receive: MakeReceiver, line: bytes) -> None:
    async def pour(wire: Wire, seen: Seen) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nx-filler: ")
        while True:
            await wire.write(line)

    receiver = await receive(pour)

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), PROTOCOL, RESET, sent=True)

    await receiver.until(lambda: receiver.open_connections == 0)
    assert receiver.bodies == [BODY]


async def test_words_in_the_url_do_not_change_the_verdict(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", then_close=True))
    path = "/timed-out/dns-error/connection-closed?a=client+error+(Connect)"

    failure_of(await sender.post(receiver.url(path), HEADERS, BODY), PROTOCOL, sent=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "s3cr3t\r\nx-forged: 1"},
        {"x-api-key": "s3cr3t\nx-forged: 1"},
        {"x-api-key": "s3cr3t\r"},
        {"x-api-key": "s3cr3t\0"},
        {"x-api-key": "s3cr3té"},
        {"x-api-key\r\nx-forged": "s3cr3t"},
        {"x api key": "s3cr3t"},
        {"": "s3cr3t"},
    ],
)
async def test_a_header_that_would_forge_another_is_a_fault(
    sender: Sender, receive: MakeReceiver, headers: dict[str, str]
) -> None:
    receiver = await receive(answering(response(200)))

    with pytest.raises(ValueError, match="header") as raised:
        await sender.post(receiver.url(), headers, b"")

    assert "s3cr3t" not in repr(raised.value)
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1/s3cr3t",
        "ftp://127.0.0.1/s3cr3t",
        "http:///s3cr3t",
        "http://user:s3cr3t@127.0.0.1/",
        "http://127.0.0.1:99999/s3cr3t",
        "http://[::1/s3cr3t",
        "http://127.0.0.1/s3cr3t\r\nx-forged: 1",
    ],
)
async def test_a_url_that_cannot_be_sent_to_is_a_fault(sender: Sender, url: str) -> None:
    with pytest.raises(ValueError, match="URL") as raised:
        await sender.post(url, {}, b"")

    assert "s3cr3t" not in repr(raised.value)
