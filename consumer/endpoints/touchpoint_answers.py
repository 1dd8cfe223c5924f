"""What the API of touchpoint metrics answers: the documented shapes, and its response table.

Follows the vendor's page "Touchpoint Scanner Metrics". Its errors carry no `data`.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from consumer.clock import Clock
from consumer.endpoints.outcome import Halted, Outcome, Rejected, Unclear
from consumer.endpoints.response_table import UNDOCUMENTED_SUCCESS, ResponseTable
from consumer.endpoints.touchpoints import (
    Count,
    Experience,
    ExperienceQuery,
    Metrics,
    Query,
    Slice,
    Touchpoint,
    TouchpointQuery,
    UserQuery,
    UserScans,
    Visit,
    Visits,
    VisitsType,
)
from consumer.http.sender import Answer

MAX_RETRY_AFTER_S = 300.0
T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T], rename="camel"):
    status_code: int
    data: T


class _Pagination(msgspec.Struct):
    offset: Count


class _Details(msgspec.Struct):
    items: tuple[Visit, ...]
    pagination: _Pagination


class _TotalVisits(msgspec.Struct):
    id: str
    name: str
    value: str
    total: Count = msgspec.field(name="totalVisits")
    details: _Details = msgspec.field(name="totalVisitsDetails")


class _UniqueVisits(msgspec.Struct):
    id: str
    name: str
    value: str
    total: Count = msgspec.field(name="uniqueVisits")
    details: _Details = msgspec.field(name="uniqueVisitsDetails")


class _OneTouchpoint(msgspec.Struct, Generic[T]):
    touchpoints: T
    """A single object, unlike in the two other shapes."""


_EXPERIENCE = msgspec.json.Decoder(_Envelope[Experience])
_USER = msgspec.json.Decoder(_Envelope[UserScans])
_TOTAL = msgspec.json.Decoder(_Envelope[_OneTouchpoint[_TotalVisits]])
_UNIQUE = msgspec.json.Decoder(_Envelope[_OneTouchpoint[_UniqueVisits]])


class _Reply(msgspec.Struct, gc=False):
    message: str


_REPLY = msgspec.json.Decoder(_Reply)

EXPERIENCE_NOT_FOUND = Rejected("Experience not found", 404)
USER_NOT_FOUND = Rejected("User not found", 404)
TOUCHPOINT_NOT_FOUND = Rejected("Touchpoint not found", 404)
ANOTHER_PAGE = Halted("200 with another page than the one asked for")
_PARAMETERS = ("metricsType", "experienceId", "userId", "touchpointId")

BY_TEXT: Mapping[tuple[int, str], Outcome] = {
    (404, row.reason): row for row in (EXPERIENCE_NOT_FOUND, USER_NOT_FOUND, TOUCHPOINT_NOT_FOUND)
} | {
    (400, text): Rejected(text, 400) for text in (f"Missing required parameter: {one}" for one in _PARAMETERS)
}
BY_STATUS: Mapping[int, Outcome] = {
    400: Rejected("400 bad request: a parameter is missing or invalid", 400),
    401: Halted("401 unauthorized: the key is missing, wrong, or not an admin key"),
    403: Halted("403 forbidden: this key or this address is not allowed"),
    500: Unclear("500 internal server error"),
}


class TouchpointAnswers:
    """What the API's answers say. Pure but for the clock, against which a Retry-After date is measured."""

    def __init__(self, clock: Clock, max_retry_after_s: float = MAX_RETRY_AFTER_S) -> None:
        self._table = ResponseTable(BY_TEXT, BY_STATUS, _message, clock, max_retry_after_s)

    def read(self, query: Query, part: Slice | None, answer: Answer) -> Metrics | Outcome:
        """The metrics that were asked for, or what stands in their way. Never raises.

        Only a 200 whose JSON has a `statusCode` of 200 and the documented shape is an answer: what a proxy
        says with a 200 must not be taken for "no visits", nor one page for another.
        """
        if answer.status != 200:
            return self._table.outcome(answer)
        try:
            found = _metrics(query, answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return UNDOCUMENTED_SUCCESS
        if isinstance(found, Visits) and part is not None and found.offset != part.offset:
            return ANOTHER_PAGE
        return found


def _metrics(query: Query, body: bytes) -> Metrics | Halted:
    match query:
        case ExperienceQuery():
            return _data(_EXPERIENCE.decode(body))
        case UserQuery():
            return _data(_USER.decode(body))
        case TouchpointQuery(visits=VisitsType.UNIQUE):
            return _visits(_UNIQUE.decode(body))
        case TouchpointQuery():
            return _visits(_TOTAL.decode(body))


def _data(envelope: _Envelope[T]) -> T | Halted:
    return envelope.data if envelope.status_code == 200 else UNDOCUMENTED_SUCCESS


def _visits(
    envelope: _Envelope[_OneTouchpoint[_TotalVisits]] | _Envelope[_OneTouchpoint[_UniqueVisits]],
) -> Visits | Halted:
    if envelope.status_code != 200:
        return UNDOCUMENTED_SUCCESS
    one = envelope.data.touchpoints
    touchpoint = Touchpoint(one.id, one.name, one.value)
    return Visits(touchpoint, one.total, one.details.pagination.offset, one.details.items)


def _message(body: bytes) -> str | None:
    try:
        return _REPLY.decode(body).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
