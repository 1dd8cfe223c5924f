"""What a sender makes of whole answers."""

import gzip
import zlib

import pytest

from consumer.http.sender import FailureKind, Sender
from tests.contract.senders.conftest import MakeReceiver
from tests.contract.senders.receiver import answering, response
from tests.contract.senders.results import BODY, HEADERS, PATH, answer_of, failure_of


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 409, 422, 429, 500, 503])
async def test_every_status_is_an_answer(sender: Sender, receive: MakeReceiver, status: int) -> None:
    receiver = await receive(answering(response(status, b"" if status == 204 else b'{"ok":1}')))

    answer = answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY))

    assert answer.status == status
    assert answer.body == (b"" if status == 204 else b'{"ok":1}')
    assert len(receiver.seen) == 1


async def test_the_request_arrives_as_it_was_given(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200)))

    await sender.post(receiver.url(PATH), HEADERS, BODY)

    [seen] = receiver.seen
    assert seen.target == PATH
    assert seen.body == BODY
    assert {name: seen.headers[name] for name in HEADERS} == HEADERS
    assert seen.headers["content-length"] == str(len(BODY))
    assert seen.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert seen.headers["user-agent"].startswith("distinct-consumer/")


async def test_an_empty_body_is_sent_as_empty(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200)))

    answer_of(await sender.post(receiver.url(), {}, b""))

    assert receiver.bodies == [b""]


async def test_a_large_request_arrives_whole(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200)))
    body = bytes(range(256)) * 4096

    answer_of(await sender.post(receiver.url(), {}, body))

    assert receiver.bodies == [body]


async def test_headers_are_found_by_lower_case_name(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(
        answering(response(429, b"", "RETRY-AFTER: 7", "Content-Type: text/plain", "X-A: b"))
    )

    answer = answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY))

    assert answer.headers == {"retry-after": "7", "content-type": "text/plain"}


async def test_a_header_that_is_not_ascii_is_as_good_as_absent(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200, b"ok", "Content-Type: caf\xe9", "Retry-After: 1")))

    answer = answer_of(await sender.post(receiver.url(PATH), HEADERS, BODY))

    assert (answer.body, answer.headers) == (b"ok", {"retry-after": "1"})


async def test_a_chunked_body_is_put_together(sender: Sender, receive: MakeReceiver) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    receiver = await receive(answering(chunks))

    assert answer_of(await sender.post(receiver.url(), {}, b"")).body == b"abcde"


async def test_an_early_hint_is_not_the_answer(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + response(200, b"ok")))

    answer = answer_of(await sender.post(receiver.url(), {}, b""))

    assert (answer.status, answer.body) == (200, b"ok")


async def test_a_body_as_large_as_allowed_is_an_answer(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200, b"x" * 1000)))

    assert len(answer_of(await sender.post(receiver.url(), {}, b"")).body) == 1000


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_one_byte_too_large_is_no_acknowledgement(
    sender: Sender, receive: MakeReceiver, chunked: bool
) -> None:
    body = b"x" * 1001
    in_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body + b"\r\n0\r\n\r\n"
    receiver = await receive(answering(in_chunks if chunked else response(200, body)))

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.BODY_TOO_LARGE, sent=True)

    assert len(receiver.seen) == 1


async def test_no_encoding_is_asked_for(sender: Sender, receive: MakeReceiver) -> None:
    receiver = await receive(answering(response(200)))

    await sender.post(receiver.url(), {}, b"")

    assert receiver.seen[0].headers["accept-encoding"] == "identity"


async def test_gzip_is_read_although_it_was_not_asked_for(sender: Sender, receive: MakeReceiver) -> None:
    packed = gzip.compress(b'{"statusCode": 200}')
    receiver = await receive(answering(response(200, packed, "Content-Encoding: gzip")))

    assert answer_of(await sender.post(receiver.url(), {}, b"")).body == b'{"statusCode": 200}'


async def test_a_gzip_bomb_is_too_large(sender: Sender, receive: MakeReceiver) -> None:
    twice = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = twice.compress(bytes(500_000)) + twice.flush()
    assert len(bomb) < 1000
    receiver = await receive(answering(response(200, bomb, "Content-Encoding: gzip")))

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.BODY_TOO_LARGE, sent=True)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"whole")[:-3], "gzip"),
        (gzip.compress(b"whole") + b"more", "gzip"),
        (b"not gzip", "gzip"),
        (b"anything", "br"),
        (gzip.compress(gzip.compress(b"twice")), "gzip, gzip"),
    ],
    ids=["truncated", "with a rest", "false", "unknown", "stacked"],
)
async def test_a_body_that_cannot_be_decoded_is_no_acknowledgement(
    sender: Sender, receive: MakeReceiver, body: bytes, encoding: str
) -> None:
    receiver = await receive(answering(response(200, body, f"Content-Encoding: {encoding}")))

    failure_of(await sender.post(receiver.url(PATH), HEADERS, BODY), FailureKind.PROTOCOL, sent=True)
