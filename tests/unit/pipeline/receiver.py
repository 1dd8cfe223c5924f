"""The receivers of both APIs, as scripted as a test wants them, with a ledger of what they took."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from consumer.http.sender import LATE, Answer, Failure, FailureKind


@dataclass(frozen=True)
class Reply:
    """What a request is answered, and whether the receiver took it all the same."""

    answer: Answer | Failure
    taken: bool = False
    after_s: float = 0.01


@dataclass(eq=False)
class Request:
    """One POST as it arrived."""

    api: str
    ids: tuple[str, ...]
    key: str
    body: bytes
    at_s: float
    process: str
    replied: "asyncio.Future[Reply]" = field(repr=False)
    operation: str = ""
    """The last part of its path."""

    def reply(self, reply: Reply) -> None:
        """Answer a request that no rule answered."""
        self.replied.set_result(reply)


def _json(code: int, /, **body: Any) -> Answer:
    return Answer(code, {"content-type": "application/json"}, json.dumps(body).encode())


def accept(request: Request) -> Reply:
    answer = Answer(204, {}, b"") if request.api == "client" else _json(200, statusCode=200)
    return Reply(answer, taken=True)


def refuse(request: Request) -> Reply:
    """As the page says of a record that is wrong."""
    if request.api == "client":
        return Reply(_json(422, status="error", error="Must NOT have additional properties"))
    return Reply(_json(400, statusCode=400, message="Invalid experience id."))


def unknown_user(_: Request) -> Reply:
    return Reply(_json(400, statusCode=400, message="User not found."))


def unauthorized(_: Request) -> Reply:
    return Reply(_json(401, statusCode=401, message="Unauthorized."))


def broken(_: Request) -> Reply:
    """A server error that took nothing."""
    return Reply(_json(500, statusCode=500, message="Internal server error."))


def lost(_: Request) -> Reply:
    """Taken, and the answer never came."""
    return Reply(Failure(FailureKind.TIMEOUT, "no answer", sent=True), taken=True, after_s=1.0)


def throttle(after_s: int) -> Callable[[Request], Reply]:
    def rule(_: Request) -> Reply:
        return Reply(Answer(429, {"retry-after": str(after_s)}, b""))

    return rule


Rule = Callable[[Request], Reply | None]
"""What a request is answered; None: the test answers it by hand."""


def by_hand(_: Request) -> None:
    return None


def refusing(*guilty: str) -> Rule:
    """Refuse whatever has one of these in it."""

    def rule(request: Request) -> Reply:
        return refuse(request) if set(guilty) & set(request.ids) else accept(request)

    return rule


def script(**replies: list[Rule]) -> Rule:
    """Answer a record's requests one after the other as listed, and accept after that. An id's dashes are
    written as underscores."""

    def rule(request: Request) -> Reply | None:
        for one in request.ids:
            left = replies.get(one.replace("-", "_"))
            if left:
                return left.pop(0)(request)
        return accept(request)

    return rule


class Receiver:
    """All the accounts; a `Sender` of its own for each process."""

    def __init__(self) -> None:
        self.rule: Rule = accept
        self.requests: list[Request] = []
        self.open: list[Request] = []
        self.accepted: dict[str, Counter[str]] = {"client": Counter(), "distinct": Counter()}
        self.on_request: Callable[[Request], None] = lambda request: None

    def arrivals(self, api: str) -> list[tuple[str, ...]]:
        """The records of each request to an API, in the order in which the requests came."""
        return [request.ids for request in self.requests if request.api == api]

    def duplicates(self, api: str) -> int:
        """How many records came more often than once."""
        return sum(count - 1 for count in self.accepted[api].values())

    def calls(self, api: str) -> list[tuple[str, ...]]:
        """As `arrivals`, each with its operation before its records."""
        return [(request.operation, *request.ids) for request in self.requests if request.api == api]

    @property
    def waiting(self) -> list[Request]:
        """On the wire, and to be answered by hand."""
        return [request for request in self.open if not request.replied.done()]

    def answer(self, rule: Callable[[Request], Reply]) -> None:
        """Answer the oldest of them."""
        request = self.waiting[0]
        request.reply(rule(request))

    async def serve(self, request: Request) -> Answer | Failure:
        self.requests.append(request)
        self.open.append(request)
        self.on_request(request)
        reply = self.rule(request)
        try:
            if reply is None:
                reply = await request.replied
            if reply.taken:
                self.accepted[request.api].update(request.ids)
            await asyncio.sleep(reply.after_s)
            return reply.answer
        finally:
            self.open.remove(request)


class ScriptedSender:
    """Implements `consumer.http.sender.Sender`."""

    def __init__(self, receiver: Receiver, api: str, process: str) -> None:
        self._receiver = receiver
        self._api = api
        self._process = process

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, begin_by_s: float = inf
    ) -> Answer | Failure:
        running = asyncio.get_running_loop()
        if running.time() > begin_by_s:
            return LATE
        parsed = json.loads(body)
        items = parsed if isinstance(parsed, list) else [parsed]
        ids = tuple(id for item in items for id in ([item["id"]] if "id" in item else item["data"]))
        request = Request(
            self._api,
            ids,
            headers["Idempotency-Key"],
            body,
            running.time(),
            self._process,
            running.create_future(),
            url.rpartition("/")[2],
        )
        return await self._receiver.serve(request)

    async def close(self) -> None:
        return None
