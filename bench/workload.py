"""What is measured: which events go to which API, and how many to a request."""

import re
from dataclasses import dataclass
from pathlib import Path

from consumer.sandbox.generator import Mix

ROOT = Path(__file__).resolve().parents[1]
DISTINCT_KEY = "bench-key"
CLIENT_KEY = "pk_bench"
TOPIC = "user-events"
"""As the topologies here call it; a run's own topic takes its place."""
PARTITIONS = 12
SPACING_MS = 15_000
"""How far apart events happen on their own clock: so far that few opens fall into another one's window, and both
sides send almost the same."""
MIX = Mix(
    users=50_000, skew=0.5,
    duplicates=0, repeated_opens=0, late=0, bots=0, machine_opens=0, null_keys=0, unknown_users=0,
    invalid_phones=0, unregistered_pairs=0, long_names=0, unknown_experiences=0,
    repeated_orders=0, wrong_magic=0, unknown_schemas=0, truncated=0,
    trailing_bytes=0, empty_values=0, tombstones=0, traced=0,
)  # fmt: skip
"""Users of whom the most active has one event in two thousand. No faults: the bare loop would fall over them."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One way of delivery, the same for all sides."""

    name: str
    folder: str
    """In `bench/topology/`."""
    destination: str
    """In the topology."""
    path: str
    """At the receiver."""
    items: int
    """Most items of a request."""
    in_flight: int
    """Most requests at a time."""
    latency_ms: float
    """What the receiver takes for a request."""
    payloads: frozenset[str] | None
    """The payload types on the topic; None: all."""
    time_ordered: bool = False
    """Whether the events' ids tell when they were made: UUIDs of version 7, else of version 4."""

    @property
    def topology(self) -> Path:
        return ROOT / "bench" / "topology" / self.folder

    @property
    def headers(self) -> dict[str, str]:
        """Of a request by hand."""
        if self.items == 1:
            return {"x-distinct-api-key": DISTINCT_KEY, "content-type": "application/json"}
        return {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}

    @property
    def acknowledged(self) -> int:
        """The only status that is an acknowledgement."""
        return 200 if self.items == 1 else 204


_ANALYTICS = frozenset({"Engagement", "EmailOpened"})
_EVENTS_PATH, _ANALYTICS_PATH = "/api/client/events", "/api/v1/user/analytics"

ARRAYS = Workload("arrays", "arrays", "client", _EVENTS_PATH, 500, 16, 0, None)
SINGLES = Workload("singles", "singles", "user-analytics", _ANALYTICS_PATH, 1, 64, 0, _ANALYTICS)
FAR_SINGLES = Workload("far-singles", "singles", "user-analytics", _ANALYTICS_PATH, 1, 256, 20, _ANALYTICS)
"""As an API at some distance answers: what counts is how many requests are kept in flight."""
WORKLOADS = {one.name: one for one in (ARRAYS, SINGLES, FAR_SINGLES)}


def write_topology(workload: Workload, topic: str, folder: Path) -> Path:
    """The workload's topology for a topic of another name; gives its folder."""
    target = folder / f"topology-{topic}-{workload.in_flight}"
    target.mkdir(exist_ok=True)
    for file in workload.topology.glob("*.yaml"):
        text = file.read_text().replace(TOPIC, topic)
        text = re.sub(r"(?m)^( +concurrency:) \d+$", rf"\1 {workload.in_flight}", text)
        (target / file.name).write_text(text)
    return target
