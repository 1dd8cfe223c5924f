"""A schema registry over real HTTP, in this process: what the consumer uses of Confluent's API; faults."""

import contextlib
import json
import socket
import ssl
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.brokers.registry_store import RegistryStore

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer this instead: a 500, garbage with 200, a proxy's own 404."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request and answer nothing until the registry is healed or closed."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer properly, but late."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer."""


Fault = Reply | Hang | Delay | Drop


class SchemaRegistry:
    """A server on a free loopback port; ids count from 1. Thread-safe; `with` or `close` ends it."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: what it shows, where it is to speak https."""
        self.basic_auth: str | None = None
        """`user:password` that every request has to bring, if any."""
        self._scheme = "http" if tls is None else "https"
        self._store = RegistryStore()
        self._lock = threading.Lock()
        self._requests: list[tuple[str, str]] = []
        self._next_faults: deque[Fault] = deque()
        self._fault: Fault | None = None
        self._released = threading.Event()
        self._server = _Server(self, tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="schema-registry"
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[tuple[str, str]]:
        """(method, path with query) of every request so far, also of those that met a fault."""
        with self._lock:
            return list(self._requests)

    def register(self, subject: str, schema: str | Mapping[str, Any]) -> int:
        """Put a schema under a subject, without HTTP; gives its id, the same in every subject."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        with self._lock:
            return self._store.register(subject, {"schema": text})

    def break_with(self, fault: Fault) -> None:
        """Every request meets this fault until `heal`."""
        with self._lock:
            self._released.clear()
            self._fault = fault

    def fail_next(self, *faults: Fault) -> None:
        """The next requests meet these faults, one each, before what `break_with` said applies."""
        with self._lock:
            self._released.clear()
            self._next_faults.extend(faults)

    def heal(self) -> None:
        """No faults any more; the requests that hang or are delayed are answered now."""
        with self._lock:
            self._fault = None
            self._next_faults.clear()
            self._released.set()

    def close(self) -> None:
        """Stop listening and close every connection, also those that hang."""
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def answer(self, method: str, target: str, body: bytes) -> Reply | None:
        """What to send for a request; None closes the connection. Blocks where a fault says so."""
        with self._lock:
            self._requests.append((method, target))
            fault = self._next_faults.popleft() if self._next_faults else self._fault
        match fault:
            case Reply():
                return fault
            case Drop():
                return None
            case Hang():
                self._released.wait()
            case Delay(delay_s):
                self._released.wait(delay_s)
        path = [unquote(part) for part in urlsplit(target).path.strip("/").split("/")]
        with self._lock:
            status, document = self._store.serve(method, path, body)
        return Reply(status, json.dumps(document).encode(), _CONTENT_TYPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, registry: SchemaRegistry, tls: ssl.SSLContext | None) -> None:
        self.registry = registry
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Connection)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):  # the client has closed it first
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests look at `requests`."""

    def _serve(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that timed out has gone
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = self.server.registry.basic_auth
            given = self.headers.get("Authorization", "")
            if asked is not None and given != f"Basic {b64encode(asked.encode()).decode()}":
                reply: Reply | None = Reply(
                    401, b'{"error_code": 401, "message": "Unauthorized"}', _CONTENT_TYPE
                )
            else:
                reply = self.server.registry.answer(self.command, self.path, body)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
