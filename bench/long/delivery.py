"""One run of the consumer over one topic, seen from outside: by the receiver, and by what it takes from the machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.long.processes import cpu_s, resident_bytes, tree_of
from bench.receiver import Tally
from bench.setting import Setting
from bench.sides import agree
from bench.workload import CLIENT_KEY, DISTINCT_KEY, Workload, write_topology
from consumer.errors import FaultError
from tests.integration.processes import ConsumerProcess

_EVERY_S = 0.02
_STEADY = 0.2, 0.8
"""Between these shares of what arrives nothing starts and nothing ends."""
_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Case:
    """What is run."""

    name: str
    workload: Workload
    topic: str
    records: int
    ledger: str
    """Its URL."""
    topology: Path | None = None
    """None: the workload's own."""
    flags: Sequence[str] = ()
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one run came to, in its steady middle."""

    per_second: float
    """Records that arrived at the receiver."""
    cpu_us: float
    """User and system time a record, of all processes of the consumer."""
    peak_bytes: int
    """The most that any one process held."""
    longest_gap_ms: float
    """The longest time in which nothing arrived, to 20 ms."""
    withheld: int
    """Records that did not arrive because their window was taken. Of two cases that are compared the same ones, or they
    did not do the same work."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look from outside."""

    at_s: float
    arrived: int
    cpu_s: float
    peak_bytes: int


def deliver(case: Case, setting: Setting) -> Delivery:
    """Run it to its end, as a new group. Blocks. Raises FaultError if a record is missing or anything goes wrong."""
    setting.receiver.expect(case.records)
    flags = [*case.flags, "--until-end", "--timeout", str(_TIMEOUT_S), "--output", "json"]
    consumer = start(case, flags, setting)
    samples: list[Sample] = []
    try:
        while consumer.running:
            pids = tree_of(consumer.pid)
            held = max(resident_bytes(pid) for pid in pids)
            samples.append(Sample(time.monotonic(), setting.receiver.counts().arrived, cpu_s(pids), held))
            time.sleep(_EVERY_S)
        if consumer.wait() != 0:
            raise FaultError(f"{case.name}: {consumer}{consumer.tail()}")
        check(case, consumer.books, setting.receiver.report())
    finally:
        consumer.close()
    return judged(case, samples)


def start(case: Case, flags: Sequence[str], setting: Setting) -> ConsumerProcess:
    """A process of the consumer, as a new group."""
    group = setting.broker.group("long")
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": setting.broker.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": setting.registry.url,
        "CONSUMER_GROUP": group,
        "LEDGER_URL": case.ledger,
        "ADMIN_LISTEN": "127.0.0.1:0",
        "TOPOLOGY": str(case.topology or write_topology(case.workload, case.topic, setting.folder)),
        "DISTINCT_BASE_URL": setting.receiver.base_url,
        "DISTINCT_API_KEY": DISTINCT_KEY,
        "CLIENT_API_BASE_URL": setting.receiver.base_url,
        "CLIENT_API_KEY": CLIENT_KEY,
    }
    return ConsumerProcess(group, setting.folder, flags, environment)


def new_ledger(setting: Setting) -> str:
    """The URL of a ledger in a file that is not there yet."""
    return f"sqlite:///{setting.folder / setting.broker.unused('ledger')}.db"


def middle(deliveries: Sequence[Delivery]) -> Delivery:
    """Of several runs of one case: the median of each number, but the worst of memory and gaps."""
    return Delivery(
        median(one.per_second for one in deliveries),
        median(one.cpu_us for one in deliveries),
        max(one.peak_bytes for one in deliveries),
        max(one.longest_gap_ms for one in deliveries),
        max(one.withheld for one in deliveries),
    )


def check(case: Case, books: dict[str, Any], tally: Tally) -> None:
    """A run that lost, repeated or disordered something has measured nothing: then it raises FaultError."""
    one = books["destinations"][case.workload.destination]
    counts = {
        "balanced": (int(books["balanced"]), 1),
        # What several workers read before they had shared the partitions out comes to one of them again.
        "consumed": (books["consumed"] - books["abandoned"] - one["suppressed"], case.records),
        "delivered and windowed": (one["delivered"] + one["windowed"], case.records),
        "arrived": (tally.arrived, one["delivered"]),
    }
    if case.ordered:
        counts["out of their user's order"] = (tally.disordered or 0, 0)
    agree(case.name, counts, tally, withheld=one["windowed"])


def judged(case: Case, samples: Sequence[Sample]) -> Delivery:
    """Raises FaultError where there is no middle to judge."""
    begin, end = (
        next(at for at, one in enumerate(samples) if one.arrived >= share * samples[-1].arrived)
        for share in _STEADY
    )
    first, last = samples[begin], samples[end]
    if begin == end:
        raise FaultError(f"{case.name}: all records arrived at once: measure with more of them")
    gap_s, since_s, count = 0.0, first.at_s, first.arrived
    for one in samples[begin : end + 1]:
        if one.arrived > count:
            since_s, count = one.at_s, one.arrived
        gap_s = max(gap_s, one.at_s - since_s)
    arrived = last.arrived - first.arrived
    return Delivery(
        per_second=arrived / (last.at_s - first.at_s),
        cpu_us=(last.cpu_s - first.cpu_s) / arrived * 1e6,
        peak_bytes=max(one.peak_bytes for one in samples),
        longest_gap_ms=gap_s * 1000,
        withheld=case.records - samples[-1].arrived,
    )
