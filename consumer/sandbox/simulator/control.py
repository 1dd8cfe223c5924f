"""The simulator's own paths, below /_simulator. No key is asked for, and none is told.

| method and path | what it does |
|---|---|
| GET /_simulator/ | the page that shows traffic live |
| GET /_simulator/traffic[?after=SEQ] | what the page shows: the last requests, all counts, faults and outages |
| GET, PUT /_simulator/faults | the fault plan |
| GET, PUT, DELETE /_simulator/outages | an object of API name to outage; PUT replaces all |
| POST /_simulator/users | {"known": [...]}: userIds, emails and phones that are registered from now on |
| GET, PUT /_simulator/touchpoints | all touchpoints with their visits; PUT replaces all |
| POST /_simulator/visits | {"touchpoint_id": ..., "visits": [...]}: more scans |
| GET, DELETE /_simulator/ledger | all counts; forget everything that was received |
| GET /_simulator/ledger/items?api=NAME[&after=SEQ] | accepted items as JSON lines, in their order |
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from consumer.clock import Clock
from consumer.sandbox.simulator.answer import Answer
from consumer.sandbox.simulator.api import API_NAMES, ApiName
from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.ledger_report import LedgerItem
from consumer.sandbox.simulator.outage import Outage
from consumer.sandbox.simulator.page import page
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.state import SimulatorState
from consumer.sandbox.simulator.touchpoint import Touchpoint, Visit
from consumer.sandbox.simulator.traffic import TrafficReport

PREFIX = "/_simulator/"

Items = Iterator[LedgerItem]
Route = Callable[[Request], Answer | Items]

_DONE = Answer.empty(204)


class KnownUsers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Identifiers that are registered from now on."""

    known: list[str]


class MoreVisits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scans of one touchpoint that come now."""

    touchpoint_id: str
    visits: list[Visit]


class ControlPlane:
    """Answers control requests; items come as an iterator, for the server to stream."""

    def __init__(self, state: SimulatorState, clock: Clock) -> None:
        """Reads the page's file; blocks shortly."""
        self._state = state
        self._clock = clock
        self._page = page()
        self._routes: dict[str, dict[str, Route]] = {
            "": {"GET": self._get_page},
            "traffic": {"GET": self._get_traffic},
            "faults": {"GET": self._get_faults, "PUT": self._put_faults},
            "outages": {
                "GET": self._get_outages,
                "PUT": self._put_outages,
                "DELETE": self._delete_outages,
            },
            "users": {"POST": self._post_users},
            "touchpoints": {"GET": self._get_touchpoints, "PUT": self._put_touchpoints},
            "visits": {"POST": self._post_visits},
            "ledger": {"GET": self._get_ledger, "DELETE": self._delete_ledger},
            "ledger/items": {"GET": self._get_items},
        }

    def handle(self, request: Request) -> Answer | Items:
        """One request; what is wrong with it is said in a 400."""
        route = self._routes.get(request.path.removeprefix(PREFIX))
        if route is None:
            return Answer.text(404, "Not Found")
        if request.method not in route:
            return Answer.text(405, "Method Not Allowed", (b"allow", ", ".join(route).encode()))
        try:
            return route[request.method](request)
        except (msgspec.MsgspecError, ValueError) as error:
            return Answer.json(400, {"error": str(error)})

    def _get_page(self, request: Request) -> Answer:
        return self._page

    def _get_traffic(self, request: Request) -> Answer:
        state, after = self._state, int(_query(request).get("after", "0"))
        report = TrafficReport(
            at_ms=int(self._clock.wall_s() * 1000),
            seq=state.traffic.seq,
            exchanges=state.traffic.after(after),
            ledger=state.ledger.report(),
            faults=state.misfortune.plan,
            outages=state.misfortune.outages(),
        )
        return _document(report)

    def _get_faults(self, request: Request) -> Answer:
        return _document(self._state.misfortune.plan)

    def _put_faults(self, request: Request) -> Answer:
        self._state.misfortune.follow(msgspec.json.decode(request.body, type=FaultPlan))
        return _DONE

    def _get_outages(self, request: Request) -> Answer:
        return _document(self._state.misfortune.outages())

    def _put_outages(self, request: Request) -> Answer:
        self._state.misfortune.declare(msgspec.json.decode(request.body, type=dict[ApiName, Outage]))
        return _DONE

    def _delete_outages(self, request: Request) -> Answer:
        self._state.misfortune.declare({})
        return _DONE

    def _post_users(self, request: Request) -> Answer:
        self._state.world.register(msgspec.json.decode(request.body, type=KnownUsers).known)
        return _DONE

    def _get_touchpoints(self, request: Request) -> Answer:
        return _document(self._state.scans.all())

    def _put_touchpoints(self, request: Request) -> Answer:
        self._state.scans.replace(msgspec.json.decode(request.body, type=list[Touchpoint]))
        return _DONE

    def _post_visits(self, request: Request) -> Answer:
        more = msgspec.json.decode(request.body, type=MoreVisits)
        self._state.scans.add(more.touchpoint_id, more.visits)
        return _DONE

    def _get_ledger(self, request: Request) -> Answer:
        return _document(self._state.ledger.report())

    def _delete_ledger(self, request: Request) -> Answer:
        self._state.forget()
        return _DONE

    def _get_items(self, request: Request) -> Items:
        query = _query(request)
        for api in API_NAMES:
            if query.get("api") == api:
                return self._state.ledger.book(api).items(after=int(query.get("after", "-1")))
        raise ValueError(f"the query must name an api: one of {', '.join(API_NAMES)}")


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query))


def _document(value: Any) -> Answer:
    return Answer.json(200, msgspec.to_builtins(value))
