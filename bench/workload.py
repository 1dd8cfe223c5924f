"""What is measured: which events go to which API, and how many to a request."""

from dataclasses import dataclass
from pathlib import Path

from consumer.sandbox.generator import Mix
from consumer.sandbox.simulator.api import ApiName

ROOT = Path(__file__).resolve().parents[1]
DISTINCT_KEY = "bench-key"
CLIENT_KEY = "pk_bench"
TOPIC = "user-events"
"""As the topologies here call it; a run's own topic takes its place."""
PARTITIONS = 4
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
    """One way of delivery, the same for both sides."""

    name: str
    """Also the name of its folder in `bench/topology/`."""
    destination: str
    """In the topology."""
    api: ApiName
    """At the receiver."""
    path: str
    items: int
    """Most items of a request."""
    in_flight: int
    """Most requests at a time."""
    payloads: frozenset[str] | None
    """The payload types on the topic; None: all."""

    @property
    def topology(self) -> Path:
        return ROOT / "bench" / "topology" / self.name


ARRAYS = Workload("arrays", "client", "client_api", "/api/client/events", 500, 16, None)
SINGLES = Workload(
    "singles",
    "user-analytics",
    "user_analytics",
    "/api/v1/user/analytics",
    1,
    64,
    frozenset({"Engagement", "EmailOpened"}),
)
WORKLOADS = {one.name: one for one in (ARRAYS, SINGLES)}


def write_topology(workload: Workload, topic: str, folder: Path) -> Path:
    """The workload's topology for a topic of another name; gives its folder."""
    target = folder / f"topology-{topic}"
    target.mkdir(exist_ok=True)
    for file in workload.topology.glob("*.yaml"):
        (target / file.name).write_text(file.read_text().replace(TOPIC, topic))
    return target
