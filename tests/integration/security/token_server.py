"""An OAuth token endpoint: client credentials in, a token without a signature out."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class TokenServer:
    """On a free loopback port, for one client and its secret; `with` ends it."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        asked_with = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._server = _Server(client_id, f"Basic {asked_with}")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/token"

    @property
    def given(self) -> int:
        """How many tokens were handed out."""
        return self._server.given

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, subject: str, authorization: str) -> None:
        self.subject, self.authorization, self.given = subject, authorization, 0
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != self.server.authorization:
            self._answer(401, {"error": "invalid_client"})
            return
        self.server.given += 1
        now_s = int(time.time())
        claims = {"sub": self.server.subject, "iat": now_s, "exp": now_s + 300}
        token = f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."
        self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
