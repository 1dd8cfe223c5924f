"""A connection, given any bytes in any pieces: it never fails, and how they are cut decides nothing."""

import asyncio
import itertools
from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st

from consumer.http.connection import Connection
from consumer.http.sender import Answer, Failure

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

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None: ...

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True

    abort = close


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
