"""Distinct as the stream sees it: the simulator's own judgement of each request, without HTTP."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from consumer.http.sender import Answer, Failure
from consumer.sandbox.simulator import Touchpoint, UnknownUsers, Visit
from consumer.sandbox.simulator.distinct_access import DistinctAccess
from consumer.sandbox.simulator.request import Request
from consumer.sandbox.simulator.scans import Scans
from consumer.sandbox.simulator.touchpoint_metrics import TouchpointMetrics
from consumer.sandbox.simulator.world import World
from tests.unit.operations.fate import Fate

EXPERIENCE = "47Gop5"
KEY = "admin-key"


def visit(user_id: str, timestamp: str) -> Visit:
    return Visit(user_id=user_id, timestamp_utc=timestamp)


def touchpoint(id: str, *visits: Visit) -> Touchpoint:
    return Touchpoint(id=id, name=f"The {id}", value=f"value_{id}", experience_id=EXPERIENCE, visits=visits)


class Vendor:
    """A Fetcher. `between` runs before each answer but the first: who scans while pages are read?"""

    def __init__(
        self, *touchpoints: Touchpoint, experience_pages: bool = True, scans: Scans | None = None
    ) -> None:
        """`scans`: those that another Vendor has, for another process that asks."""
        self.scans = scans or Scans(touchpoints, experiences=frozenset())
        world = World(
            pairs=frozenset(),
            experiences=None,
            experience_values=None,
            experience_pattern=".*",
            unknown_experience_prefix="unknown",
            users=None,
            unknown_users=UnknownUsers(),
        )
        self._api = TouchpointMetrics(
            access=DistinctAccess(api_key=KEY, allowed_ips=None),
            scans=self.scans,
            world=world,
            experience_pages=experience_pages,
        )
        self.asked: list[str] = []
        self.fate = Fate()
        self.answers: list[Answer | Failure] = []
        """What is answered instead, one after the other."""
        self.late: list[tuple[str, Visit]] = []
        """Touchpoint and visit that come before the next answers but the first, one each."""

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer | Failure:
        self.fate.step("ask")
        if self.asked and self.late:
            touchpoint_id, scan = self.late.pop(0)
            self.scans.add(touchpoint_id, [scan])
        parts = urlsplit(url)
        self.asked.append(parts.query)
        if self.answers:
            return self.answers.pop(0)
        wire = {name.encode(): value.encode() for name, value in headers.items()}
        request = Request("GET", parts.path, parts.query, wire, b"", "127.0.0.1")
        answer = self._api.judge(request).answer
        return Answer(int(answer.head.split()[1]), {}, answer.body)

    async def close(self) -> None:
        """There is nothing to close."""
