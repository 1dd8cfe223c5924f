"""The shipped topology under names of a test's own."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

_SHIPPED = Path(__file__).resolve().parents[2] / "topology"
_TOPIC = "user-events"

MAIN_JOB = ("user-analytics", "client")
"""One destination of single objects and one of arrays: what the suites on a real broker look at."""

Changes = Mapping[str, Any]


def copy_topology(
    folder: Path,
    topic: str,
    *,
    of_topic: Changes | None = None,
    of_destinations: Mapping[str, Changes] | None = None,
    only: Collection[str] = MAIN_JOB,
) -> Path:
    """Write the shipped routes to the destinations `only`, reading from `topic`, into a new folder; gives it.

    `of_topic` changes keys of the topic, `of_destinations` those of destinations by their name; what is a
    mapping is merged with what stands.
    """
    topology = _shipped(only)
    of_shipped = topology["topics"].pop(_TOPIC)
    topology["topics"][topic] = {**of_shipped, "dead_letters": f"{topic}.dead-letters", **(of_topic or {})}
    for route in topology["routes"].values():
        assert route["from"] == _TOPIC, "the shipped topology has routes from another topic"
        route["from"] = topic
    for name, changes in (of_destinations or {}).items():
        destination = topology["destinations"][name]
        for key, change in changes.items():
            destination[key] = {**destination.get(key, {}), **change} if isinstance(change, dict) else change
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text(yaml.safe_dump(topology, sort_keys=False))
    return folder


def on_the_wire() -> dict[str, int]:
    """How many items one process can have on the wire to each destination: concurrency times array size.

    As shipped; a test that makes a destination narrower stays below.
    """
    destinations = _shipped(MAIN_JOB)["destinations"]
    return {
        name: one["concurrency"] * one.get("batch", {}).get("max_items", 1)
        for name, one in destinations.items()
    }


def _shipped(only: Collection[str]) -> dict[str, dict[str, Any]]:
    topology: dict[str, dict[str, Any]] = {"topics": {}, "destinations": {}, "routes": {}}
    for file in sorted(_SHIPPED.glob("*.yaml")):
        for section, entries in yaml.safe_load(file.read_text()).items():
            topology[section] |= entries
    topology["destinations"] = {name: topology["destinations"][name] for name in only}
    topology["routes"] = {
        name: route for name, route in topology["routes"].items() if route["to"].partition("/")[0] in only
    }
    return topology
