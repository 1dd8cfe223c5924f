"""How the Client API reads a body: before it looks at the key, and by the content type.

Malformed JSON, a body over 1 MiB after inflating and an unknown encoding are a 400 even with a bad key. A
body that is not declared as JSON is not parsed at all: the server then validates an empty object, or a text.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import orjson

LIMIT_BYTES = 1_048_576
"""Exactly this many pass."""

_JSON_TYPES = frozenset(
    {
        b"application/json",
        b"application/json-patch+json",
        b"application/vnd.api+json",
        b"application/csp-report",
    }
)
_DETECT_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_BLANKS = b" \t\r\n"


class UnreadableBody(Exception):
    """The server answers its generic 400."""


class Body(NamedTuple):
    """A decoded body."""

    value: Any
    suspect: bool = False
    """Only the lenient parser took it: strings may hold lone surrogates, which the server accepts."""


def read_body(headers: Mapping[bytes, bytes], body: bytes) -> Body:
    """Decode a body as its headers say. Raises UnreadableBody."""
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type.startswith(b"text/"):
        return Body(body.decode("utf-8", "replace"))
    if content_type not in _JSON_TYPES:
        return Body({})
    return _parse(_inflate(headers.get(b"content-encoding", b"identity").lower(), body))


def _inflate(encoding: bytes, body: bytes) -> bytes:
    if encoding in (b"gzip", b"deflate"):
        body = _inflated(body)
    elif encoding != b"identity":
        raise UnreadableBody("unknown encoding")
    if len(body) > LIMIT_BYTES:
        raise UnreadableBody("too large")
    return body


def _inflated(body: bytes) -> bytes:
    """At most one byte more than the limit: a bomb must not fill the memory before it is refused."""
    inflater = zlib.decompressobj(_DETECT_GZIP_OR_ZLIB)
    try:
        inflated = inflater.decompress(body, LIMIT_BYTES + 1)
    except zlib.error as error:
        raise UnreadableBody("corrupt encoding") from error
    if not inflater.eof and len(inflated) <= LIMIT_BYTES:
        raise UnreadableBody("truncated encoding")
    return inflated


def _parse(body: bytes) -> Body:
    """An empty body counts as an empty object, and only objects and arrays are JSON to this server."""
    if not body:
        return Body({})
    if body.lstrip(_BLANKS)[:1] not in (b"{", b"["):
        raise UnreadableBody("neither an object nor an array")
    try:
        return Body(orjson.loads(body))
    except orjson.JSONDecodeError:
        return _parse_leniently(body)


def _parse_leniently(body: bytes) -> Body:
    """What the server's parser takes and the fast one does not: lone surrogates and invalid UTF-8."""
    try:
        value = json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody("malformed JSON") from error
    return Body(value, suspect=True)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
