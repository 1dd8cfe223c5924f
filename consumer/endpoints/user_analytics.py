"""Distinct User Analytics: POST /api/v1/user/analytics, one object a request.

Follows the vendor's page "User Analytics". It has no word on rate limits, sizes or idempotency headers.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from consumer.clock import Clock
from consumer.endpoints import checks, distinct, phones
from consumer.endpoints.endpoint import Invalid
from consumer.endpoints.fields import WHOLE, Rule, Rules, to_json
from consumer.endpoints.outcome import Outcome
from consumer.endpoints.plain import Pair, PlainItem
from consumer.http.sender import Answer

REGISTERED_PAIRS = frozenset(
    {
        ("registration_email", "delivered"),
        ("registration_email", "opened"),
        ("registration_email", "sent"),
        ("registration_sms", "sent"),
        ("registration_sms", "delivered"),
        ("registration_sms", "failed"),
        ("user_collectible", "viewed"),
        ("user_collectible", "downloaded"),
        ("page_visit", "viewed"),
    }
)
"""The page's registry of (feature, action). Pairs count: registration_sms/opened is not among them."""

RULES = Rules(
    Rule("userId", checks.text),
    Rule("email", checks.text),
    Rule("phone", phones.e164),
    Rule("feature", checks.text, required=True),
    Rule("action", checks.text, required=True),
    Rule("experienceId", checks.text, required=True),
    Rule("capturedAt", checks.timestamp, required=True),
    Rule("metadata", checks.json_object(level=2)),
)
IDENTIFIERS = frozenset({"userId", "email", "phone"})

NO_IDENTIFIER = "needs one of userId, email, phone, and has none"
NOT_REGISTERED = "feature and action are not a registered pair"


class UserAnalyticsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topology may set for the operation."""

    pairs: dict[str, list[str]] = {}
    """Features with their actions that the vendor has set up beside the page's; they are added to those."""
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 1_048_576
    """Our own bound; the page has none."""
    max_retry_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0


class UserAnalytics:
    """The operation, at one account."""

    name = "user_analytics"
    path = "/api/v1/user/analytics"
    max_items = 1
    fields = RULES.names
    required = RULES.required

    def __init__(self, clock: Clock, options: UserAnalyticsOptions | None = None) -> None:
        options = options or UserAnalyticsOptions()
        added = {(feature, action) for feature, actions in options.pairs.items() for action in actions}
        self.max_body_bytes = options.max_body_bytes
        self.pairs = REGISTERED_PAIRS | {(feature.lower(), action.lower()) for feature, action in added}
        self._responses = distinct.DistinctResponses(clock, options.max_retry_after_s)

    def encode(self, fields: Mapping[str, Any]) -> bytes | Invalid:
        """One object. feature and action are compared as a pair, without case, and sent as given."""
        item = RULES.checked(fields)
        if isinstance(item, Invalid):
            return item
        if not ("userId" in item or "email" in item or "phone" in item):
            return Invalid(WHOLE, NO_IDENTIFIER)
        if (item["feature"].lower(), item["action"].lower()) not in self.pairs:
            return Invalid("action", NOT_REGISTERED)
        return to_json(item, self.max_body_bytes)

    def plain_item(self) -> PlainItem:
        pair = Pair(("feature", "action"), sorted(self.pairs))
        return PlainItem(RULES, IDENTIFIERS, self.max_body_bytes, pair)

    def body(self, items: Sequence[bytes]) -> bytes:
        """The one item is the body. Raises ValueError for any other number of them."""
        (item,) = items
        return item

    def headers(self, credential: str) -> dict[str, str]:
        return distinct.request_headers(credential)

    def classify(self, answer: Answer) -> Outcome:
        return self._responses.classify(answer)
