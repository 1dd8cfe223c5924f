"""Whom the Client API's server has on record, and what it drops because of that without a word.

Found on the real server: an alias is dropped if the anonymous user does not exist yet or the external one does;
a device of an unknown user is dropped after three attempts; an event or an identify creates its user. The real
server works on several requests at a time, so that what was sent in the right order may still go wrong there:
this one works in the order of arrival, and what it finds is wrong in any case.
"""

from collections.abc import Iterable
from typing import Any

from consumer.sandbox.simulator.recent import Recent

EARLY_ALIAS = "dropped: alias of a visitor that nothing was sent of"
LATE_ALIAS = "dropped: alias to a user that exists already"
UNKNOWN_DEVICE = "dropped: device of a user that nothing was sent of"


class ClientPeople:
    """All ids that turned up, or the last of them."""

    def __init__(self, *, keep: int | None = None) -> None:
        """keep: how many ids of each kind are remembered at most; None: all."""
        self._external: Recent[str | None] = Recent(keep)
        self._anonymous: Recent[str | None] = Recent(keep)

    def forget(self) -> None:
        """As if nothing had ever come."""
        self._external.clear()
        self._anonymous.clear()

    def meet(self, external_ids: Iterable[str | None], anonymous_ids: Iterable[str | None]) -> None:
        """Events, or traits: these users exist from now on. None among the ids counts for nothing."""
        self._external.update(external_ids)
        self._anonymous.update(anonymous_ids)

    def harms_of(self, operation: str, item: dict[str, Any]) -> list[str]:
        """What becomes of an item that was accepted; and whom it makes known."""
        external_id, anonymous_id = item.get("external_id"), item.get("anonymous_id")
        match operation:
            case "alias":
                return self._alias(external_id or "", anonymous_id or "")
            case "devices":
                known = any(
                    one is not None and one in ids
                    for one, ids in ((external_id, self._external), (anonymous_id, self._anonymous))
                )
                return [] if known or self._external.forgets or self._anonymous.forgets else [UNKNOWN_DEVICE]
            case _:
                self.meet((external_id,), (anonymous_id,))
                return []

    def _alias(self, external_id: str, anonymous_id: str) -> list[str]:
        if external_id in self._external:
            return [LATE_ALIAS]
        if anonymous_id not in self._anonymous and not self._anonymous.forgets:
            return [EARLY_ALIAS]
        self._external.add(external_id)
        return []
