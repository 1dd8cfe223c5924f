"""What a hostile receiver does with a request instead of answering it. None is an acknowledgement.

Each trick says what it must be taken for by rule 6: the destination's fault (`Halted`), nobody's yet (`Unclear`),
or either. `tests/contract/senders/test_hostile_receivers.py` plays them to both senders, and
`tests/faults/test_endpoints.py` to the command.
"""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from consumer.endpoints.outcome import Halted, Outcome, Retry, Unclear
from tests.contract.senders.receiver import Behaviour, Seen, Wire, answering
from tests.hostile.endless import dripping, half_closing, pouring, resetting
from tests.hostile.wire_format import YES_BODY, chunked, head, page, with_length

OK = "HTTP/1.1 200 OK"
NO_CONTENT = "HTTP/1.1 204 No Content"


@dataclass(frozen=True, slots=True)
class Trick:
    """`may_be` are the outcomes that do it justice. `waits`: it ends at the sender's total time-out only."""

    behave: Behaviour
    may_be: tuple[type[Outcome], ...]
    waits: bool = False


def _closing(data: bytes, *may_be: type[Outcome]) -> Trick:
    return Trick(answering(data, then_close=True), may_be)


def _keeping(data: bytes, *may_be: type[Outcome]) -> Trick:
    return Trick(answering(data), may_be)


def _bomb() -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    return stream.compress(bytes(50_000_000)) + stream.flush()


async def _surplus(wire: Wire, seen: Seen) -> None:
    """A refusal to this request, and in the same breath an acknowledgement that nobody asked for."""
    await wire.write(page("503 Service Unavailable") + with_length("200 OK", YES_BODY))


_DEEP = 30_000  # levels, within the bound on an answer's size

SLOW: Mapping[str, Trick] = {
    "silence": Trick(dripping(b"", b""), (Unclear,), waits=True),
    "head byte by byte": Trick(dripping(b"", head(OK, "X-Filler: " + "y" * 10_000)), (Unclear,), waits=True),
    "body byte by byte": Trick(dripping(head(OK, "Content-Length: 50000"), YES_BODY), (Unclear,), waits=True),
    "chunk by chunk": Trick(dripping(chunked(), b"1\r\n \r\n" * 9_000), (Unclear,), waits=True),
    "chunk size byte by byte": Trick(dripping(chunked(), b"0" * 9_000), (Unclear,), waits=True),
    "no end of chunks": Trick(answering(chunked(YES_BODY)), (Unclear,), waits=True),
    "early hints byte by byte": Trick(
        dripping(b"", head("HTTP/1.1 103 Early Hints") * 900), (Unclear,), waits=True
    ),
    "longer than it is": Trick(
        answering(head(OK, f"Content-Length: {len(YES_BODY) + 1}") + YES_BODY), (Unclear,), waits=True
    ),
}
"""They end with the total time-out, whatever trickles in."""

