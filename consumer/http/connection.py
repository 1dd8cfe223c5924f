"""One HTTP/1.1 connection on the event loop: a request goes out, its answer comes in, one at a time."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from consumer.http.bodies import body_too_large, decode_body
from consumer.http.sender import KEPT_HEADERS, Answer, Failure, FailureKind

_MAX_HEAD_BYTES = 64 * 1024
_MAX_FRAMING = 8
"""How much a body may take on the wire for each of its bytes: chunks of one byte take six."""

_KEPT = {name.encode(): name for name in KEPT_HEADERS}
_FRAMES = frozenset((b"content-length", b"transfer-encoding"))
_ENCODING = b"content-encoding"
_WAITING = "waiting for the answer: "


class Connection(asyncio.Protocol):
    """A connection and what its receiver says. Its parser (llhttp) calls the `on_…` methods that are no protocol's.

    Whatever else comes than one whole answer to what was asked ends the connection: no rest of it can be taken for the
    answer to the next request.
    """

    def __init__(self, max_body_bytes: int, on_lost: Callable[["Connection"], None]) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_taken_bytes = _MAX_HEAD_BYTES + _MAX_FRAMING * max_body_bytes
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self.opened_s = self._loop.time()
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer | Failure] | None = None
        self._kept = True
        self._forget()

    def _forget(self) -> None:
        """What was read, before the next answer."""
        self._taken_bytes = 0
        self._size_bytes = 0
        self._headers: dict[str, str] = {}
        self._encodings: list[bytes] = []
        self._pieces: list[bytes] = []
        self._framed = False
        self._in_body = False
        self._whole = False

    @property
    def usable(self) -> bool:
        """Whether another request can be sent: the last answer was whole, and nothing came after it."""
        return self._kept and self._waiting is None and not self._transport.is_closing()

    def exchange(self, head: bytes, body: bytes) -> asyncio.Future[Answer | Failure]:
        """Send a request, and get its answer some time, or why there is none. Only while it is `usable`."""
        self._forget()
        self._waiting = waiting = self._loop.create_future()
        # One piece is cheaper to send than two, as long as it is small.
        if len(body) < _MAX_HEAD_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return waiting

    def fail(self, kind: FailureKind, what: str) -> None:
        """Give up: whoever waits gets this, and the connection ends."""
        self._end(Failure(kind, _WAITING + what, sent=True))
        self.abort()

    def close(self) -> None:
        """End it in good order: TLS says goodbye."""
        self._kept = False
        self._transport.close()

    def abort(self) -> None:
        """End it at once, with whatever was not sent yet."""
        self._kept = False
        self._transport.abort()

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._parser is None:
            self.abort()  # Nobody asked for it.
            return
        self._taken_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            # Not the error's text: a parser quotes what it read.
            self._kept = False
            if not self._whole:
                self.fail(FailureKind.PROTOCOL, "it is not valid HTTP")
                return
        if self._whole:
            self._answer()
        elif self._size_bytes > self._max_body_bytes:
            self._end(body_too_large(self._max_body_bytes))
            self.abort()
        elif self._taken_bytes > self._max_taken_bytes:
            self.fail(FailureKind.PROTOCOL, "it takes too much space for what it says")

    def eof_received(self) -> None:
        # RFC 9112, 6.3: where nothing says how long a body is, it ends with the connection.
        if self._waiting is not None and self._in_body and not self._framed and not self._whole:
            self._kept = False
            self._answer()

    def connection_lost(self, error: Exception | None) -> None:
        self._kept = False
        self._end(Failure(FailureKind.RESET, _WAITING + "the connection ended before it did", sent=True))
        self._parser = None  # They hold each other.
        self._on_lost(self)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        if self._whole:
            self._kept = False  # A second answer, unasked.
        else:
            self._headers.clear()  # Those of an early hint.
            self._encodings.clear()
            self._framed = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._whole or self._in_body:
            return
        name = name.lower()
        if name in _FRAMES:
            self._framed = True
        elif name == _ENCODING:
            self._encodings.append(value)
        elif name in _KEPT and value.isascii():
            self._headers.setdefault(_KEPT[name], value.decode())

    def on_headers_complete(self) -> None:
        if not self._whole:
            self._in_body = self._status >= 200

    def on_body(self, body: bytes) -> None:
        if not self._whole:
            self._size_bytes += len(body)
            if self._size_bytes <= self._max_body_bytes:
                self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self._in_body and not self._whole and self._size_bytes <= self._max_body_bytes:
            assert self._parser is not None
            self._whole = True
            self._kept = self._kept and self._parser.should_keep_alive()
            self._said = self._status

    @property
    def _status(self) -> int:
        assert self._parser is not None
        status: int = self._parser.get_status_code()
        return status

    # --- how it ends ---

    def _answer(self) -> None:
        status = self._said if self._whole else self._status
        body = b"".join(self._pieces)
        if self._transport.get_write_buffer_size():
            self._kept = False  # It answered before it had the whole request.
        decoded: bytes | Failure = body
        if body and self._encodings:
            encoding = b", ".join(self._encodings).decode("latin-1")
            decoded = decode_body(body, encoding, self._max_body_bytes)
        self._end(decoded if isinstance(decoded, Failure) else Answer(status, self._headers, decoded))
        if not self._kept:
            self.close()

    def _end(self, result: Answer | Failure) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(result)
