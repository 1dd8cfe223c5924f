"""One HTTP/1.1 connection: httptools parses, the application answers within the same call.

No task, queue or framework a request: the simulator shares its cores with what it measures, and a general
server costs several times what judging a request does.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import cast

import httptools
import msgspec

from consumer.sandbox.simulator.answer import Answer
from consumer.sandbox.simulator.application import Closed, Delayed, Outcome, SimulatorApplication
from consumer.sandbox.simulator.ledger_report import LedgerItem
from consumer.sandbox.simulator.request import Request

_KEPT_BODY_BYTES = 4 * 1024 * 1024
"""What is longer is read but not kept: every API refuses it anyway."""
_ITEMS_A_WRITE = 500

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\ntransfer-encoding: chunked\r\n\r\n"
_STREAM_END = b"0\r\n\r\n"
_BAD_REQUEST = Answer.text(400, "Bad Request")


class Connection(asyncio.Protocol):
    """Answers in the order of the requests, also when they are pipelined and some are delayed.

    An idle connection is never closed from here: that would fail the sender's next request.
    """

    def __init__(self, application: SimulatorApplication, connections: "set[Connection]") -> None:
        self._application = application
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._client_ip = ""
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._keep_alive = True
        self._timer: asyncio.TimerHandle | None = None
        self._stream: Iterator[LedgerItem] | None = None
        self._paused = False

    # --- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client_ip = peer[0] if peer else ""
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """A delayed request still takes effect: its sender may be gone, but the server has it."""
        self._connections.discard(self)
        self._stream = None

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            self._transport.abort()
            raise
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep_alive = False
            self._write(_BAD_REQUEST, with_body=True)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._stream is not None:
            self._pump(self._stream)
            self._serve_waiting()

    def abort(self) -> None:
        """Close at once; what was delayed never takes effect."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport.abort()

    # --- the parser's side

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._body = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes <= _KEPT_BODY_BYTES:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._transport.is_closing():
            return
        path, _, query = self._url.decode("latin-1").partition("?")
        request = Request(
            self._parser.get_method().decode("ascii"),
            path,
            query,
            self._headers,
            b"".join(self._body),
            self._client_ip,
        )
        keep_alive = self._parser.should_keep_alive()
        if self._busy:
            if not self._waiting:
                self._transport.pause_reading()
            self._waiting.append((request, keep_alive))
        else:
            self._serve(request, keep_alive)

    # --- one request after the other

    def _serve(self, request: Request, keep_alive: bool) -> None:
        self._busy = True
        self._keep_alive = keep_alive
        outcome = self._application.handle(request)
        with_body = request.method != "HEAD"
        if isinstance(outcome, Delayed):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(outcome.delay_s, self._resume, outcome, with_body)
        else:
            self._send(outcome, with_body)

    def _resume(self, delayed: Delayed, with_body: bool) -> None:
        self._timer = None
        self._send(delayed.resume(), with_body)
        self._serve_waiting()

    def _send(self, outcome: Outcome, with_body: bool) -> None:
        if isinstance(outcome, Answer):
            self._busy = False
            self._write(outcome, with_body)
        elif isinstance(outcome, Closed):
            self._transport.abort()
        else:
            self._transport.write(_STREAM_HEAD)
            self._stream = outcome
            self._pump(outcome)

    def _write(self, answer: Answer, with_body: bool) -> None:
        if self._transport.is_closing():
            return
        end = b"\r\n" if self._keep_alive else b"connection: close\r\n\r\n"
        self._transport.write(answer.head + end + answer.body if with_body else answer.head + end)
        if not self._keep_alive:
            self._transport.close()

    def _pump(self, items: Iterator[LedgerItem]) -> None:
        """Write as much as the receiver takes; resume_writing goes on from there."""
        while not self._paused:
            batch = list(islice(items, _ITEMS_A_WRITE))
            if not batch:
                self._stream = None
                self._busy = False
                self._transport.write(_STREAM_END)
                if not self._keep_alive:
                    self._transport.close()
                return
            lines = msgspec.json.Encoder().encode_lines(batch)
            self._transport.write(b"%x\r\n%b\r\n" % (len(lines), lines))

    def _serve_waiting(self) -> None:
        """What was pipelined behind a request that took its time."""
        if not self._waiting:
            return
        while self._waiting and not self._busy and not self._transport.is_closing():
            self._serve(*self._waiting.popleft())
        if not self._waiting and not self._transport.is_closing():
            self._transport.resume_reading()