ENDLESS: Mapping[str, Trick] = {
    "endless chunks": Trick(pouring(chunked(), b"400\r\n" + b" " * 1024 + b"\r\n"), (Unclear,)),
    "endless body without a length": Trick(pouring(head(OK), b" " * 4096), (Unclear,)),
    "a body of terabytes": Trick(pouring(head(OK, "Content-Length: 9000000000000"), b" " * 4096), (Unclear,)),
    "one endless header": Trick(pouring(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"y" * 4096), (Unclear,)),
    "endless headers": Trick(pouring(b"HTTP/1.1 200 OK\r\n", b"X-Filler: yyy\r\n" * 99), (Unclear,)),
    "endless cookies": Trick(
        pouring(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=b; Path=/\r\n" * 99), (Unclear,)
    ),
    "endless status line": Trick(pouring(b"HTTP/1.1 200 ", b"O" * 4096), (Unclear,)),
    "endless early hints": Trick(
        pouring(b"", head("HTTP/1.1 103 Early Hints", "Link: </a>") * 99), (Unclear,), waits=True
    ),
    "endless continue": Trick(pouring(b"", head("HTTP/1.1 100 Continue") * 99), (Unclear,), waits=True),
    "endless chunk extension": Trick(pouring(chunked() + b"1;x=", b"y" * 4096), (Unclear,)),
    "endless chunk size": Trick(pouring(chunked(), b"0" * 256), (Unclear,), waits=True),
    "endless trailers": Trick(pouring(chunked(YES_BODY) + b"0\r\n", b"X-Filler: y\r\n" * 99), (Unclear,)),
}
"""They go on as long as somebody takes what they pour."""

BROKEN: Mapping[str, Trick] = {
    "shorter than it is": _keeping(head(OK, "Content-Length: 5") + YES_BODY, Halted),
    "no length, cut": _closing(head(OK) + YES_BODY[:-3], Halted),
    "longer, closed": _closing(head(OK, "Content-Length: 500") + YES_BODY, Unclear),
    "length below zero": _closing(head(OK, "Content-Length: -1") + YES_BODY, Unclear),
    "length no number": _closing(head(OK, "Content-Length: all") + YES_BODY, Unclear),
    "length beyond 64 bits": _closing(head(OK, f"Content-Length: {2**64}") + YES_BODY, Unclear),
    "two lengths": _closing(head(OK, "Content-Length: 5", "Content-Length: 6") + YES_BODY, Unclear),
    "no last chunk": _closing(chunked(YES_BODY), Unclear),
    "chunk size no number": _closing(chunked() + b"zz\r\n" + YES_BODY + b"\r\n0\r\n\r\n", Unclear),
    "chunk size below zero": _closing(chunked() + b"-5\r\n" + YES_BODY + b"\r\n0\r\n\r\n", Unclear),
    "chunk size empty": _closing(chunked() + b"\r\n" + YES_BODY + b"\r\n0\r\n\r\n", Unclear),
    "chunk size beyond 64 bits": _closing(
        chunked() + b"f" * 17 + b"\r\n" + YES_BODY + b"\r\n0\r\n\r\n", Unclear
    ),
    "chunk longer than its size": _closing(chunked() + b"5\r\n" + YES_BODY + b"\r\n0\r\n\r\n", Unclear),
    "not HTTP": _closing(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Unclear),
    "HTTP/0.9": _closing(YES_BODY, Unclear),
    "HTTP/2 on the wire": _closing(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x10\x00\x00", Unclear),
    "HTTP/1.0 cut": _closing(head("HTTP/1.0 200 OK") + YES_BODY[:-1], Halted),
    "status no number": _closing(head("HTTP/1.1 2OO OK", "Content-Length: 0"), Unclear),
    "status of four digits": _closing(head("HTTP/1.1 2000 OK", "Content-Length: 0"), Unclear),
    "status without a version": _closing(b"200 OK\r\n\r\n" + YES_BODY, Unclear),
    "a header's name with a space": _closing(head(OK, "Bad Name: x", "Content-Length: 0"), Unclear, Halted),
    "a header with a zero byte": _closing(head(OK, "X-Bad: a\0b") + YES_BODY[:-1], Unclear, Halted),
    "thousands of headers": _closing(head(OK, *["X-A: b"] * 9_000) + YES_BODY[:-1], Unclear, Halted),
    "one header of a megabyte": _closing(head(OK, "X-A: " + "b" * 1_000_000) + YES_BODY[:-1], Unclear),
    "switching protocols": _closing(
        head("HTTP/1.1 101 Switching Protocols", "Upgrade: x") + YES_BODY, Unclear
    ),
    "only a continue": _closing(head("HTTP/1.1 100 Continue"), Unclear),
    "closed before the answer": _closing(b"", Unclear),
    "closed in the status line": _closing(b"HTTP/1.1 20", Unclear),
    "closed in the head": _closing(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n", Unclear),
    "reset before the answer": Trick(resetting(b""), (Unclear,)),
    "reset in the status line": Trick(resetting(b"HTTP/1.1 20"), (Unclear,)),
    "reset in the head": Trick(resetting(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n"), (Unclear,)),
    "reset in the body": Trick(resetting(head(OK, "Content-Length: 500") + YES_BODY), (Unclear,)),
    "reset in a chunk": Trick(resetting(chunked(YES_BODY)), (Unclear,)),
    "half closed before the answer": Trick(half_closing(b""), (Unclear,)),
    "half closed in the body": Trick(half_closing(head(OK, "Content-Length: 500") + YES_BODY), (Unclear,)),
    "a second answer, unasked": Trick(_surplus, (Unclear,)),
}
"""What is not HTTP, or ends before it is over."""

PACKED: Mapping[str, Trick] = {
    "gzip bomb": _keeping(with_length("200 OK", _bomb()[:40_000], "Content-Encoding: gzip"), Unclear),
    "gzip in gzip": _keeping(
        with_length("200 OK", gzip.compress(gzip.compress(YES_BODY)), "Content-Encoding: gzip, gzip"), Unclear
    ),
    "brotli": _keeping(with_length("200 OK", YES_BODY, "Content-Encoding: br"), Unclear),
    "zstd": _keeping(with_length("200 OK", YES_BODY, "Content-Encoding: zstd"), Unclear),
    "deflate": _keeping(with_length("200 OK", zlib.compress(YES_BODY), "Content-Encoding: deflate"), Unclear),
    "gzip as transfer encoding": _closing(
        head(OK, "Transfer-Encoding: gzip, chunked")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(gzip.compress(YES_BODY)), gzip.compress(YES_BODY)),
        Unclear,
        Halted,
    ),
}
"""Bodies in encodings that nobody asked for."""

_FALSE_BODIES: Mapping[str, bytes] = {
    "no body": b"",
    "a login page": b"<!doctype html><html><form action=/login method=post></form></html>",
    "half a JSON": YES_BODY[:-1],
    "JSON and more": YES_BODY + b"}",
    "JSON in UTF-16": YES_BODY.decode().encode("utf-16"),
    "not UTF-8": b'{"statusCode": 200, "message": "\xff", "errors": ["\xff"]}',
    "an array": b"[" + YES_BODY + b"]",
    "a text": b'"statusCode: 200"',
    "another status": b'{"statusCode": 500, "results": []}',
    "a status as text": b'{"statusCode": "200", "results": ""}',
    "a status as true": b'{"statusCode": true, "results": false}',
    "a status in a list": b'{"statusCode": [200], "results": null}',
    "a status twice": b'{"statusCode": 200, "statusCode": 500, "results": [1], "results": []}',
    "a status beyond all numbers": b'{"statusCode": 2e99999, "results": 0}',
    "a status of 60,000 digits": b'{"statusCode": 2' + b"0" * 60_000 + b', "results": 0}',
    "deep arrays": b"[" * _DEEP + b"]" * _DEEP,
    "deep arrays that never end": b"[" * 2 * _DEEP,
    "deep in the status": b'{"statusCode":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    "deep objects": b'{"statusCode":' * 4_000 + b"200" + b"}" * 4_000,
    "thousands of keys": b"{" + b",".join(b'"k%d":1' % key for key in range(5_000)) + b"}",
    "results and errors": b'{"results": [1], "errors": [{"message": "no"}]}',
}

FALSE: Mapping[str, Trick] = {
    **{
        f"200 with {name}": _keeping(with_length("200 OK", body), Halted)
        for name, body in _FALSE_BODIES.items()
    },
    **{
        f"an undocumented {status}": _keeping(with_length(f"{status} Fine", YES_BODY), Halted)
        for status in (201, 202, 203, 206, 207, 226, 299)
    },
    **{
        f"{status} to another host": _keeping(
            with_length(f"{status} Elsewhere", YES_BODY, "Location: http://127.0.0.2:1/api/client/events"),
            Halted,
        )
        for status in (300, 301, 302, 303, 304, 305, 307, 308)
        if status != 304
    },
    "not modified": _keeping(head("HTTP/1.1 304 Not Modified"), Halted),
    "a redirect to itself": _keeping(with_length("307 Again", b"", "Location: /api/client/events"), Halted),
    "a redirect to nowhere": _keeping(with_length("302 Found", b"", "Location: ://\\"), Halted),
    "401 of a proxy": _keeping(page("401 Unauthorized"), Halted),
    "403 of a firewall": _keeping(page("403 Forbidden"), Halted),
    "404 of a proxy": _keeping(page("404 Not Found"), Halted),
    "405 of a proxy": _keeping(page("405 Not Allowed"), Halted),
    "407 of a proxy": _keeping(page("407 Proxy Authentication Required"), Halted),
    "400 of a proxy": _keeping(page("400 Bad Request"), Unclear),
    "422 of a firewall": _keeping(page("422 Unprocessable"), Unclear),
    "429 of a proxy": _keeping(page("429 Too Many Requests"), Retry),
    "500 in HTML": _keeping(page("500 Internal Server Error"), Unclear),
    "502 in HTML": _keeping(page("502 Bad Gateway"), Unclear),
    "503 in HTML": _keeping(page("503 Service Unavailable"), Unclear),
    "504 in HTML": _keeping(page("504 Gateway Timeout"), Unclear),
    "511 of a captive portal": _keeping(page("511 Network Authentication Required"), Unclear),
    "a status that nobody knows": _keeping(page("799 Whatever"), Unclear),
}
"""Whole answers that mean something else."""

NO_ANSWER: Mapping[str, Trick] = {**BROKEN, **PACKED}
QUICK: Mapping[str, Trick] = {**BROKEN, **PACKED, **FALSE}
