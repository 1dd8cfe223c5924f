"""A receiver that acknowledges everything, and remembers the headers that came with it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_ANALYTICS = "/api/v1/user/analytics"


class Recorder:
    """Stands for both APIs on a free loopback port, from its construction to `close`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        """(path, headers in lower case, body), in the order of arrival."""
        self.down = False
        """Answers 503, and remembers nothing."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="recorder")
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came in arrays: the Client API's events, in the order of arrival."""
        return [event for path, _, body in self.requests if path != _ANALYTICS for event in json.loads(body)]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        requests, recorder = self.requests, self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if recorder.down:
                    self.send_response(503)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                if self.path == _ANALYTICS:
                    answer = json.dumps({"statusCode": 200, "message": "added", "data": None}).encode()
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                else:
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        return Handler

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
