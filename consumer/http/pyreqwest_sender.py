"""The default sender: reqwest (Rust) under asyncio or uvloop, a few dozen microseconds of CPU a request.

What was read and measured of pyreqwest 0.15.1 (reqwest 0.13, hyper 1), and is relied on here:

- Retries: reqwest's own policy repeats only what HTTP/2 and HTTP/3 answer with "not processed", so HTTP/1.1
  has none. Below it, hyper-util moves a request to another connection only if it was handed to a pooled one
  that had closed before the first byte was encoded. A request of which anything was written is never sent
  again.
- A request runs on another thread; cancelling the coroutine stops the waiting, not the request.
- The exception's class does not say whether anything was sent: a reset after the request was read is a
  "ConnectError", a total time-out a "ConnectTimeoutError". Only the cause "client error (Connect)" comes from
  the connector alone.
- The texts of exceptions quote URLs and header values: they are never passed on nor chained.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, PyreqwestError
from pyreqwest.http import Url
from pyreqwest.request import RequestBuilder
from pyreqwest.response import Response

from consumer.errors import ConfigurationError
from consumer.http.bodies import body_too_large, decode_body
from consumer.http.overdue import Overdue
from consumer.http.sender import (
    KEPT_HEADERS,
    Answer,
    Failure,
    FailureKind,
    SenderPolicy,
    require_sendable_headers,
)
from consumer.http.trust import public_roots, read_ca_file
from consumer.http.turns import Turns
from consumer.http.urls import require_sendable_url

_MAX_PARSED_URLS = 256  # there are a few a destination; ids in paths must not make this grow for ever
_MAX_REASON_CHARS = 160
_CONNECTING = "client error (Connect)"
_GRACE_S = 1.0  # by which the client's own total time-out comes first, unless its threads are flooded
_LOG = logging.getLogger("consumer.http")


class PyreqwestSender:
    """A Sender over pyreqwest. Making one reads certificates; raises ConfigurationError for `ca_file`."""

    def __init__(self, policy: SenderPolicy) -> None:
        self._policy = policy
        self._client: Client | None = _build_client(policy)
        self._renew_at_s = monotonic() + policy.max_connection_age_s
        self._renewing: asyncio.Task[None] | None = None
        self._turns = Turns(policy)
        self._overdue = Overdue(policy.total_timeout_s + _GRACE_S)
        self._parsed_urls: dict[str, Url] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer | Failure:
        """See Sender.post."""
        request = self._request(url, headers, body)
        if not self._turns.take():
            left_s = await self._turns.wait()
            if isinstance(left_s, Failure):
                return left_s
            request.timeout(timedelta(seconds=left_s))
        max_bytes = self._policy.max_body_bytes
        waiting = self._overdue.begin()
        try:
            # Up to the buffer's limit the body is read in Rust before the response is handed over, so that a
            # small answer costs one wake-up of the event loop. One byte more tells "full" from "too large".
            stream = request.streamed_read_buffer_limit(max_bytes + 1).build_streamed()
            response = await stream.__aenter__()
            raw = None if response.status == 204 else await response.body_reader.read(max_bytes + 1)
            answered = b"" if raw is None else raw.to_bytes()
            if len(answered) > max_bytes:
                # Only an unfinished response needs its exit, which costs a coroutine: it hangs up.
                await stream.__aexit__(None, None, None)
                return body_too_large(max_bytes)
            return _answer_of(response, answered, max_bytes)
        except PyreqwestError as error:
            return _failure_of(error, is_https=url[:5].lower() == "https")
        except asyncio.CancelledError:
            if not self._overdue.was_it(waiting):
                raise
            return Failure(FailureKind.TIMEOUT, "waiting for the answer: overdue", sent=True)
        finally:
            self._overdue.end(waiting)
            self._turns.give_back()

    async def close(self) -> None:
        """See Sender.close."""
        client, self._client = self._client, None
        if self._renewing is not None:
            await self._renewing
        if client is not None:
            await client.close()

    def _request(self, url: str, headers: Mapping[str, str], body: bytes) -> RequestBuilder:
        if self._client is None:
            raise RuntimeError("post() after close()")
        if monotonic() > self._renew_at_s:
            self._renew_at_s = monotonic() + self._policy.max_connection_age_s
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
        require_sendable_headers(headers)
        parsed = self._parsed_urls.get(url) or self._parse(url)
        return self._client.post(parsed).headers(headers).body_bytes(body)

    async def _renew(self) -> None:
        """Go on with connections of our own age. Those of before end with the requests that they carry.

        The client knows no bound on a connection's age. Making another reads certificates, off the event loop.
        """
        try:
            renewed = await asyncio.to_thread(_build_client, self._policy)
        except (BuilderError, ConfigurationError) as error:
            _LOG.warning("connections are kept beyond their age: %s", type(error).__name__)
            return
        if self._client is None:
            await renewed.close()
        else:
            self._client = renewed

    def _parse(self, url: str) -> Url:
        require_sendable_url(url)
        if len(self._parsed_urls) >= _MAX_PARSED_URLS:
            self._parsed_urls.clear()
        parsed = self._parsed_urls[url] = Url(url)
        return parsed


def _build_client(policy: SenderPolicy) -> Client:
    ca_pem = None if policy.ca_file is None else read_ca_file(policy.ca_file)
    try:
        return _client_builder(policy, ca_pem).build()
    except BuilderError:
        # The system has no certificate authorities at all: reqwest would not even start for plain http.
        return _client_builder(policy, public_roots() + (ca_pem or b"")).build()


def _client_builder(policy: SenderPolicy, ca_pem: bytes | None) -> ClientBuilder:
    builder = (
        ClientBuilder()
        .http1_only()
        .follow_redirects(False)
        .referer(False)
        .no_proxy()
        .gzip(False)
        .deflate(False)
        .brotli(False)
        .zstd(False)
        .default_headers({"accept-encoding": "identity"})
        .user_agent(policy.user_agent)
        .connect_timeout(timedelta(seconds=policy.connect_timeout_s))
        .timeout(timedelta(seconds=policy.total_timeout_s))
        .pool_idle_timeout(timedelta(seconds=policy.idle_timeout_s))
        .pool_max_idle_per_host(policy.max_connections)
    )
    return builder if ca_pem is None else builder.add_root_certificate_pem(ca_pem)


def _answer_of(response: Response, body: bytes, max_bytes: int) -> Answer | Failure:
    encoding = _header(response, "content-encoding") if body else None
    if encoding is not None:
        decoded = decode_body(body, encoding, max_bytes)
        if isinstance(decoded, Failure):
            return decoded
        body = decoded
    headers = {name: value for name in KEPT_HEADERS if (value := _header(response, name)) is not None}
    return Answer(response.status, headers, body)


def _header(response: Response, name: str) -> str | None:
    try:
        return response.get_header(name)
    except ValueError:
        return None  # not ASCII: as good as absent


def _failure_of(error: PyreqwestError, is_https: bool) -> Failure:
    causes = [cause["message"] for cause in getattr(error, "details", {}).get("causes") or ()]
    connecting = _CONNECTING in causes
    # The first cause quotes the URL, in which any of the words below may occur.
    causes = [cause for cause in causes if "://" not in cause] or [error.message]
    kind = _connecting_kind(causes, is_https) if connecting else _exchange_kind(causes)
    doing = "connecting" if connecting else "waiting for the answer"
    return Failure(kind, f"{doing}: {causes[-1][:_MAX_REASON_CHARS]}", sent=not connecting)


def _connecting_kind(causes: list[str], is_https: bool) -> FailureKind:
    if _mention(causes, "timed out", "deadline has elapsed"):
        return FailureKind.TIMEOUT
    if _mention(causes, "dns error"):
        return FailureKind.DNS
    if not is_https or _mention(causes, "tcp connect error", "os error"):
        return FailureKind.CONNECT
    return FailureKind.TLS


def _exchange_kind(causes: list[str]) -> FailureKind:
    if _mention(causes, "timed out", "deadline has elapsed"):
        return FailureKind.TIMEOUT
    if _mention(causes, "closed", "end of file", "os error", "eof", "connection error", "channel"):
        return FailureKind.RESET
    return FailureKind.PROTOCOL


def _mention(causes: list[str], *words: str) -> bool:
    return any(word in cause.lower() for cause in causes for word in words)
