"""What each path of the admin port answers. Knows nothing of sockets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec

from consumer.admin.page import Page
from consumer.admin.source import MetricsSource, StatusSource

_log = logging.getLogger(__name__)
_JSON = "application/json"


class Reply(msgspec.Struct, frozen=True):
    """One HTTP answer; `headers` beside content type and length."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Answers:
    """GET and HEAD of five paths; everything else is refused."""

    def __init__(self, source: StatusSource, metrics: MetricsSource, ready_timeout_s: float = 2.0) -> None:
        """`ready_timeout_s`: a ledger that hangs is as good as one that says no."""
        self._source = source
        self._metrics = metrics
        self._ready_timeout_s = ready_timeout_s
        self._page = Page()
        self._paths: dict[str, Callable[[str], Awaitable[Reply]]] = {
            "/": self._root,
            "/live": self._live,
            "/ready": self._ready,
            "/metrics": self._render_metrics,
            "/status": self._status,
        }

    async def to(self, method: str, target: str, accept: str) -> Reply:
        """The answer to a request. Never raises; waits for the ledger at most `ready_timeout_s`."""
        try:
            answer = self._paths.get(urlsplit(target).path)
        except ValueError:
            answer = None
        if answer is None:
            return _json(404, {"error": f"not found; there are {' '.join(self._paths)}"})
        if method not in ("GET", "HEAD"):
            error = {"error": "method not allowed: this port only shows"}
            return _json(405, error, (("Allow", "GET, HEAD"),))
        try:
            return await answer(accept)
        except Exception:
            _log.exception("the admin port could not answer")
            return _json(500, {"error": "internal error; the log says more"})

    async def _root(self, _: str) -> Reply:
        page = self._page
        return Reply(200, "text/html; charset=utf-8", page.body, (("Content-Security-Policy", page.policy),))

    async def _live(self, _: str) -> Reply:
        good, reason = self._source.live()
        return _json(200 if good else 503, {"live": good, "reason": reason})

    async def _ready(self, _: str) -> Reply:
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                good, reason = await self._source.ready()
        except TimeoutError:
            good, reason = False, f"no answer within {self._ready_timeout_s:g} s"
        return _json(200 if good else 503, {"ready": good, "reason": reason})

    async def _render_metrics(self, accept: str) -> Reply:
        content_type, body = self._metrics.render(accept)
        return Reply(200, content_type, body)

    async def _status(self, _: str) -> Reply:
        return _json(200, self._source.status())


def _json(status: int, document: object, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, _JSON, msgspec.json.encode(document) + b"\n", headers)
