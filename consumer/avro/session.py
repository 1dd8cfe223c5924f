"""The registry client's HTTP session, bounded."""

import zlib
from time import monotonic
from typing import Any

from consumer.avro.policy import RegistryPolicy

_GZIP_WINDOW_BITS = 31  # 16 + the largest window: a gzip header and trailer, checked


class BoundedSession:
    """An HTTP session with a bound on an answer's size and time; it has what the registry client uses of one.

    The client's own reads an answer of any size for any time, as its time-out starts anew with each byte,
    and takes proxies and .netrc from the environment.
    """

    def __init__(self, rest: Any, policy: RegistryPolicy) -> None:
        """`rest`: the client's inner REST client, whose session this replaces."""
        kind = type(rest.session)  # whichever HTTP library the client found: only it knows
        rest.session.close()
        timeout_s = policy.timeout_s
        self._session = kind(verify=rest.verify, auth=rest.auth, timeout=timeout_s, trust_env=False)
        self._policy = policy

    def request(self, method: str, **arguments: Any) -> Any:
        """One request, its answer read whole. Blocks. Raises ValueError beyond a bound."""
        ends_s = monotonic() + self._policy.deadline_s
        body = bytearray()
        arguments["headers"] = {**(arguments.get("headers") or {}), "accept-encoding": "identity"}
        with self._session.stream(method, **arguments) as answer:
            # Raw: decoded, one read of a bomb is a thousand times as large before it can be measured.
            for part in answer.iter_raw():
                body += part
                if len(body) > self._policy.max_answer_bytes:
                    raise ValueError("the answer is too large")
                if monotonic() > ends_s:
                    raise ValueError("the answer took too long")
        content = _decoded(
            bytes(body), answer.headers.get("content-encoding", ""), self._policy.max_answer_bytes
        )
        # Anew, as a streamed answer can't be given its body; decoded, it no longer fits its headers.
        return type(answer)(answer.status_code, content=content)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _decoded(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body behind an encoding that a proxy chose though none was asked for. Raises ValueError, also for a bomb."""
    if encoding.strip().lower() in ("", "identity") or not body:
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise ValueError("the answer's encoding was not asked for")
    stream = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise ValueError("the answer's gzip is broken") from None
    if len(plain) > max_bytes or not stream.eof:
        raise ValueError("the answer's gzip is too large or not whole")
    return plain
