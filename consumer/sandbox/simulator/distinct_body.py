"""What Distinct's two deliveries have in common: how a body is read, and the shape of every answer.

The pages demand formats but document no text for what breaks them. Those refusals, a malformed body, a 403 and
a 429 get an answer of the documented shape with a text of our own.
"""

import re
from datetime import datetime
from typing import Any

import orjson

from consumer.sandbox.simulator.answer import Answer, phrase_of
from consumer.sandbox.simulator.distinct_access import MESSAGES
from consumer.sandbox.simulator.request import Request

_ISO_8601 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def answer(status: int, message: str) -> Answer:
    """`data` is null, in successes as well."""
    return Answer.json(status, {"statusCode": status, "message": message, "data": None})


def failure(status: int) -> Answer:
    """The documented text, else the status's own phrase in the documented shape."""
    return answer(status, MESSAGES.get(status) or f"{phrase_of(status)}.")


def read_object(request: Request) -> dict[str, Any] | str:
    """The body's JSON object, or what is wrong with it."""
    if not _is_json(request.headers.get(b"content-type", b"")):
        return "Content-Type must be application/json."
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return "The body is not valid JSON."
    return value if type(value) is dict else "The body must be a JSON object."


def fault_of_texts(event: dict[str, Any], fields: tuple[str, ...]) -> str | None:
    """Optional fields "should be omitted if there are no values": neither empty nor null."""
    for field in fields:
        if field in event:
            value = event[field]
            if type(value) is not str or not value:
                return f"{field} must be a non-empty string: omit it where there is no value."
    return None


def is_timestamp(value: object) -> bool:
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
