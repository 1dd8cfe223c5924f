"""What the event/ API accepts and then discards: a repeated confirmation, and opens close to one another.

Source: the vendor's page, "Events restrictions". Its server counts by arrival, for an event carries no time
of its own.
"""

from collections.abc import Collection

from consumer.clock import Clock
from consumer.sandbox.simulator.recent import Recent

_WINDOW_S = 20 * 60

REPEATED_ORDER = "discarded: orderId seen before"
CLOSE_OPEN = "discarded: an open within 20 minutes"


class EventLimits:
    """One account's memory: all orderIds, and each user's last open that counted."""

    def __init__(self, clock: Clock, *, open_names: Collection[str], keep: int | None = None) -> None:
        """open_names: under which of an event's names an email open is sent; the page does not say it.

        keep: how many orders and users are remembered at most; None: all.
        """
        self._clock = clock
        self._open_names = open_names
        self._keep = keep
        self._order_ids: Recent[str] = Recent(keep)
        self._opened_s: dict[str, float] = {}

    def forget(self) -> None:
        """As if nothing had ever come."""
        self._order_ids.clear()
        self._opened_s.clear()

    def take_order(self, order_id: object) -> str | None:
        """Why this confirmation is discarded, or None. Without an orderId nothing is limited."""
        if order_id is None or order_id == "":
            return None
        return None if self._order_ids.add(str(order_id)) else REPEATED_ORDER

    def take_open(self, name: str, user: str) -> str | None:
        """Why this event is discarded, or None; what is no open never is. A discarded one prolongs nothing."""
        if name not in self._open_names:
            return None
        now_s = self._clock.monotonic_s()
        opened_s = self._opened_s.get(user)
        if opened_s is not None and now_s - opened_s < _WINDOW_S:
            return CLOSE_OPEN
        self._opened_s.pop(user, None)
        self._opened_s[user] = now_s
        if self._keep is not None and len(self._opened_s) > self._keep:
            del self._opened_s[next(iter(self._opened_s))]
        return None
