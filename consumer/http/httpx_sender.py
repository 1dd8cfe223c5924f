"""The portable sender: httpx, pure Python, a library of its own from end to end.

It costs some twenty times the CPU a request of the default one. It stands on httpx's transport rather than on its
client: that has no redirects, cookies, .netrc, proxies from the environment, and no log line with the URL, so none
of them has to be turned off.
"""

import asyncio
import math
import os
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from time import monotonic

import httpx

from consumer.http.bodies import body_too_large, decode_body
from consumer.http.sender import (
    KEPT_HEADERS,
    LATE,
    Answer,
    Failure,
    FailureKind,
    SenderPolicy,
    require_sendable_headers,
)
from consumer.http.trust import tls_context
from consumer.http.turns import Turns
from consumer.http.urls import require_sendable_url


class HttpxSender:
    """A Sender over httpx. Making one reads certificates; raises ConfigurationError for `ca_file`."""

    def __init__(self, policy: SenderPolicy) -> None:
        self._policy = policy
        self._closed = False
        self._turns = Turns(policy)
        self._base_headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": policy.user_agent}
        # The total time-out is ours: httpx bounds single reads, which a byte now and then never exceeds.
        self._timeouts = {"connect": policy.connect_timeout_s, "read": None, "write": None, "pool": None}
        self._tls = tls_context(policy.ca_file)
        self._pool = _Pool(policy, self._tls)
        self._retired: set[_Pool] = set()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = math.inf
    ) -> Answer | Failure:
        """See Sender.post."""
        request = self._request("POST", url, headers, body)
        request.extensions["trace"] = partial(_refuse_late, begin_by_s)
        return await self._send(request)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer | Failure:
        """See Fetcher.get."""
        return await self._send(self._request("GET", url, headers, None))

    async def _send(self, request: httpx.Request) -> Answer | Failure:
        left_s = self._policy.total_timeout_s if self._turns.take() else await self._turns.wait()
        if isinstance(left_s, Failure):
            return left_s
        pool = await self._young_pool()
        pool.in_use += 1
        try:
            async with asyncio.timeout(left_s):
                return await self._exchange(pool, request)
        except _LateError:
            return LATE
        except TimeoutError:
            return Failure(FailureKind.TIMEOUT, "waiting for the answer: timed out", sent=True)
        except httpx.TransportError as error:
            return _failure_of(error)
        finally:
            self._turns.give_back()
            pool.in_use -= 1
            await self._close_if_done(pool)

    async def close(self) -> None:
        """See Sender.close."""
        self._closed = True
        for pool in (self._pool, *self._retired):
            await pool.transport.aclose()

    async def _young_pool(self) -> "_Pool":
        """Connections that are not too old; those of before end with the requests that they carry."""
        before = self._pool
        if monotonic() > before.until_s:
            self._pool = _Pool(self._policy, self._tls)
            self._retired.add(before)
            await self._close_if_done(before)
        return self._pool

    async def _close_if_done(self, pool: "_Pool") -> None:
        if pool in self._retired and not pool.in_use:
            self._retired.discard(pool)
            await pool.transport.aclose()

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> httpx.Request:
        if self._closed:
            raise RuntimeError(f"{method.lower()}() after close()")
        require_sendable_headers(headers)
        require_sendable_url(url)
        all_headers = self._base_headers | {name.lower(): value for name, value in headers.items()}
        extensions = {"timeout": self._timeouts}
        try:
            return httpx.Request(method, url, headers=all_headers, content=body, extensions=extensions)
        except httpx.InvalidURL:
            raise ValueError("the URL's host is not valid") from None

    async def _exchange(self, pool: "_Pool", request: httpx.Request) -> Answer | Failure:
        max_bytes = self._policy.max_body_bytes
        response = await pool.transport.handle_async_request(request)
        try:
            raw = bytearray()
            async for chunk in response.stream:  # type: ignore[union-attr]  # the transport is the asynchronous one
                raw += chunk
                if len(raw) > max_bytes:
                    return body_too_large(max_bytes)
            if _has_surplus(response):
                await response.extensions["network_stream"].aclose()
        finally:
            await response.aclose()
        encoding = response.headers.get("content-encoding", "") if raw else ""
        body = decode_body(bytes(raw), encoding, max_bytes)
        if isinstance(body, Failure):
            return body
        kept = ((name, response.headers.get(name)) for name in KEPT_HEADERS)
        headers = {name: value for name, value in kept if value is not None and value.isascii()}
        return Answer(response.status_code, headers, body)


