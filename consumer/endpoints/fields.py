"""An item's fields as a table of rules, and the item as JSON: what every operation's `encode` is made of."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from consumer.endpoints.checks import BLANK, LONE_SURROGATE, Check
from consumer.endpoints.endpoint import Invalid

REQUIRED = "is required and absent or blank"
UNKNOWN_FIELD = "the object has a field that this operation does not know"
TOO_LARGE = "the object does not fit into a request's body by itself"
WHOLE = ""
"""`Invalid.field` where the object as a whole is at fault."""

_JSON = msgspec.json.Encoder(decimal_format="number")


class Rule(NamedTuple):
    """One field of an item: its name in the body, what its value must satisfy, whether it must be there."""

    name: str
    check: Check
    required: bool = False


class Rules:
    """The fields of one kind of object."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self._checks = {rule.name: rule.check for rule in rules}
        self._required = tuple(rule.name for rule in rules if rule.required)
        self.names = frozenset(self._checks)
        self.required = frozenset(self._required)

    def check_of(self, name: str) -> Check | None:
        """What a field's value must satisfy; None: there is no such field."""
        return self._checks.get(name)

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any] | Invalid:
        """What of `given` is to be sent, in its order, without what is absent; or the first fault.

        None, blank text and an empty object count as absent. Both vendors ask for that, or suffer without it:
        Distinct forbids empty strings and null; to the Client API an empty id is a user, shared by all who
        have none. Faults name fields of the vendor's page only: keys further down are data, and may be
        personal.
        """
        check_of = self._checks.get
        sent: dict[str, Any] = {}
        for name, value in given.items():
            check = check_of(name)
            if check is None:
                return Invalid(WHOLE, UNKNOWN_FIELD)
            if value is None:
                continue
            reason = check(value)
            if reason is None:
                sent[name] = value
            elif reason is not BLANK:
                return Invalid(name, reason)
        for name in self._required:
            if name not in sent:
                return Invalid(name, REQUIRED)
        return sent


def as_json(value: Any) -> bytes:
    """A single value as it stands in an item. Raises UnicodeEncodeError for a lone surrogate."""
    return _JSON.encode(value)


def to_json(item: dict[str, Any], max_bytes: int) -> bytes | Invalid:
    """UTF-8 JSON of an item that passed its rules, of at most `max_bytes`."""
    try:
        encoded = _JSON.encode(item)
    except UnicodeEncodeError:
        return Invalid(_field_with_a_lone_surrogate(item), LONE_SURROGATE)
    return encoded if len(encoded) <= max_bytes else Invalid(WHOLE, TOO_LARGE)


def _field_with_a_lone_surrogate(item: dict[str, Any]) -> str:
    """Looked for only once encoding has failed, so that sound items do not pay for it."""
    for name, value in item.items():
        try:
            _JSON.encode(value)
        except UnicodeEncodeError:
            return name
    return WHOLE
