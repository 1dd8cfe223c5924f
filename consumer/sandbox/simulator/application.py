"""From a request to its outcome: misfortune has its way, the API judges, the ledger is written.

Nothing here waits: a delay is handed to the connection as a value.
"""

from collections.abc import Callable, Iterator

import msgspec

from consumer.clock import Clock
from consumer.sandbox.simulator.answer import Answer
from consumer.sandbox.simulator.api import Api
from consumer.sandbox.simulator.control import PREFIX, ControlPlane
from consumer.sandbox.simulator.fault_dice import Fault
from consumer.sandbox.simulator.ledger import Ledger
from consumer.sandbox.simulator.ledger_report import LedgerItem
from consumer.sandbox.simulator.misfortune import Misfortune
from consumer.sandbox.simulator.outage import Outage
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.traffic import Traffic
from consumer.sandbox.simulator.verdict import Accepted


class Closed(msgspec.Struct, frozen=True):
    """The connection is closed without an answer."""


Outcome = Answer | Closed | Iterator[LedgerItem]
"""What the sender sees: an answer, none, or the ledger's items as a stream."""


class Delayed(msgspec.Struct, frozen=True):
    """The outcome comes later, and the effect with it: also when the sender has given up by then."""

    delay_s: float
    resume: Callable[[], Outcome]


_CLOSED = Closed()
_NOT_FOUND = Answer.text(404, "Not Found")


class SimulatorApplication:
    """All APIs on one port: their paths do not overlap."""

    def __init__(
        self,
        *,
        apis: list[Api],
        ledger: Ledger,
        traffic: Traffic,
        misfortune: Misfortune,
        control: ControlPlane,
        clock: Clock,
    ) -> None:
        self._api_of_path = {path: api for api in apis for path in api.paths}
        self._api_of_folder = {folder: api for api in apis for folder in api.folders}
        self._ledger = ledger
        self._traffic = traffic
        self._misfortune = misfortune
        self._control = control
        self._clock = clock

    def handle(self, request: Request) -> Outcome | Delayed:
        """One request. Its fault is drawn on arrival, so that delays do not change whom it meets."""
        api = self._api_of_path.get(request.path) or self._api_of_folder.get(_folder(request.path))
        if api is not None:
            return self._deliver(api, request)
        if request.path.startswith(PREFIX):
            return self._control.handle(request)
        self._ledger.unknown_paths += 1
        self._traffic.note(None, self._now_ms(), request.method, request.path, 404, "unknown path")
        return _NOT_FOUND

    def _deliver(self, api: Api, request: Request) -> Outcome | Delayed:
        number = self._ledger.book(api.name).arrived()
        if request.method != api.method:
            self._answered(api, request, 405, "method")
            return Answer.text(405, "Method Not Allowed", (b"allow", api.method.encode()))
        outage = self._misfortune.strike(api.name)
        if outage is not None:
            return self._suffer(outage, api, request)
        dice = self._misfortune.dice(api.name)
        fault, delay_s, retry_after_s = dice.fault(), dice.delay_s(), dice.retry_after_s
        if not delay_s:
            return self._befall(fault, api, request, number, retry_after_s)
        return Delayed(delay_s, lambda: self._befall(fault, api, request, number, retry_after_s))

    def _befall(self, fault: Fault, api: Api, request: Request, number: int, retry_after_s: int) -> Outcome:
        match fault:
            case Fault.NONE:
                return self._take_effect(api, request, number)
            case Fault.LOST_RESPONSE:
                self._take_effect(api, request, number, lost=True)
                self._ledger.book(api.name).lost_response()
                return _CLOSED
            case Fault.DROP:
                return self._drop(api, request)
            case Fault.TOO_MANY_REQUESTS:
                self._answered(api, request, 429, "fault")
                return api.failure(429).with_headers((b"retry-after", b"%d" % retry_after_s))
            case Fault.SERVER_ERROR:
                self._answered(api, request, 500, "fault")
                return api.failure(500)

    def _take_effect(self, api: Api, request: Request, number: int, *, lost: bool = False) -> Answer:
        verdict = api.judge(request)
        key = request.headers.get(b"idempotency-key")
        idempotency_key = None if key is None else key.decode("latin-1")
        book, at_ms = self._ledger.book(api.name), self._now_ms()
        status, suffix = verdict.answer.status, " (answer lost)" if lost else ""
        if isinstance(verdict, Accepted):
            book.accept(verdict, idempotency_key=idempotency_key, request=number, at_ms=at_ms)
            items, reason = verdict.items, f"accepted{suffix}"
            _, _, user, name, _ = items[0]
            self._traffic.note(
                api.name, at_ms, request.method, request.path, status, reason, len(items), user, name
            )
        else:
            book.refuse(verdict, idempotency_key=idempotency_key)
            reason = f"{verdict.reason}{suffix}"
            self._traffic.note(api.name, at_ms, request.method, request.path, status, reason)
        return verdict.answer

    def _suffer(self, outage: Outage, api: Api, request: Request) -> Outcome:
        if outage.drop:
            return self._drop(api, request)
        self._answered(api, request, outage.status, "outage")
        extra = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in outage.headers.items()]
        if outage.body is None:
            return api.failure(outage.status).with_headers(*extra)
        if isinstance(outage.body, str):
            return Answer.text(outage.status, outage.body, *extra)
        return Answer.json(outage.status, outage.body, *extra)

    def _answered(self, api: Api, request: Request, status: int, reason: str) -> None:
        """Without a look at what was sent."""
        self._ledger.book(api.name).answered(status, reason)
        self._traffic.note(api.name, self._now_ms(), request.method, request.path, status, reason)

    def _drop(self, api: Api, request: Request) -> Closed:
        self._ledger.book(api.name).dropped()
        self._traffic.note(api.name, self._now_ms(), request.method, request.path, 0, "dropped")
        return _CLOSED

    def _now_ms(self) -> int:
        return int(self._clock.wall_s() * 1000)


def _folder(path: str) -> str:
    """Up to the last slash, where a value stands behind it; else nothing."""
    before, slash, value = path.rpartition("/")
    return before + slash if value else ""
