"""Bodies of answers that came encoded, decoded within a bound."""

import zlib

from consumer.http.sender import Failure, FailureKind

_GZIP_WINDOW_BITS = 31  # 16 + the largest window: a gzip header and trailer, checked


def decode_body(body: bytes, encoding: str, max_bytes: int) -> bytes | Failure:
    """The body behind a Content-Encoding, at most `max_bytes`, or why it can't be had.

    Senders ask for no encoding, as an answer is a few hundred bytes at most. Some receivers, or proxies
    before them, compress nevertheless; a clear answer must not be lost over that, so gzip is read. Here, and
    not by the clients: httpx inflates whatever it has read at once, up to a thousandfold.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body, max_bytes)
        case _:
            return Failure(FailureKind.PROTOCOL, "the answer's encoding was not asked for", sent=True)


def _gunzip(body: bytes, max_bytes: int) -> bytes | Failure:
    stream = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        return Failure(FailureKind.PROTOCOL, "the answer's gzip is broken", sent=True)
    if len(plain) > max_bytes:
        return body_too_large(max_bytes)
    if not stream.eof or stream.unused_data:
        return Failure(FailureKind.PROTOCOL, "the answer's gzip is not one whole stream", sent=True)
    return plain


def body_too_large(max_bytes: int) -> Failure:
    """The failure for an answer beyond the bound: whatever its status, it is no acknowledgement."""
    return Failure(FailureKind.BODY_TOO_LARGE, f"the answer is larger than {max_bytes} bytes", sent=True)
