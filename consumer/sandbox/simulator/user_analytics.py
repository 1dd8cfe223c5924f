"""Distinct's User Analytics, as strict as its page.

Source: the vendor's page "User Analytics": its response table, its notes and its registry of features and
actions. The page does not say in which order a server checks. This one checks key, IP, content type and JSON,
identifiers, feature/action, experience, formats, and looks the user up last.

The page demands formats (E.164, ISO 8601, an object as metadata, no empty string, no null) but documents no
text for what breaks them. Those, a malformed body, a 403 and a 429 get an answer of the documented shape with
a text of our own. Fields that the page does not list are accepted and counted as harm: a real server would at
best ignore them.
"""

import re
from datetime import datetime
from typing import Any

import orjson

from consumer.sandbox.simulator.answer import Answer, phrase_of
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.distinct_access import MESSAGES, DistinctAccess
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.verdict import Accepted, Received, Refused, Verdict
from consumer.sandbox.simulator.world import World

PATH = "/api/v1/user/analytics"
_OPERATION = "user_analytics"

_IDENTIFIERS = ("userId", "email", "phone")
_FIELDS = frozenset({*_IDENTIFIERS, "feature", "action", "experienceId", "capturedAt", "metadata"})
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_ISO_8601 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)

_USER_NOT_FOUND = "User not found."
_INVALID_PAIR = "Invalid feature/action."
_INVALID_EXPERIENCE = "Invalid experience id."


def _answer(status: int, message: str) -> Answer:
    return Answer.json(status, {"statusCode": status, "message": message, "data": None})


_ADDED = _answer(200, "User analytics added successfully.")
_NO_ACCESS = {status: Refused(_answer(status, MESSAGES[status]), MESSAGES[status]) for status in (401, 403)}


class UserAnalytics:
    """One object a request; success is 200 with statusCode 200."""

    name: ApiName = "user_analytics"
    method = "POST"
    paths = frozenset({PATH})
    folders: frozenset[str] = frozenset()

    def __init__(self, *, access: DistinctAccess, world: World) -> None:
        self._access = access
        self._world = world

    def judge(self, request: Request) -> Verdict:
        """The documented answer, or the nearest to it where the page is silent."""
        refusal = self._access.refusal(request)
        if refusal is not None:
            return _NO_ACCESS[refusal]
        if not _is_json(request.headers.get(b"content-type", b"")):
            return _refused("Content-Type must be application/json.")
        try:
            event = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _refused("The body is not valid JSON.")
        if type(event) is not dict:
            return _refused("The body must be a JSON object.")
        return self._judge_event(event)

    def failure(self, status: int) -> Answer:
        """The documented text, else the status's own phrase in the documented shape."""
        return _answer(status, MESSAGES.get(status) or f"{phrase_of(status)}.")

    def _judge_event(self, event: dict[str, Any]) -> Verdict:
        metadata = event.get("metadata")
        event_id = metadata.get("event_id") if type(metadata) is dict else None
        event_id = event_id if type(event_id) is str else None
        fault = self._fault_of_reference(event) or _fault_of_format(event)
        if fault is not None:
            return _refused(fault, [event_id])
        user = self._world.known_identifier(event.get("userId"), event.get("email"), event.get("phone"))
        if user is None:
            return _refused(_USER_NOT_FOUND, [event_id])
        name = f"{event['feature'].lower()}/{event['action'].lower()}"
        received = Received(_OPERATION, event_id, user, name, event["capturedAt"])
        harms = [] if event.keys() <= _FIELDS else ["undocumented field"]
        return Accepted(_ADDED, [received], harms)

    def _fault_of_reference(self, event: dict[str, Any]) -> str | None:
        if not any(event.get(field) for field in _IDENTIFIERS):
            return _USER_NOT_FOUND
        feature, action = event.get("feature"), event.get("action")
        if type(feature) is not str or type(action) is not str or not self._world.has_pair(feature, action):
            return _INVALID_PAIR
        experience_id = event.get("experienceId")
        if type(experience_id) is not str or not self._world.has_experience(experience_id):
            return _INVALID_EXPERIENCE
        return None


def _fault_of_format(event: dict[str, Any]) -> str | None:
    for field in _IDENTIFIERS:
        if field in event:
            value = event[field]
            if type(value) is not str or not value:
                return f"{field} must be a non-empty string: omit it where there is no value."
    if "phone" in event and _E164.fullmatch(event["phone"]) is None:
        return "phone must be in E.164 format."
    if not _is_timestamp(event.get("capturedAt")):
        return "capturedAt must be an ISO 8601 timestamp with an offset."
    if "metadata" in event and type(event["metadata"]) is not dict:
        return "metadata must be a JSON object: omit it where there is none."
    return None


def _is_timestamp(value: object) -> bool:
    """The pattern refuses what Python would accept beyond it; the parser refuses a 30th of February."""
    if type(value) is not str or _ISO_8601.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_json(content_type: bytes) -> bool:
    return content_type == b"application/json" or (
        content_type.partition(b";")[0].strip().lower() == b"application/json"
    )


def _refused(message: str, guilty: list[str | None] | None = None) -> Refused:
    return Refused(_answer(400, message), message, _OPERATION, guilty or [])
