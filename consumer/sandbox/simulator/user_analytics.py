"""Distinct's User Analytics, as strict as its page.

Source: the vendor's page "User Analytics": its response table, its notes and its registry of features and
actions. The page does not say in which order a server checks. This one checks key, IP, content type and JSON,
identifiers, feature/action, experience, formats, and looks the user up last.

Fields that the page does not list are accepted and counted as harm: a real server would at best ignore them.
"""

import re
from typing import Any

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

_OPERATION = "user_analytics"

_IDENTIFIERS = ("userId", "email", "phone")
_FIELDS = frozenset({*_IDENTIFIERS, "feature", "action", "experienceId", "capturedAt", "metadata"})
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")

_USER_NOT_FOUND = "User not found."
_INVALID_PAIR = "Invalid feature/action."
_INVALID_EXPERIENCE = "Invalid experience id."

_ADDED = answer(200, "User analytics added successfully.")
_NO_ACCESS = {status: Refused(failure(status), MESSAGES[status]) for status in (401, 403)}


class UserAnalytics:
    """One object a request; success is 200 with statusCode 200."""

    name: ApiName = "user_analytics"
    method = "POST"
    paths = frozenset({"/api/v1/user/analytics"})
    folders: frozenset[str] = frozenset()

    def __init__(self, *, access: DistinctAccess, world: World) -> None:
        self._access = access
        self._world = world

    def judge(self, request: Request) -> Verdict:
        """The documented answer, or the nearest to it where the page is silent."""
        refusal = self._access.refusal(request)
        if refusal is not None:
            return _NO_ACCESS[refusal]
        event = read_object(request)
        if isinstance(event, str):
            return _refused(event)
        return self._judge_event(event)

    def failure(self, status: int) -> Answer:
        """As the page's table has it."""
        return failure(status)

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
    fault = fault_of_texts(event, _IDENTIFIERS)
    if fault is not None:
        return fault
    if "phone" in event and _E164.fullmatch(event["phone"]) is None:
        return "phone must be in E.164 format."
    if not is_timestamp(event.get("capturedAt")):
        return "capturedAt must be an ISO 8601 timestamp with an offset."
    if "metadata" in event and type(event["metadata"]) is not dict:
        return "metadata must be a JSON object: omit it where there is none."
    return None


def _refused(message: str, guilty: list[str | None] | None = None) -> Refused:
    return Refused(answer(400, message), message, _OPERATION, guilty or [])
