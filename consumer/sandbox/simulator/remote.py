"""A simulator seen from another process: its control paths as calls."""

import http.client
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from consumer.errors import FaultError
from consumer.sandbox.simulator.api import ApiName
from consumer.sandbox.simulator.control import PREFIX
from consumer.sandbox.simulator.faults import FaultPlan
from consumer.sandbox.simulator.ledger_report import LedgerItem, LedgerReport
from consumer.sandbox.simulator.outage import Outage
from consumer.sandbox.simulator.touchpoint import Touchpoint, Visit
from consumer.sandbox.simulator.traffic import TrafficReport


class SimulatorRemote:
    """Every call blocks for one request and raises FaultError when it fails.

    The standard library's client: it reads no proxy from the environment, and control is not hot.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 30.0) -> None:
        self._address = urlsplit(base_url).netloc
        self._timeout_s = timeout_s

    def report(self) -> LedgerReport:
        """All counts."""
        return msgspec.json.decode(self._call("GET", "ledger"), type=LedgerReport)

    def books(self) -> dict[str, dict[str, int]]:
        """By API: accepted, duplicates, refused."""
        return self.report().books()

    def items(self, api: ApiName, *, after: int = -1) -> Iterator[LedgerItem]:
        """Accepted items in the order of acceptance, those behind the one with `seq` = after."""
        decoder = msgspec.json.Decoder(LedgerItem)
        query = urlencode({"api": api, "after": after})
        for line in self._call("GET", f"ledger/items?{query}").splitlines():
            yield decoder.decode(line)

    def reset(self) -> None:
        """Forget what was received."""
        self._call("DELETE", "ledger")

    def faults(self) -> FaultPlan:
        """The plan that is followed."""
        return msgspec.json.decode(self._call("GET", "faults"), type=FaultPlan)

    def follow(self, plan: FaultPlan) -> None:
        """Take another plan from the next request on."""
        self._call("PUT", "faults", plan)

    def declare(self, outages: Mapping[ApiName, Outage]) -> None:
        """These outages and no others from now on; an empty mapping ends all."""
        self._call("PUT", "outages", outages)

    def register(self, identifiers: Iterable[str]) -> None:
        """Make unknown userIds, emails or phones known from now on."""
        self._call("POST", "users", {"known": list(identifiers)})

    def touchpoints(self) -> list[Touchpoint]:
        """All, with their visits in the order of time."""
        return msgspec.json.decode(self._call("GET", "touchpoints"), type=list[Touchpoint])

    def replace_touchpoints(self, touchpoints: Iterable[Touchpoint]) -> None:
        """These and no others from now on."""
        self._call("PUT", "touchpoints", list(touchpoints))

    def add_visits(self, touchpoint_id: str, visits: Iterable[Visit]) -> None:
        """More scans of a touchpoint, also such that happened before known ones."""
        self._call("POST", "visits", {"touchpoint_id": touchpoint_id, "visits": list(visits)})

    def traffic(self, *, after: int = 0) -> TrafficReport:
        """The last requests behind the one with `seq` = after, and all that the page shows beside them."""
        return msgspec.json.decode(self._call("GET", f"traffic?after={after}"), type=TrafficReport)

    def _call(self, method: str, path: str, document: Any = None) -> bytes:
        body = None if document is None else msgspec.json.encode(document)
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout_s)
        try:
            connection.request(method, PREFIX + path, body)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise FaultError(
                f"the simulator at {self._address} did not answer {method} {PREFIX}{path}"
            ) from error
        finally:
            connection.close()
        if response.status not in (200, 204):
            raise FaultError(
                f"the simulator at {self._address} refused {method} {PREFIX}{path} with {response.status}: "
                f"{answer.decode('utf-8', 'replace')}"
            )
        return answer
