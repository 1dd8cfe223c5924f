"""One HTTP answer, ready to be sent."""

from http import HTTPStatus
from typing import Any

import msgspec
import orjson

_JSON = (b"content-type", b"application/json; charset=utf-8")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_HTML = (b"content-type", b"text/html; charset=utf-8")


class Answer(msgspec.Struct, frozen=True):
    """Status, header lines and body. Answers that repeat are built once and shared."""

    status: int
    head: bytes
    """Status line and headers, without the empty line that ends them."""
    body: bytes

    @classmethod
    def json(cls, status: int, value: Any, *extra: tuple[bytes, bytes]) -> "Answer":
        """A JSON document."""
        return cls._of(status, orjson.dumps(value), _JSON, *extra)

    @classmethod
    def text(cls, status: int, text: str, *extra: tuple[bytes, bytes]) -> "Answer":
        """A plain text."""
        return cls._of(status, text.encode(), _TEXT, *extra)

    @classmethod
    def html(cls, status: int, text: str, *extra: tuple[bytes, bytes]) -> "Answer":
        """A page."""
        return cls._of(status, text.encode(), _HTML, *extra)

    @classmethod
    def empty(cls, status: int) -> "Answer":
        """No body at all, as a 204 has none."""
        return cls(status, _status_line(status), b"")

    def with_headers(self, *extra: tuple[bytes, bytes]) -> "Answer":
        """The same answer with further headers."""
        return Answer(self.status, self.head + _lines(extra), self.body)

    @classmethod
    def _of(cls, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> "Answer":
        length = (b"content-length", b"%d" % len(body))
        return cls(status, _status_line(status) + _lines((*headers, length)), body)


def phrase_of(status: int) -> str:
    """The standard's words for a status, also for one that it does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {phrase_of(status)}\r\n".encode()


def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in headers)
