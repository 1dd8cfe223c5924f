"""Distinct's Capture Analytics, which is deprecated, as strict as its page.

Source: the vendor's page "Capture Analytics": two shapes of a body and one success. It documents no refusal at
all. Of our own, in the shape and where possible with the texts of User Analytics: every refusal, the 404 of an
unknown experience in the path, and the order: key, IP, content type and JSON, identifiers, type, experience,
formats, and the look-up of the user last.

A registration page visit is sent with sessionId and registrationPageValue "instead of email": with an email it
is refused, since nobody knows what a server makes of it.
"""

from typing import Any
from urllib.parse import unquote

from consumer.sandbox.simulator.answer import Answer
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.distinct_access import MESSAGES, DistinctAccess
from consumer.sandbox.simulator.distinct_body import (
    answer,
    failure,
    fault_of_texts,
    is_timestamp,
    read_object,
)
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted, Received, Refused, Verdict
from consumer.sandbox.simulator.world import World

_OPERATION = "capture"
_FOLDER = "/api/v1/analytics/capture/"

_VISIT = "REGISTRATION_PAGE_VISIT"
_TYPES = frozenset({_VISIT, "PHOTO_ASSIGNED_TO_USER", "PHOTO_DOWNLOADED_BY_USER", "PHOTO_VIEWED_BY_USER"})
_COMMON = ("type", "eventValue", "recordCapturedAt")
_OF_A_VISIT = ("sessionId", "registrationPageValue")
_VISIT_FIELDS = frozenset({*_COMMON, *_OF_A_VISIT})
_OTHER_FIELDS = frozenset({*_COMMON, "email"})

_USER_NOT_FOUND = "User not found."
_CAPTURED = answer(200, "Analytics captured successfully.")
_NO_ACCESS = {status: Refused(failure(status), MESSAGES[status]) for status in (401, 403)}


class CaptureAnalytics:
    """One object a request, its experience in the path; success is 200 with statusCode 200."""

    name: ApiName = "capture_analytics"
    method = "POST"
    paths: frozenset[str] = frozenset()
    folders = frozenset({_FOLDER})

    def __init__(self, *, access: DistinctAccess, world: World) -> None:
        self._access = access
        self._world = world

    def judge(self, request: Request) -> Verdict:
        """The documented success, or a refusal as User Analytics would word it."""
        refusal = self._access.refusal(request)
        if refusal is not None:
            return _NO_ACCESS[refusal]
        event = read_object(request)
        if isinstance(event, str):
            return _refused(400, event)
        return self._judge_event(unquote(request.path.removeprefix(_FOLDER)), event)

    def failure(self, status: int) -> Answer:
        """In the shape of the page's success."""
        return failure(status)

    def _judge_event(self, experience_value: str, event: dict[str, Any]) -> Verdict:
        is_visit = event.get("type") == _VISIT
        if not is_visit and not event.get("email"):
            return _refused_event(_USER_NOT_FOUND)
        if type(event.get("type")) is not str or event["type"] not in _TYPES:
            return _refused_event("Invalid event type.")
        if not self._world.has_experience_value(experience_value):
            return _refused_event("Experience not found.", 404)
        fault = _fault_of_format(event, is_visit=is_visit)
        if fault is not None:
            return _refused_event(fault)
        user = event["sessionId"] if is_visit else self._world.known_identifier(None, event["email"], None)
        if user is None:
            return _refused_event(_USER_NOT_FOUND)
        documented = event.keys() <= (_VISIT_FIELDS if is_visit else _OTHER_FIELDS)
        received = Received(_OPERATION, None, user, event["type"], event["recordCapturedAt"])
        return Accepted(_CAPTURED, [received], [] if documented else ["undocumented field"])


def _fault_of_format(event: dict[str, Any], *, is_visit: bool) -> str | None:
    if is_visit and "email" in event:
        return f"email must not be sent with {_VISIT}."
    needed = ("eventValue", *_OF_A_VISIT) if is_visit else ("eventValue", "email")
    for field in needed:
        if field not in event:
            return f"{field} is required for {event['type']}."
    fault = fault_of_texts(event, needed)
    if fault is not None:
        return fault
    if not is_timestamp(event.get("recordCapturedAt")):
        return "recordCapturedAt must be an ISO 8601 timestamp with an offset."
    return None


def _refused(status: int, message: str, guilty: list[str | None] | None = None) -> Refused:
    return Refused(answer(status, message), message, _OPERATION, guilty or [])


def _refused_event(message: str, status: int = 400) -> Refused:
    """The record's own fault: it has no event id, so that the Idempotency-Key tells it from others."""
    return _refused(status, message, [None])
