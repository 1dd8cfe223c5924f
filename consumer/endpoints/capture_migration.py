"""From Capture Analytics to its successor: which of its events become which of User Analytics'.

The vendor's page names the successor and no table. This one is ours: a photo viewed or downloaded is a registered
pair, a page visit is one as soon as it is known who visited, and a photo assigned to a user is none.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from consumer.clock import Clock
from consumer.endpoints.endpoint import Address, Invalid, Known
from consumer.endpoints.user_analytics import UserAnalytics, UserAnalyticsOptions

VISIT = "REGISTRATION_PAGE_VISIT"
PHOTO_ASSIGNED = "PHOTO_ASSIGNED_TO_USER"
KINDS = frozenset({VISIT, PHOTO_ASSIGNED, "PHOTO_DOWNLOADED_BY_USER", "PHOTO_VIEWED_BY_USER"})
"""The page's "Event Capture Types"."""

PAIRS: Mapping[str, tuple[str, str]] = {
    "PHOTO_VIEWED_BY_USER": ("user_collectible", "viewed"),
    "PHOTO_DOWNLOADED_BY_USER": ("user_collectible", "downloaded"),
    VISIT: ("page_visit", "viewed"),
}
NO_PAIR = "PHOTO_ASSIGNED_TO_USER has no registered pair at User Analytics: set photo_assigned"
NO_EXPERIENCE_ID = "has no experienceId in the table experiences"

_IDENTIFIERS = ("userId", "email", "phone")
_KEPT = ("eventValue", "sessionId", "registrationPageValue")
"""What User Analytics has no field for, and goes into the metadata under its own name."""
_NAMES = {"capturedAt": "recordCapturedAt", "experienceId": "experienceValue"}
"""Where a route maps what User Analytics calls otherwise."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Pair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature and an action that the vendor has set up for this account."""

    feature: Text
    action: Text


class MigrationOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the migration has to be told."""

    experiences: dict[Text, Text] = {}
    """From experienceValue (a slug such as fifa-cwc-2025) to experienceId (such as 47Gop5)."""
    photo_assigned: Literal["dead_letter", "keep"] | Pair = "dead_letter"
    """What becomes of PHOTO_ASSIGNED_TO_USER: a pair, or it stays on Capture Analytics."""


class CaptureMigration:
    """Makes User Analytics items of capture's, at the same account."""

    def __init__(
        self, clock: Clock, options: MigrationOptions, max_body_bytes: int, max_retry_after_s: float
    ) -> None:
        assigned = options.photo_assigned
        self._experiences = options.experiences
        self._keeps_assigned = assigned == "keep"
        self._pairs = dict(PAIRS)
        added: dict[str, list[str]] = {}
        if isinstance(assigned, Pair):
            self._pairs[PHOTO_ASSIGNED] = assigned.feature, assigned.action
            added[assigned.feature] = [assigned.action]
        self._successor = UserAnalytics(
            clock,
            UserAnalyticsOptions(
                pairs=added, max_body_bytes=max_body_bytes, max_retry_after_s=max_retry_after_s
            ),
        )
        self.address = Address(UserAnalytics.path, self._successor.classify)

    def takes(self, item: Mapping[str, Any]) -> bool:
        """Whether this item is one for User Analytics; else it stays where it is.

        The page visit of a user who is not known yet has nothing that User Analytics could find a user by.
        """
        kind = item["type"]
        if kind == VISIT:
            return any(name in item for name in _IDENTIFIERS)
        return kind != PHOTO_ASSIGNED or not self._keeps_assigned

    def encode(self, item: Mapping[str, Any]) -> bytes | Invalid:
        """A checked capture item as one of User Analytics; `Invalid.field` is one of capture's."""
        pair = self._pairs.get(item["type"])
        if pair is None:
            return Invalid("type", NO_PAIR)
        experience_id = self._experiences.get(item["experienceValue"])
        if experience_id is None:
            return Invalid("experienceValue", NO_EXPERIENCE_ID)
        kept = {name: item[name] for name in _KEPT if name in item}
        fields = {name: item[name] for name in _IDENTIFIERS if name in item}
        fields |= {
            "feature": pair[0],
            "action": pair[1],
            "experienceId": experience_id,
            "capturedAt": item["recordCapturedAt"],
            "metadata": item.get("metadata", {}) | kept,
        }
        encoded = self._successor.encode(fields)
        if isinstance(encoded, Invalid):
            return Invalid(_NAMES.get(encoded.field, encoded.field), encoded.reason)
        return encoded

    def advice(self, mapped: Known) -> list[str]:
        """What of a route's records can't be migrated, and what becomes of it."""
        kinds = mapped.get("type") or KINDS
        notes = []
        if PHOTO_ASSIGNED in kinds and self._keeps_assigned:
            notes.append(
                "PHOTO_ASSIGNED_TO_USER is not migrated: photo_assigned keeps it on Capture Analytics"
            )
        elif PHOTO_ASSIGNED in kinds and PHOTO_ASSIGNED not in self._pairs:
            notes.append(
                "PHOTO_ASSIGNED_TO_USER can't be migrated and becomes a dead letter: no pair is registered for it; "
                "set photo_assigned"
            )
        if VISIT in kinds:
            known = mapped.keys() & set(_IDENTIFIERS)
            why = "where a record has none of" if known else "because the route maps none of"
            notes.append(
                f"REGISTRATION_PAGE_VISIT can't be migrated and stays on Capture Analytics {why} "
                f"{', '.join(sorted(known) or _IDENTIFIERS)}"
            )
        return notes + self._about_experiences(mapped.get("experienceValue"))

    def _about_experiences(self, values: frozenset[str] | None) -> list[str]:
        if values is None:
            known = ", ".join(sorted(self._experiences))
            return [f"only the experiences of the table are migrated, others become dead letters: {known}"]
        return [
            f"experience {value} can't be migrated and becomes a dead letter: it is not in the table experiences"
            for value in sorted(values - self._experiences.keys())
        ]
