"""A connection, given any bytes in any pieces: it never fails, and how they are cut decides nothing."""

import asyncio
import itertools
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.http.connection import Connection
from consumer.http.sender import Answer, Failure, FailureKind

_PARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 103 Early Hints\r\n",
        b"HTTP/1.1 204 No Content\r\n",
        b"HTTP/1.0 503 No\r\n",
        b"Content-Length: 2\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Type: a/b\r\n",
        b"Retry-After: \xe9\r\n",
        b"\r\n",
        b"ok",
        b"2\r\nok\r\n",
        b"0\r\n\r\n",
    ]
)
SAID = st.lists(st.one_of(_PARTS, _PARTS, _PARTS, st.binary(max_size=8)), max_size=12).map(b"".join)


class Transport:
    """As much of one as a connection asks for; what is closed hears nothing more."""

    def __init__(self, unsent_bytes: int = 0) -> None:
        self.closed = self.aborted = False
        self._unsent_bytes = unsent_bytes

    def write(self, data: bytes) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return self._unsent_bytes

    def get_extra_info(self, name: str) -> None:
        """Plain."""

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


async def hear(pieces: list[bytes]) -> tuple[Answer | Failure, bool]:
    """What a request gets that these are said to, before the receiver closes; and whether another could follow."""
    transport = Transport()
    connection = Connection(1000, lambda lost: None)
    connection.connection_made(cast(asyncio.BaseTransport, transport))
    answer = connection.exchange(b"POST / HTTP/1.1\r\n\r\n", b"")
    for piece in pieces:
        if not transport.closed:
            connection.data_received(piece)
    usable = connection.usable
    if not transport.closed:
        connection.eof_received()
    connection.connection_lost(None)
    assert answer.done(), "whoever waits hears of the end"
    return answer.result(), usable


@given(SAID, st.lists(st.integers(0, 200), max_size=6))
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", [41])
def test_whatever_is_said_and_however_it_is_cut_it_comes_to_the_same(said: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    pieces = [said[first:last] for first, last in itertools.pairwise(edges)]

    whole, _ = asyncio.run(hear([said]))
    cut, _ = asyncio.run(hear([piece for piece in pieces if piece]))

    assert type(cut) is type(whole)
    if isinstance(whole, Answer):
        assert cut == whole


@given(st.binary(max_size=600))
def test_any_bytes_are_an_answer_or_a_failure_and_never_an_exception(said: bytes) -> None:
    result, _ = asyncio.run(hear([said]))

    assert isinstance(result, (Answer, Failure))


def test_only_a_whole_answer_with_nothing_behind_it_lets_another_request_follow() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    assert asyncio.run(hear([whole])) == (Answer(200, {}, b"ok"), True)
    for rest in (b"HTTP", b"\x00", whole):
        assert asyncio.run(hear([whole + rest])) == (Answer(200, {}, b"ok"), False)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 104 Soon\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nZ",
        b"HTTP/1.1 150 Soon\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 000 Null\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"ICE/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
    ids=[
        "interim body",
        "interim chunks",
        "status 0",
        "RTSP",
        "ICE",
        "0.9",
        "2.0",
        "gzip as transfer coding",
    ],
)
def test_what_the_parser_would_take_and_http_does_not_know_is_no_answer(said: bytes) -> None:
    result, usable = asyncio.run(hear([said]))

    assert isinstance(result, Failure)
    assert (result.kind, result.sent, usable) == (FailureKind.PROTOCOL, True, False)


def test_a_204_that_announces_a_body_ends_the_connection() -> None:
    said = b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n"

    assert asyncio.run(hear([said])) == (Answer(204, {}, b""), False)


def test_values_of_headers_come_without_the_space_around_them() -> None:
    said = b"HTTP/1.1 429 No\r\nRetry-After: \t 7 \t \r\nContent-Length: 0\r\n\r\n"

    assert asyncio.run(hear([said]))[0] == Answer(429, {"retry-after": "7"}, b"")


async def test_what_is_not_sent_when_the_answer_comes_is_dropped_at_once() -> None:
    """Closing in good order would keep a body of megabytes for as long as the receiver does not read it."""
    transport = Transport(unsent_bytes=5)
    connection = Connection(1000, lambda lost: None)
    connection.connection_made(cast(asyncio.BaseTransport, transport))
    answer = connection.exchange(b"POST / HTTP/1.1\r\n\r\n", b"")
    connection.data_received(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")

    assert await answer == Answer(413, {}, b"")
    assert transport.aborted
