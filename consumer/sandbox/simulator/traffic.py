"""The last requests, for whoever watches: what came, what it was answered and why."""

from collections import deque
from typing import Any, NamedTuple

import msgspec

from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.ledger_report import LedgerReport
from consumer.sandbox.simulator.outage import Outage

_KEPT = 500
_PATH_SHOWN = 120


class Exchange(NamedTuple):
    """One request and what became of it. Neither headers nor bodies are kept: a key never shows."""

    seq: int
    at_ms: int
    api: ApiName | None
    """None: a path that no API has."""
    method: str
    path: str
    """Without the query."""
    status: int
    """Of the answer, also of one that was not sent; 0: the connection was closed before any effect."""
    reason: str
    items: int
    user: str
    """Of the first item accepted; as in the ledger."""
    name: str


class TrafficReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows at one moment."""

    at_ms: int
    seq: int
    """Of the last exchange; 0: none yet."""
    exchanges: list[Exchange]
    """Those behind the `seq` asked for that are still kept, the oldest first."""
    ledger: LedgerReport
    faults: FaultPlan
    outages: dict[ApiName, Outage]


class Traffic:
    """A bounded memory of exchanges."""

    def __init__(self) -> None:
        # As plain tuples: most are overwritten before anybody looks.
        self._exchanges: deque[tuple[Any, ...]] = deque(maxlen=_KEPT)
        self.seq = 0

    def note(
        self,
        api: ApiName | None,
        at_ms: int,
        method: str,
        path: str,
        status: int,
        reason: str,
        items: int = 0,
        user: str = "",
        name: str = "",
    ) -> None:
        """One exchange, when its outcome is known."""
        self.seq += 1
        self._exchanges.append((self.seq, at_ms, api, method, path, status, reason, items, user, name))

    def after(self, seq: int) -> list[Exchange]:
        """The kept ones behind this one; all of them where it lies ahead, as after a restart."""
        told = [Exchange(*one) for one in self._exchanges if seq > self.seq or one[0] > seq]
        return [one._replace(path=one.path[:_PATH_SHOWN]) for one in told]

    def forget(self) -> None:
        """The numbers go on."""
        self._exchanges.clear()
