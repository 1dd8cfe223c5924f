"""What rule 6 makes of a receiver that means harm: whose fault it is, in bounded time, and never an acknowledgement."""

import asyncio
import time
from collections.abc import Iterator, Mapping

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.catalogue import APIS
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.outcome import Delivered, Outcome
from consumer.endpoints.transport import outcome_of
from consumer.http.sender import Answer, Failure, Sender
from tests.contract.senders.conftest import MakeReceiver, MakeSender
from tests.contract.senders.receiver import Seen, Wire, answering
from tests.contract.senders.results import BODY, HEADERS, PATH, SECRET
from tests.hostile.tricks import ENDLESS, QUICK, SLOW, Trick
from tests.hostile.wire_format import LOGIN_PAGE, YES_BODY, head, with_length

OPERATIONS: list[Operation] = [
    entry.build(ManualClock(), {}) for operations in APIS.values() for entry in operations.values()
]
TOTAL_S = 1.0
MOST_TAKEN_BYTES = 16 * 1024 * 1024  # what both kernels' buffers may hold, and some; endless is gigabytes


def outcomes_of(result: Answer | Failure) -> Iterator[Outcome]:
    """What each operation of each API makes of it."""
    for operation in OPERATIONS:
        yield (
            outcome_of(result, "receiver.example:443")
            if isinstance(result, Failure)
            else operation.classify(result)
        )


def judge(result: Answer | Failure, trick: Trick) -> None:
    if isinstance(result, Failure):
        assert result.sent, "the receiver had the request"
        assert SECRET not in result.reason
    for outcome in outcomes_of(result):
        assert isinstance(outcome, trick.may_be), (outcome, result)
        assert not isinstance(outcome, Delivered)


