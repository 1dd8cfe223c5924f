"""What the vendor has on record: registered feature/action pairs, experiences and users."""

import re
from collections.abc import Iterable

from consumer.sandbox.simulator.unknown_users import UnknownUsers

Pair = tuple[str, str]

DOCUMENTED_PAIRS: frozenset[Pair] = frozenset(
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
"""The "Feature & Action Registry" of Distinct's User Analytics page."""


UNKNOWN_EXPERIENCE_PREFIX = "unknown-"
"""What begins so is unknown although its shape is right: as with users, something to test with."""


class World:
    """Answers what the APIs ask: is this pair registered, this experience valid, this user known?"""

    def __init__(
        self,
        *,
        pairs: frozenset[Pair],
        experiences: frozenset[str] | None,
        experience_pattern: str,
        unknown_users: UnknownUsers,
        experience_values: frozenset[str] | None = None,
        unknown_experience_prefix: str = UNKNOWN_EXPERIENCE_PREFIX,
        users: frozenset[str] | None = None,
    ) -> None:
        self._pairs = frozenset((feature.lower(), action.lower()) for feature, action in pairs)
        self._experiences = experiences
        self._experience_values = experience_values
        self._unknown_experience_prefix = unknown_experience_prefix
        self._experience_pattern = re.compile(experience_pattern)
        self._users = users
        self._unknown_users = unknown_users
        self._registered: set[str] = set()

    def has_pair(self, feature: str, action: str) -> bool:
        """Without case, and as a pair: registration_sms/opened is none although both words are known."""
        return (feature.lower(), action.lower()) in self._pairs

    def has_experience(self, experience_id: str) -> bool:
        """By the set of valid ids where there is one, else by their shape."""
        return self._is_valid(experience_id, self._experiences)

    def has_experience_value(self, experience_value: str) -> bool:
        """The same for the other name that an experience has: the slug in the path of a capture."""
        return self._is_valid(experience_value, self._experience_values)

    def register(self, identifiers: Iterable[str]) -> None:
        """Make userIds, emails or phones known from now on: a registration that came after the event."""
        self._registered.update(identifiers)

    def known_identifier(self, user_id: str | None, email: str | None, phone: str | None) -> str | None:
        """The first identifier that matches a user, tried as userId, email, phone; None when none does."""
        unknown, registered = self._unknown_users, self._registered
        if self._users is not None:
            given = (one for one in (user_id, email, phone) if one is not None)
            return next((one for one in given if one in self._users or one in registered), None)
        if user_id is not None and (not unknown.has_user_id(user_id) or user_id in registered):
            return user_id
        if email is not None and (not unknown.has_email(email) or email in registered):
            return email
        if phone is not None and (not unknown.has_phone(phone) or phone in registered):
            return phone
        return None

    def _is_valid(self, name: str, valid: frozenset[str] | None) -> bool:
        if valid is not None:
            return name in valid
        if name.startswith(self._unknown_experience_prefix):
            return False
        return self._experience_pattern.fullmatch(name) is not None
