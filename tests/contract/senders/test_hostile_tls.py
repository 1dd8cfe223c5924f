"""TLS that must not be believed, or that breaks: in bounded time, and it is known whether anything was sent."""

import asyncio
import ssl
import time
import warnings
from collections.abc import Awaitable, Callable

import pytest

from consumer.endpoints.outcome import Halted, Unclear
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Failure, FailureKind
from tests.contract.senders.authority import Authority
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, failure_of
from tests.hostile.tricks import BROKEN
from tests.hostile.wire_format import YES_BODY, with_length

_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake_failure
_HALF_A_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(20)


def too_old(context: ssl.SSLContext) -> ssl.SSLContext:
    """A server that speaks nothing newer than TLS 1.1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("flaw", ["expired", "self-signed", "of another host", "too old a protocol"])
async def test_a_receiver_that_cannot_be_believed_gets_nothing_and_halts_the_destination(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority, flaw: str
) -> None:
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {
        "expired": lambda: authority.server_context(expired=True),
        "self-signed": lambda: authority.server_context(self_signed=True),
        "of another host": lambda: authority.server_context(ip="127.0.0.9"),
        "too old a protocol": lambda: too_old(authority.server_context()),
    }
    receiver = await receive(answering(with_length("200 OK", YES_BODY)), tls=contexts[flaw]())
    sender = make_sender(ca_file=authority.ca_file)

    result = failure_of(
        await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.TLS, FailureKind.CONNECT, sent=False
    )

    assert isinstance(outcome_of(result, "receiver.example:443"), Halted)
    assert receiver.seen == []


async def _close(wire: Wire) -> None:
    wire.writer.close()


async def _reset(wire: Wire) -> None:
    wire.reset()


async def _stall(wire: Wire) -> None:
    await wire.reader.read(-1)


@pytest.mark.parametrize("then", [_close, _reset, _stall], ids=["closed", "reset", "stalled"])
@pytest.mark.parametrize(
    "said",
    [b"", _ALERT, _HALF_A_HELLO, b"\x16\x03\x03\xff\xff" + bytes(500), response(400, b"plain http")],
    ids=["nothing", "an alert", "half a hello", "too large a record", "plain http"],
)
async def test_a_handshake_that_breaks_at_any_point_halts_in_time_with_nothing_sent(
    make_sender: MakeSender, receive: MakeReceiver, said: bytes, then: Callable[[Wire], Awaitable[None]]
) -> None:
    async def greet(wire: Wire) -> None:
        await wire.reader.read(5)  # the start of the client's hello
        await wire.write(said)
        await asyncio.sleep(0.02)
        await then(wire)

    receiver = await receive(answering(response(200)), greeting=greet)
    sender = make_sender(connect_timeout_s=0.4, total_timeout_s=20.0)

    began_s = time.monotonic()
    result = await sender.post(receiver.url(PATH).replace("http://", "https://"), HEADERS, BODY)

    assert isinstance(result, Failure)
    assert not result.sent
    assert isinstance(outcome_of(result, "receiver.example:443"), Halted)
    assert time.monotonic() - began_s < 15.0


@pytest.mark.parametrize(
    "name", ["closed before the answer", "reset in the head", "longer, closed", "no last chunk"]
)
async def test_an_answer_that_breaks_off_within_tls_is_unclear(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority, name: str
) -> None:
    receiver = await receive(BROKEN[name].behave, tls=authority.server_context())
    sender = make_sender(ca_file=authority.ca_file)

    result = await sender.post(receiver.url(PATH), HEADERS, BODY)

    assert isinstance(result, Failure)
    assert result.sent
    assert isinstance(outcome_of(result, "receiver.example:443"), Unclear)
    assert receiver.bodies == [BODY]


async def test_a_certificate_that_expires_between_two_connections_is_noticed(
    make_sender: MakeSender, receive: MakeReceiver, authority: Authority
) -> None:
    """What was believed once is looked at again with each connection."""

    async def behave(wire: Wire, seen: Seen) -> None:
        await wire.write(with_length("200 OK", YES_BODY))
        wire.writer.close()

    good = await receive(behave, tls=authority.server_context())
    sender = make_sender(ca_file=authority.ca_file)
    assert not isinstance(await sender.post(good.url(PATH), HEADERS, BODY), Failure)
    await good.stop_listening()
    await good.until(lambda: good.open_connections == 0)
    await asyncio.sleep(0.1)  # until the sender has noticed as well
    expired = await receive(behave, tls=authority.server_context(expired=True), at_port=good.port)

    failure_of(await sender.post(good.url(PATH), HEADERS, BODY), FailureKind.TLS, sent=False)

    assert expired.seen == []
