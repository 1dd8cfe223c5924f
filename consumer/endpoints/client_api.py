"""The Client API: what alias, identify, devices and events have in common.

Follows the vendor's page "Client API" and, where it is silent, the published source of the server behind it
(Parcelvoy). Authentication runs before validation there; a 204 means queued, and nothing more.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.fields import WHOLE, Rule
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Rejected, Unclear
from consumer.endpoints.response_table import ResponseTable
from consumer.http.sender import Answer

SERVER_BODY_BYTES = 1_048_576
"""The server takes a body of exactly this size; one byte more gets the generic 400."""

TEXT = checks.text_up_to(255)
"""A name, id, email or locale beyond 255 characters is answered 204, and lost."""
PHONE = checks.text_up_to(64)
TIMEZONE = checks.text_up_to(50)
"""The server's column for it is that wide."""

IDENTIFIER_RULES = (Rule("anonymous_id", TEXT), Rule("external_id", TEXT))
IDENTIFIERS = frozenset(rule.name for rule in IDENTIFIER_RULES)
DEVICE_STRINGS = ("device_id", "os", "model", "app_build", "app_version")
"""What the server demands of a device, as strings: a build as a number is a validation error."""
TRAIT_RULES = (Rule("email", TEXT), Rule("phone", PHONE), Rule("timezone", TIMEZONE), Rule("locale", TEXT))
"""A user's attributes beside the free `data`. The server checks the format of none of them in an event."""

NO_IDENTIFIER = "needs one of anonymous_id, external_id, and has none"
NOT_CANONICAL = "is not canonical: lower-case ASCII without spaces around it"

REQUIRED_BY_SERVER = ("name", "anonymous_id", "external_id", *DEVICE_STRINGS)

_WRONG_TYPE = re.compile(r"The value of `[^`]+` must be an? [a-z]+\.")
WRONG_TYPE = "a value has the wrong type"

BY_TEXT: Mapping[tuple[int, str], Outcome] = {
    (400, "An error occurred with this request."): Unclear("generic 400"),
    # Also what a good key gets while the server's database is down, so it may not be called a bad key.
    (401, "1000"): Halted("401 code 1000: key not accepted, or the vendor's database is down"),
    (404, "6000"): Halted("404 code 6000: no project for this key"),
    **{
        (422, text): Rejected(text, 422)
        for text in (f"Must have required property '{name}'" for name in REQUIRED_BY_SERVER)
    },
    (422, "Must NOT have additional properties"): Rejected("Must NOT have additional properties", 422),
    (422, "The timezone value must be in the IANA format."): Rejected(
        "The timezone value must be in the IANA format.", 422
    ),
    (422, WRONG_TYPE): Rejected(WRONG_TYPE, 422),
    # Every body that leaves here is JSON, says so, and is never empty. If the server saw another one,
    # something on the way changed it, and will change the next: to call that the record's fault would
    # dead-letter the whole topic.
    (422, "The value of `` must be a array."): Halted(
        "422 body not read as JSON: content type lost on the way"
    ),
    # The same of the operations that take one object; documented for the array only.
    (422, "The value of `` must be a object."): Halted(
        "422 body not read as JSON: content type lost on the way"
    ),
    (422, "Must NOT have fewer than 1 items"): Halted("422 body arrived empty"),
}
BY_STATUS: Mapping[int, Outcome] = {
    400: Unclear("undocumented 400"),
    404: Halted("404 unknown path"),
    422: Rejected("validation error", 422),
}
NOT_THE_SERVERS = Unclear("undocumented 422")
"""A firewall's page says 422 too: what is not in the server's words does not call a record bad."""


class _Reply(msgspec.Struct, gc=False):
    error: Any = None
    code: Any = None


_REPLY = msgspec.json.Decoder(_Reply)


def _text(body: bytes) -> str | None:
    """The error's code, else its text; all texts on wrong types, since they name an item, become one."""
    try:
        reply = _REPLY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if type(reply.code) is int:
        return str(reply.code)
    if not isinstance(reply.error, str):
        return None
    return WRONG_TYPE if _WRONG_TYPE.fullmatch(reply.error) else reply.error


def identifier_fault(item: Mapping[str, Any], canonical_ids: bool) -> Invalid | None:
    """At least one id; with `canonical_ids`, an external id that no other id can equal but for case or
    accent.

    The server's database compares ids without case and accents: of two that differ only so, the second one's
    records are answered 204 and lost. Which ids exist is not known here, so the guard is to let canonical
    ones pass alone.
    """
    external_id = item.get("external_id")
    if external_id is None:
        return None if "anonymous_id" in item else Invalid(WHOLE, NO_IDENTIFIER)
    if canonical_ids and not (external_id.isascii() and external_id == external_id.lower().strip()):
        return Invalid("external_id", NOT_CANONICAL)
    return None


def request_headers(credential: str) -> dict[str, str]:
    """The scheme is case-sensitive there; without the content type, the body is not read at all."""
    return {"authorization": f"Bearer {credential}", "content-type": "application/json"}


class ClientResponses:
    """The response table of all four operations."""

    def __init__(self, clock: Clock, max_retry_after_s: float) -> None:
        self._table = ResponseTable(BY_TEXT, BY_STATUS, _text, clock, max_retry_after_s)

    def classify(self, answer: Answer) -> Outcome:
        """Acknowledged by 204 and by nothing else."""
        if answer.status == 204:
            return Delivered()
        if answer.status == 422 and answer.body and _text(answer.body) is None:
            return NOT_THE_SERVERS
        return self._table.outcome(answer)
