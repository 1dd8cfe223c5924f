"""What a receiver says, read as the answer to one request: pure, by llhttp (httptools)."""

import httptools

from consumer.http.bodies import body_too_large, decode_body
from consumer.http.sender import KEPT_HEADERS, Answer, Failure, FailureKind

_MAX_HEAD_BYTES = 64 * 1024
_MAX_FRAMING = 8
"""How much a body may take on the wire for each of its bytes: chunks of one byte take six."""

_START = b"HTTP/"  # llhttp also reads RTSP and ICE.
_VERSIONS = frozenset(("1.0", "1.1"))
_KEPT = {name.encode(): name for name in KEPT_HEADERS}


def no_answer(kind: FailureKind, what: str) -> Failure:
    """The failure of a request that was sent."""
    return Failure(kind, f"waiting for the answer: {what}", sent=True)


ENDED = no_answer(FailureKind.RESET, "the connection ended before it did")
# Not the error's text: a parser quotes what it read.
_NOT_HTTP = no_answer(FailureKind.PROTOCOL, "it is not valid HTTP")
_TOO_LONG = no_answer(FailureKind.PROTOCOL, "it takes too much space for what it says")


class AnswerReader:
    """Takes the bytes as they come; interim answers (1xx) are passed over. The parser calls the `on_…` methods."""

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._taken_bytes = 0
        self._start = b""
        self._status = 0
        """Of the answer itself; 0 until its head is over."""
        self._headers: dict[str, str] = {}
        self._encodings: list[bytes] = []
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._framed = False
        self._whole = False
        self._fault: Failure | None = None
        self.keeps = True
        """Whether the connection may serve another request: the answer allows it, and nothing came behind it."""

    def feed(self, data: bytes) -> Answer | Failure | None:
        """The answer, once it is whole; or why there will be none."""
        self._taken_bytes += len(data)
        if len(self._start) < len(_START):
            self._start += data[: len(_START) - len(self._start)]
            if not _START.startswith(self._start):
                return _NOT_HTTP
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.keeps = False
            if not self._whole:
                return self._fault or _NOT_HTTP
        if self._whole:
            return self._answer()
        if self._taken_bytes > _MAX_HEAD_BYTES + _MAX_FRAMING * self._max_body_bytes:
            return self._fault or _TOO_LONG
        return self._fault

    def end(self) -> Answer | Failure:
        """The receiver will say no more. RFC 9112, 6.3: where nothing says how long a body is, it ends here."""
        self.keeps = False
        if self._status and not self._framed and self._fault is None:
            return self._answer()
        return self._fault or ENDED

    def _answer(self) -> Answer | Failure:
        body: bytes | Failure = b"".join(self._pieces)
        if body and self._encodings:
            encoding = b", ".join(self._encodings).decode("latin-1")
            body = decode_body(b"".join(self._pieces), encoding, self._max_body_bytes)
        return body if isinstance(body, Failure) else Answer(self._status, self._headers, body)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        if self._whole:
            self.keeps = False  # A second answer, unasked.
        # What an interim answer had for headers is not the answer's.
        elif self._headers or self._encodings or self._framed:
            self._headers, self._encodings, self._framed = {}, [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:
            return  # A trailer, or a second answer's.
        name, value = name.lower(), value.strip()
        if name == b"content-length":
            self._framed = True
        elif name == b"transfer-encoding":
            self._framed = True
            if value.lower() != b"chunked":
                self._fault = no_answer(FailureKind.PROTOCOL, "its transfer encoding was not asked for")
        elif name == b"content-encoding":
            self._encodings.append(value)
        elif name in _KEPT and value.isascii():
            self._headers.setdefault(_KEPT[name], value.decode())

    def on_headers_complete(self) -> None:
        if self._status:
            return
        status = self._parser.get_status_code()
        if status < 100 or self._parser.get_http_version() not in _VERSIONS:
            self._fault = _NOT_HTTP
        elif status >= 200:
            self._status = status

    def on_body(self, body: bytes) -> None:
        if not self._status:
            # RFC 9112, 6.3: an interim answer has none; what was taken for it may be anything.
            self._fault = _NOT_HTTP
        elif not self._whole:
            self._size_bytes += len(body)
            if self._size_bytes > self._max_body_bytes:
                self._fault = body_too_large(self._max_body_bytes)
            else:
                self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self._status and not self._whole and self._fault is None:
            self._whole = True
            # A body that a 204 announces would come behind it.
            bodiless = self._framed and self._status in (204, 304)
            self.keeps = self.keeps and not bodiless and self._parser.should_keep_alive()