def named(tricks: Mapping[str, Trick]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("trick", tricks.values(), ids=list(tricks))


@named(QUICK)
async def test_a_trick_is_no_acknowledgement_and_is_known_for_what_it_is(
    make_sender: MakeSender, receive: MakeReceiver, trick: Trick
) -> None:
    receiver = await receive(trick.behave)
    sender = make_sender()

    began_s = time.monotonic()
    judge(await sender.post(receiver.url(PATH), HEADERS, BODY), trick)

    assert time.monotonic() - began_s < 15.0, "nothing of it needs to be waited for"
    assert receiver.bodies == [BODY], "and it is sent once"


@named(SLOW)
async def test_what_trickles_in_ends_at_the_total_timeout(
    make_sender: MakeSender, receive: MakeReceiver, trick: Trick
) -> None:
    receiver = await receive(trick.behave)
    sender = make_sender(connect_timeout_s=TOTAL_S, total_timeout_s=TOTAL_S)

    began_s = time.monotonic()
    judge(await sender.post(receiver.url(PATH), HEADERS, BODY), trick)

    assert 0.8 * TOTAL_S < time.monotonic() - began_s < TOTAL_S + 20.0
    await receiver.until(lambda: receiver.open_connections == 0)


@named(ENDLESS)
async def test_what_has_no_end_is_cut_off_in_time_and_memory(
    make_sender: MakeSender, receive: MakeReceiver, trick: Trick
) -> None:
    taken = 0

    class Counting(Wire):
        async def write(self, data: bytes) -> None:
            nonlocal taken
            await super().write(data)
            taken += len(data)

    async def behave(wire: Wire, seen: Seen) -> None:
        await trick.behave(Counting(wire.reader, wire.writer), seen)

    receiver = await receive(behave)
    total_s = TOTAL_S if trick.waits else 20.0
    sender = make_sender(connect_timeout_s=total_s, total_timeout_s=total_s)

    began_s = time.monotonic()
    judge(await sender.post(receiver.url(PATH), HEADERS, BODY), trick)

    assert time.monotonic() - began_s < 30.0
    await receiver.until(lambda: receiver.open_connections == 0)  # it hung up, and reads no further
    if not trick.waits:
        assert taken < MOST_TAKEN_BYTES


async def test_after_each_trick_the_next_request_gets_its_own_answer(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    """No rest of a spoilt answer is taken for the answer to what is sent next."""
    tricks = iter(QUICK.values())

    async def behave(wire: Wire, seen: Seen) -> None:
        if seen.body == b"tricked":
            await next(tricks).behave(wire, seen)
        else:
            await wire.write(with_length("200 OK", seen.body))

    receiver = await receive(behave)
    sender = make_sender(max_connections=1)

    for number in range(len(QUICK)):
        await sender.post(receiver.url(), {}, b"tricked")
        honest = str(number).encode()
        match await sender.post(receiver.url(), {}, honest):
            case Answer() as answer:
                assert (answer.status, answer.body) == (200, honest)
            case failure:  # the kept connection ended meanwhile: no clear answer, and none that is false
                assert failure.sent


async def test_a_flood_of_early_hints_before_the_answer_does_not_stop_others(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    """The event loop and the client's threads turn while one receiver pours."""
    receiver = await receive(ENDLESS["endless early hints"].behave)
    honest = await receive(answering(with_length("200 OK", b"ok")))
    flooded = make_sender(connect_timeout_s=1.0, total_timeout_s=1.0)
    other = make_sender(connect_timeout_s=20.0, total_timeout_s=20.0)

    flood = asyncio.create_task(flooded.post(receiver.url(), {}, b""))
    await receiver.until(lambda: len(receiver.seen) == 1)
    for _ in range(3):
        assert isinstance(await other.post(honest.url(), {}, b""), Answer)

    assert isinstance(await flood, Failure)


async def test_a_receiver_that_reads_no_further_ends_at_the_total_timeout(
    make_sender: MakeSender, receive: MakeReceiver
) -> None:
    async def read_nothing(wire: Wire) -> None:
        await asyncio.sleep(60)

    receiver = await receive(answering(b""), greeting=read_nothing)
    sender = make_sender(connect_timeout_s=TOTAL_S, total_timeout_s=TOTAL_S)

    began_s = time.monotonic()
    result = await sender.post(receiver.url(), {}, bytes(20_000_000))

    assert isinstance(result, Failure)
    assert result.sent
    assert time.monotonic() - began_s < TOTAL_S + 20.0


@pytest.mark.parametrize("then_close", [False, True], ids=["stays", "closes"])
async def test_an_answer_before_the_request_ended_leaves_nothing_behind_on_the_connection(
    make_sender: MakeSender, receive: MakeReceiver, then_close: bool
) -> None:
    """It is the answer, or none; what is left of that request is not read as the next one."""
    large = bytes(20_000_000)

    async def too_early(wire: Wire) -> None:
        start = await wire.reader.readuntil(b"\r\n\r\n")
        if f"content-length: {len(large)}".encode() in start.lower():
            await wire.write(with_length("413 Too Large", LOGIN_PAGE, "Connection: close"))
            if not then_close:
                await asyncio.sleep(0.3)
        else:
            await wire.write(with_length("200 OK", b"honest", "Connection: close"))
        wire.writer.close()

    receiver = await receive(answering(b""), greeting=too_early)
    sender = make_sender(connect_timeout_s=20.0, total_timeout_s=20.0)

    match await sender.post(receiver.url(), {}, large):
        case Answer() as answer:
            assert (answer.status, answer.body) == (413, LOGIN_PAGE)
        case failure:
            assert failure.sent
    later = await sender.post(receiver.url(), {}, b"small")

    assert isinstance(later, Answer), later
    assert later.body == b"honest"


@pytest.mark.parametrize(
    "version_and_headers",
    [("HTTP/1.0", ()), ("HTTP/1.0", ("Connection: keep-alive",)), ("HTTP/1.1", ("Connection: close",))],
    ids=["1.0", "1.0 kept", "1.1 closed"],
)
async def test_an_old_receiver_is_believed_when_its_answer_is_whole(
    sender: Sender, receive: MakeReceiver, version_and_headers: tuple[str, tuple[str, ...]]
) -> None:
    version, headers = version_and_headers
    answer = head(f"{version} 200 OK", *headers) + YES_BODY
    receiver = await receive(answering(answer, then_close=True))

    for _ in range(2):
        result = await sender.post(receiver.url(PATH), HEADERS, BODY)
        assert isinstance(result, Answer), result
        assert result.body == YES_BODY

    assert receiver.connections == 2
