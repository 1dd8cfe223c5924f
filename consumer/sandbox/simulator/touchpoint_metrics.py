"""Distinct's Touchpoint Scanner Metrics, as strict as its page.

Source: the vendor's page "Touchpoint Scanner Metrics". It documents three shapes of `data`, one text of a 400
and one of a 404; errors carry no `data`. Of our own are: the other parameters' 400s in the same words, "Invalid
parameter: …" for a value, the 404s of a user and a touchpoint, the texts of 401 and 403, and the order: key,
IP, parameters in the page's order, then experience, user, touchpoint.

An offset past the end is a 200 without items, and nothing says how many there are: the reader stops at
totalVisits or uniqueVisits.
"""

from typing import Any

from consumer.sandbox.simulator.answer import Answer, phrase_of
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.distinct_access import MESSAGES, DistinctAccess
from consumer.sandbox.simulator.metrics_query import (
    BadParameter,
    ExperienceQuery,
    Page,
    Query,
    TouchpointQuery,
    UserQuery,
    read_query,
)
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.scans import Scans
from consumer.sandbox.simulator.touchpoint import Touchpoint, Visit
from consumer.sandbox.simulator.verdict import Accepted, Received, Refused, Verdict
from consumer.sandbox.simulator.world import World

Json = dict[str, Any]

_FETCHED = "Touchpoint scanner metrics fetched successfully"
_NO_EXPERIENCE = "Experience not found"
_NO_USER = "User not found"
_NO_TOUCHPOINT = "Touchpoint not found"


class NotOnRecord(Exception):
    """Its text is the 404's message."""


class TouchpointMetrics:
    """The one API that is read: GET, with the admin key."""

    name: ApiName = "touchpoint_metrics"
    method = "GET"
    paths = frozenset({"/v3/touchpoint/metrics"})
    folders: frozenset[str] = frozenset()

    def __init__(self, *, access: DistinctAccess, scans: Scans, world: World, experience_pages: bool) -> None:
        """experience_pages: whether pageSize and offset apply to EXPERIENCE, on which the page contradicts
        itself.
        """
        self._access = access
        self._scans = scans
        self._world = world
        self._experience_pages = experience_pages

    def judge(self, request: Request) -> Verdict:
        """The documented answer, or the nearest to it where the page is silent."""
        refusal = self._access.refusal(request)
        if refusal is not None:
            return _refused(refusal, MESSAGES[refusal])
        try:
            query = read_query(request.query)
        except BadParameter as fault:
            return _refused(400, str(fault), guilty=True)
        try:
            data = self._data(query)
        except NotOnRecord as fault:
            return _refused(404, str(fault), guilty=True)
        answer = Answer.json(200, {"statusCode": 200, "message": _FETCHED, "data": data})
        return Accepted(answer, [_received(query)])

    def failure(self, status: int) -> Answer:
        """The shape of the page's errors, with the text known of this status or its own phrase."""
        return _error(status, MESSAGES.get(status) or f"{phrase_of(status)}.")

    def _data(self, query: Query) -> Json:
        match query:
            case ExperienceQuery(experience_id, page):
                return self._experience(experience_id, page)
            case UserQuery(experience_id, user_id):
                return self._user(experience_id, user_id)
            case TouchpointQuery():
                return self._touchpoint(query)

    def _experience(self, experience_id: str, page: Page) -> Json:
        self._demand_experience(experience_id)
        touchpoints = self._scans.of_experience(experience_id)
        shown = _cut(touchpoints, page) if self._experience_pages else touchpoints
        rows = [
            {
                **_described(one),
                "totalVisits": len(self._scans.visits(one.id)),
                "uniqueVisits": len(self._scans.first_visits(one.id)),
            }
            for one in shown
        ]
        return {"totalTouchpoints": len(touchpoints), "touchpoints": rows}

    def _user(self, experience_id: str, user_id: str) -> Json:
        self._demand_experience(experience_id)
        if not self._scans.has_user(user_id) and self._world.known_identifier(user_id, None, None) is None:
            raise NotOnRecord(_NO_USER)
        rows = []
        for one in self._scans.of_experience(experience_id):
            times = [visit.timestamp_utc for visit in self._scans.visits(one.id) if visit.user_id == user_id]
            if times:
                rows.append({**_described(one), "totalVisits": len(times), "timestampsUTC": times})
        return {"totalTouchpoints": len(rows), "touchpoints": rows}

    def _touchpoint(self, query: TouchpointQuery) -> Json:
        if query.experience_id is not None:
            self._demand_experience(query.experience_id)
        found = self._scans.find(query.touchpoint_id)
        if found is None or query.experience_id not in (None, found.experience_id):
            raise NotOnRecord(_NO_TOUCHPOINT)
        kind = "uniqueVisits" if query.unique else "totalVisits"
        visits = self._scans.first_visits(found.id) if query.unique else self._scans.visits(found.id)
        details = {
            "items": [_item(visit) for visit in _cut(visits, query.page)],
            "pagination": {"offset": query.page.offset, "pageSize": query.page.page_size},
        }
        return {"touchpoints": {**_described(found), kind: len(visits), f"{kind}Details": details}}

    def _demand_experience(self, experience_id: str) -> None:
        if not self._scans.has_experience(experience_id):
            raise NotOnRecord(_NO_EXPERIENCE)


def _cut(items: list[Any], page: Page) -> list[Any]:
    return items[page.offset : page.offset + page.page_size]


def _described(touchpoint: Touchpoint) -> Json:
    return {"id": touchpoint.id, "name": touchpoint.name, "value": touchpoint.value}


def _item(visit: Visit) -> Json:
    return {"userId": visit.user_id, "timestampUTC": visit.timestamp_utc}


def _received(query: Query) -> Received:
    match query:
        case ExperienceQuery(experience_id):
            return Received("experience", None, "", experience_id, None)
        case UserQuery(experience_id, user_id):
            return Received("user", None, user_id, experience_id, None)
        case TouchpointQuery(touchpoint_id):
            return Received("touchpoint", None, "", touchpoint_id, None)


def _error(status: int, message: str) -> Answer:
    return Answer.json(status, {"statusCode": status, "message": message})


def _refused(status: int, message: str, *, guilty: bool = False) -> Refused:
    """guilty: the query itself was at fault, not the key."""
    return Refused(_error(status, message), message, "", [None] if guilty else [])
