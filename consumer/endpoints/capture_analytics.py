"""Distinct Capture Analytics: POST /api/v1/analytics/capture/{experienceValue}, one object a request. Deprecated.

Follows the vendor's page "Capture Analytics", which says that the endpoint will be removed, and to use User
Analytics instead: `migrate` does that, by the rules of `capture_migration`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks, distinct, phones
from consumer.endpoints.capture_migration import KINDS, VISIT, CaptureMigration, MigrationOptions
from consumer.endpoints.endpoint import Address, Invalid, Known
from consumer.endpoints.fields import REQUIRED, Rule, Rules, to_json
from consumer.endpoints.outcome import Outcome, Rejected
from consumer.http.sender import Answer

DEPRECATED = (
    "Capture Analytics is deprecated and will be removed: set operations.capture.migrate with the table "
    "experiences, and its events go to User Analytics"
)
UNKNOWN_KIND = "is none of the types that the page lists"
NO_SEGMENT = "can't stand in a path: it holds a slash or a control character, or is only dots"
NOT_FOUND = Rejected("404 for this experience", 404)

VISIT_FIELDS = ("type", "eventValue", "recordCapturedAt", "sessionId", "registrationPageValue")
"""All of them required, and never an email: the page says "instead of email"."""
EVENT_FIELDS = ("type", "eventValue", "recordCapturedAt", "email")
"""All of them required."""

_END = b"\n"
"""Between the path's last segment and the body in an encoded item: percent-encoded text and JSON hold none."""


def _kind(value: Any) -> str | None:
    reason = checks.text(value)
    return reason if reason is not None or value in KINDS else UNKNOWN_KIND


def _experience(value: Any) -> str | None:
    reason = checks.text(value)
    if reason is not None:
        return reason
    return None if _segment(value) else NO_SEGMENT


@lru_cache(maxsize=4096)
def _segment(text: str) -> bytes:
    """As a segment of a path; empty for what must not be one. A slash stays none behind a proxy that decodes it."""
    if not text.strip(".") or not text.isprintable() or "/" in text or "\\" in text:
        return b""
    return quote(text, safe="").encode()


RULES = Rules(
    Rule("experienceValue", _experience, required=True),
    Rule("type", _kind, required=True),
    Rule("eventValue", checks.text, required=True),
    Rule("email", checks.text),
    Rule("recordCapturedAt", checks.timestamp, required=True),
    Rule("sessionId", checks.text),
    Rule("registrationPageValue", checks.text),
    # Not this page's: for the migration only, and not sent without it.
    Rule("userId", checks.text),
    Rule("phone", phones.e164),
    Rule("metadata", checks.json_object(level=2)),
)
IDENTIFIERS = frozenset({"email", "sessionId"})


class CaptureAnalyticsOptions(MigrationOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    migrate: bool = False
    """Send to User Analytics what can be: needs `experiences`."""
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 1_048_576
    """Our own bound; the page has none."""
    max_retry_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0

    def __post_init__(self) -> None:
        if self.migrate and not self.experiences:
            raise ValueError(
                "migrate needs experiences: a table from each experienceValue to its experienceId"
            )


class CaptureAnalytics:
    """The operation, at one account. An encoded item holds its path's last segment before the body."""

    name = "capture"
    path = "/api/v1/analytics/capture"
    max_items = 1
    fields = RULES.names
    required = RULES.required

    def __init__(self, clock: Clock, options: CaptureAnalyticsOptions | None = None) -> None:
        options = options or CaptureAnalyticsOptions()
        self.max_body_bytes = options.max_body_bytes
        self._responses = distinct.DistinctResponses(clock, options.max_retry_after_s)
        self._migration = CaptureMigration(clock, options, options.max_body_bytes, options.max_retry_after_s)
        self._migrates = options.migrate

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One object in the shape of its type, or, migrated, one for User Analytics."""
        item = RULES.checked(fields)
        if isinstance(item, Invalid):
            return item
        if self._migrates and self._migration.takes(item):
            migrated = self._migration.encode(item)
            return migrated if isinstance(migrated, Invalid) else _END + migrated
        names = VISIT_FIELDS if item["type"] == VISIT else EVENT_FIELDS
        for name in names:
            if name not in item:
                return Invalid(name, REQUIRED)
        body = to_json({name: item[name] for name in names}, self.max_body_bytes)
        return body if isinstance(body, Invalid) else _segment(item["experienceValue"]) + _END + body

    def body(self, items: Sequence[bytes]) -> bytes:
        """The one item's JSON. Raises ValueError for any other number of them."""
        (item,) = items
        return item[item.index(_END) + 1 :]

    def address(self, item: bytes) -> Address:
        """By the item's experience, or User Analytics for one that was migrated."""
        segment = item[: item.index(_END)]
        if not segment:
            return self._migration.address
        return Address(f"{self.path}/{segment.decode()}", self.classify, DEPRECATED)

    def headers(self, credential: str) -> dict[str, str]:
        return distinct.request_headers(credential)

    def classify(self, answer: Answer) -> Outcome:
        """As User Analytics, but for 404: the path holds the record's own experience.

        In Distinct's envelope it is the record's. A server's or a proxy's own word for a path that it does not
        have stands for every record, and halts.
        """
        if answer.status == 404:
            message = distinct.message_of(answer.body)
            if message is not None and not message.startswith("Cannot "):
                reply = distinct.reply_of(answer.body)
                if reply is not None and reply.statusCode == 404:
                    return NOT_FOUND
        return self._responses.classify(answer)

    def advice(self, mapped: Known) -> list[str]:
        """That it is deprecated, or, where it migrates, what of the route's records can't be."""
        if not self._migrates:
            return [DEPRECATED]
        return self._migration.advice(mapped)