class _Pool:
    """Connections of one age: httpx knows no bound on it."""

    def __init__(self, policy: SenderPolicy, tls: ssl.SSLContext) -> None:
        self.until_s = monotonic() + policy.max_connection_age_s
        self.in_use = 0
        self.transport = httpx.AsyncHTTPTransport(
            verify=tls,
            trust_env=False,
            http1=True,
            http2=False,
            retries=0,
            limits=httpx.Limits(
                max_connections=policy.max_connections,
                max_keepalive_connections=policy.max_connections,
                keepalive_expiry=policy.idle_timeout_s,
            ),
        )


class _LateError(Exception):
    """The request's first byte would go after the time that it was to begin by."""


async def _refuse_late(begin_by_s: float, event: str, _: object) -> None:
    """What httpx calls at each step of a request."""
    if event == "http11.send_request_headers.started" and monotonic() > begin_by_s:
        raise _LateError


def _has_surplus(response: httpx.Response) -> bool:
    """Whether bytes came after the answer.

    httpx would read them as the answer to the connection's next request: a receiver that answers twice would
    so acknowledge a record that it never took. No public face tells, so this asks the parser; where the
    inside of httpx has changed it says yes, which only costs a connection.
    """
    try:
        connection = response.stream._httpcore_stream._stream._connection  # type: ignore[union-attr]
        return bool(connection._h11_state.trailing_data[0])
    except AttributeError:
        return True


def _failure_of(error: httpx.TransportError) -> Failure:
    cause = _root_of(error)
    if isinstance(error, httpx.ConnectTimeout):
        return Failure(FailureKind.TIMEOUT, "connecting: timed out", sent=False)
    if isinstance(error, httpx.ConnectError):
        return _connect_failure(cause)
    ended = isinstance(error, httpx.NetworkError) or "disconnected" in str(error) or "closed" in str(error)
    kind = FailureKind.RESET if ended else FailureKind.PROTOCOL
    # Not the error's text: a parser quotes what it read.
    what = "the connection ended before the answer did" if ended else "the answer is not valid HTTP"
    return Failure(kind, f"waiting for the answer: {what}", sent=True)


def _connect_failure(cause: BaseException) -> Failure:
    match cause:
        case ssl.SSLError():
            text = getattr(cause, "verify_message", None) or cause.reason or "handshake failed"
            return Failure(FailureKind.TLS, f"connecting: {text}", sent=False)
        case socket.gaierror():
            return Failure(FailureKind.DNS, f"connecting: {cause.strerror}", sent=False)
        case OSError():
            text = os.strerror(cause.errno) if cause.errno else "failed"
            return Failure(FailureKind.CONNECT, f"connecting: {text}", sent=False)
        case _:
            return Failure(FailureKind.CONNECT, "connecting: the receiver closed the connection", sent=False)


def _root_of(error: httpx.TransportError) -> BaseException:
    """The first fault below the translations that httpx, httpcore and anyio put around it."""
    core = error.__cause__
    # httpcore's pool raises its error "from None", which hides the cause but keeps the context.
    root: BaseException = (core and (core.__cause__ or core.__context__)) or error
    while True:
        if isinstance(root, BaseExceptionGroup):  # one for each address of the name
            root = root.exceptions[0]
        elif root.__cause__ is not None:
            root = root.__cause__
        else:
            return root
