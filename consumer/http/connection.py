"""One HTTP/1.1 connection on the event loop: a request goes out, its answer comes in, one at a time."""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from consumer.http.answer_reader import ENDED, AnswerReader, no_answer
from consumer.http.sender import Answer, Failure, FailureKind

_SMALL_BYTES = 64 * 1024


class Connection(asyncio.Protocol):
    """Whatever else comes than one whole answer to what was asked ends the connection: no rest of it can be taken for
    the answer to the next request. `on_lost` is called once, some time after it ended for whatever reason."""

    def __init__(self, max_body_bytes: int, on_lost: Callable[["Connection"], None]) -> None:
        self._max_body_bytes = max_body_bytes
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self.opened_s = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._waiting: asyncio.Future[Answer | Failure] | None = None
        self._over = False

    @property
    def usable(self) -> bool:
        """Whether a request can be sent: the last answer was whole, nothing came after it, and neither side hung up."""
        transport = self._transport
        return not (self._over or self._waiting or transport is None or transport.is_closing())

    def exchange(self, head: bytes, body: bytes) -> asyncio.Future[Answer | Failure]:
        """Send a request, and get its answer some time, or why there is none. Only while it is `usable`."""
        assert self._transport is not None
        self._reader = AnswerReader(self._max_body_bytes)
        self._waiting = waiting = self._loop.create_future()
        # One piece is cheaper to send than two, as long as it is small.
        if len(body) < _SMALL_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return waiting

    def fail(self, kind: FailureKind, what: str) -> None:
        """Give up: whoever waits gets this, and the connection ends."""
        self._end(no_answer(kind, what))
        self.abort()

    def close(self) -> None:
        """End it in good order: TLS says goodbye."""
        self._over = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it at once, with whatever was not sent yet."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self.abort()  # Nobody asked for it.
            return
        result = self._reader.feed(data)
        if result is None:
            return
        keeps = self._reader.keeps
        self._end(result)
        assert self._transport is not None
        if isinstance(result, Failure) or self._transport.get_write_buffer_size():
            self.abort()  # What of the request is not sent yet belongs to nobody: it had its answer before.
        elif not keeps:
            self.close()

    def eof_received(self) -> None:
        self._over = True
        if self._reader is not None:
            self._end(self._reader.end() if self._said_goodbye() else ENDED)
        self.abort()  # What is not sent yet will have no answer.

    def connection_lost(self, error: Exception | None) -> None:
        self._over = True
        self._end(ENDED)
        self._on_lost(self)

    def _said_goodbye(self) -> bool:
        """Over TLS an end counts only with its closure alert (RFC 9112, 9.8): anybody can cut a connection short."""
        assert self._transport is not None
        tls = self._transport.get_extra_info("ssl_object")
        try:
            return tls is None or tls.read(1) == b""
        except ssl.SSLError:
            return False

    def _end(self, result: Answer | Failure) -> None:
        waiting, self._waiting, self._reader = self._waiting, None, None
        if waiting is not None and not waiting.done():
            waiting.set_result(result)
