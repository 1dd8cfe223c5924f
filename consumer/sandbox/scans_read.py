"""Reads all scans back from the receiver, as `touchpoints` does, and compares them one by one."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from consumer.clock import SystemClock
from consumer.endpoints.touchpoint_answers import TouchpointAnswers
from consumer.endpoints.touchpoints import ExperienceQuery, TouchpointQuery, VisitsType
from consumer.errors import FaultError
from consumer.http.httpx_sender import HttpxSender
from consumer.http.sender import SenderPolicy
from consumer.http.urls import UrlProblem, parse_base_url
from consumer.operations.touchpoint_metrics import Denied, TouchpointMetrics
from consumer.sandbox.simulator import Touchpoint

Scan = tuple[str, str, str]
"""Touchpoint, user, time."""


@dataclass(frozen=True, slots=True)
class ScansRead:
    """What the generator scanned and what the receiver told, and every difference in words."""

    scanned: int
    read: int
    differences: tuple[str, ...]

    def as_json(self) -> dict[str, int]:
        """The counts."""
        return {"scanned": self.scanned, "read": self.read}


async def read_scans(
    base_url: str, admin_key: str, experience_id: str, touchpoints: Sequence[Touchpoint]
) -> ScansRead:
    """Ask for the experience, then for each touchpoint that it names, all pages. Raises FaultError."""
    url = parse_base_url(base_url, allow_plain_http=False)  # loopback may be plain anyway
    if isinstance(url, UrlProblem):
        raise FaultError(f"the receiver's URL {url.text}")
    sender = HttpxSender(SenderPolicy(max_connections=1))
    try:
        metrics = TouchpointMetrics(
            sender, url, lambda: admin_key, TouchpointAnswers(SystemClock()), random.random
        )
        return await _read(metrics, experience_id, touchpoints)
    finally:
        await sender.close()


async def _read(
    metrics: TouchpointMetrics, experience_id: str, touchpoints: Sequence[Touchpoint]
) -> ScansRead:
    experience = await metrics.experience(ExperienceQuery(experience_id))
    if isinstance(experience, Denied):
        raise FaultError(f"the receiver told no touchpoints: {experience.reason}")
    scanned = Counter(
        (one.id, visit.user_id, visit.timestamp_utc) for one in touchpoints for visit in one.visits
    )
    read: Counter[Scan] = Counter()
    differences: list[str] = []
    for counts in experience.touchpoints:
        users = {user for touchpoint_id, user, _ in scanned if touchpoint_id == counts.id}
        for kind, expected in ((VisitsType.TOTAL, counts.total_visits), (VisitsType.UNIQUE, len(users))):
            found = await metrics.visits(TouchpointQuery(counts.id, kind))
            if isinstance(found, Denied):
                raise FaultError(f"the receiver told no visits: {found.reason}")
            if len(found.visits) != expected:
                differences.append(
                    f"touchpoint {counts.id}: {expected} {kind.value} visits expected, {len(found.visits)} read"
                )
            if kind is VisitsType.TOTAL:
                read.update((counts.id, visit.user_id, visit.timestamp) for visit in found.visits)
    if read != scanned:
        lost, made_up = (scanned - read).total(), (read - scanned).total()
        differences.append(f"scans: {lost} were not read, {made_up} were read that nobody made")
    return ScansRead(scanned.total(), read.total(), tuple(differences))
