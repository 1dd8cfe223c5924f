"""Distinct's analytics APIs: the key, the envelope and the response table that they have in common.

Follows the vendor's pages "User Analytics" and "Capture Analytics". Neither has a word on rate limits, sizes or
idempotency headers; the second documents its success only, and the first one's table is taken for both.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Refused, Rejected, Unclear
from consumer.endpoints.response_table import UNDOCUMENTED_SUCCESS, ResponseTable
from consumer.http.sender import Answer

BY_TEXT: Mapping[tuple[int, str], Outcome] = {
    # The user may be registered only a moment later: worth a delayed attempt. The page gives the same text
    # for missing identifiers, which never leave here.
    (400, "User not found."): Rejected("User not found.", 400, Refused.UNKNOWN_USER),
    (400, "Invalid feature/action."): Rejected("Invalid feature/action.", 400),
    (400, "Invalid experience id."): Rejected("Invalid experience id.", 400),
}
BY_STATUS: Mapping[int, Outcome] = {
    400: Unclear("undocumented 400"),
    401: Halted("401 unauthorized: missing or invalid API key"),
    403: Halted("403 forbidden: this key or this address is not allowed"),
    500: Unclear("500 internal server error"),
}


class Reply(msgspec.Struct, gc=False):
    """The envelope of all answers, with whatever stands in it."""

    statusCode: Any = None
    message: Any = None


_REPLY = msgspec.json.Decoder(Reply)


def reply_of(body: bytes) -> Reply | None:
    """The envelope; None for what is no JSON object."""
    try:
        return _REPLY.decode(body.decode())  # what is passed over must be text, too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def message_of(body: bytes) -> str | None:
    """The envelope's text; None where there is none."""
    reply = reply_of(body)
    return reply.message if reply is not None and isinstance(reply.message, str) else None


def request_headers(credential: str) -> dict[str, str]:
    """The shared key, and what the body is."""
    return {"x-distinct-api-key": credential, "content-type": "application/json"}


class DistinctResponses:
    """The response table of User Analytics, which Capture Analytics shares."""

    def __init__(self, clock: Clock, max_retry_after_s: float) -> None:
        self._table = ResponseTable(BY_TEXT, BY_STATUS, message_of, clock, max_retry_after_s)

    def classify(self, answer: Answer) -> Outcome:
        """Acknowledged by 200 with a JSON `statusCode` of 200 alone: a proxy's 200 says nothing."""
        if answer.status == 200:
            reply = reply_of(answer.body)
            return Delivered() if reply is not None and reply.statusCode == 200 else UNDOCUMENTED_SUCCESS
        return self._table.outcome(answer)
