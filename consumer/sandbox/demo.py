"""The demo: broker, registry, receiver, generator and consumer in one, and whether their counts agree."""

import asyncio
import dataclasses
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from consumer.app import App, AppConfig
from consumer.avro.address import RegistryAddress
from consumer.avro.framing import as_number_or_guid
from consumer.avro.registry import Registry
from consumer.clock import SystemClock
from consumer.core.books import Books
from consumer.core.pressure import PressurePolicy
from consumer.kafka.config import KafkaPolicy
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.resources import schemas_dir, topology_dir
from consumer.sandbox import generator
from consumer.sandbox.embedded import EmbeddedBroker
from consumer.sandbox.receivers import receivers
from consumer.sandbox.scanning import EXPERIENCE, scanned_touchpoints
from consumer.sandbox.scans_read import ScansRead, read_scans
from consumer.sandbox.simulator import ApiFaults, FaultPlan, SimulatorConfig, SimulatorProcess
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.spans import Tracing
from consumer.topology.load import load_plan
from consumer.topology.plan import Plan

TOPIC = "user-events"
GROUP = "demo"
FAULTS = ApiFaults(
    latency_ms=2.0,
    jitter_ms=5.0,
    rate_429=0.0005,
    retry_after_s=1,
    rate_500=0.003,
    rate_drop=0.002,
    rate_lost_response=0.002,
)


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """How much, of what, and whether the receiver misbehaves."""

    events: int = 20_000
    seed: int = 1
    faults: bool = False


@dataclass(frozen=True, slots=True)
class DemoState:
    """For the progress display: all counts so far."""

    wanted: int
    produced: int
    books: Books


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The three counts, and every difference between them in words; none: they agree to the record."""

    produced: generator.Produced
    books: dict[str, Any]
    receiver: dict[str, dict[str, int]]
    letters: int
    scans: ScansRead
    differences: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The books' words, and the others' counts beside them."""
        return {
            **self.books,
            "produced": self.produced.total,
            "generator": self.produced.as_dict(),
            "receiver": self.receiver,
            "dead_letters": self.letters,
            "touchpoints": self.scans.as_json(),
            "differences": list(self.differences),
        }


async def run_demo(
    config: DemoConfig, show: Callable[[DemoState], None], note: Callable[[str], None]
) -> DemoResult:
    """Run it all in this process and two children; everything it makes is gone afterwards.

    `show` is called a few times a second. Raises FaultError where a part fails.
    """
    faults = FaultPlan.everywhere(FAULTS, seed=config.seed) if config.faults else FaultPlan()
    simulated = SimulatorConfig(
        distinct_api_key="demo-key",
        client_api_key="pk_demo",
        touchpoints=scanned_touchpoints(config.seed, datetime.now(UTC)),
        faults=faults,
        keep_items=False,
    )
    with (
        EmbeddedBroker() as broker,
        SimulatorProcess(simulated) as receiver,
        tempfile.TemporaryDirectory() as folder,
    ):
        broker.create_topic(TOPIC)
        broker.create_topic(f"{TOPIC}.dead-letters")
        environment = {
            "DISTINCT_BASE_URL": receiver.base_url,
            "EVENT_API_BASE_URL": receiver.base_url,
            "CLIENT_API_BASE_URL": receiver.base_url,
            "DISTINCT_API_KEY": simulated.distinct_api_key,
            "EVENT_API_KEY": simulated.event_api_key,
            "CLIENT_API_KEY": simulated.client_api_key,
        }
        plan = _hurried(load_plan(topology_dir(), environment, schemas=schemas_dir()))
        registry = Registry(RegistryAddress(url="mock://demo"))
        schema_id = await registry.register(f"{TOPIC}-value", generator.user_event_text())
        ledger = open_ledger(
            f"sqlite:///{Path(folder) / 'ledger.db'}",
            GROUP,
            LedgerPolicy(reservation_age_s=60.0),
            SystemClock(),
        )
        app = App(
            AppConfig(broker.bootstrap_servers, KafkaPolicy(GROUP), pressure=PressurePolicy(max_pending=10_000)),
            plan, ledger, registry, note, metrics=Metrics(), tracing=Tracing(None, GROUP),
        )  # fmt: skip
        stream = generator.Plan.ending_at(
            int(time.time() * 1000),
            count=config.events,
            seed=config.seed,
            schema_id=int(as_number_or_guid(schema_id)),
        )
        target = generator.Target(broker.bootstrap_servers, TOPIC, wait_for_group=GROUP)
        produced, books = await _run_both(app, stream, target, show)
        scans = await read_scans(
            receiver.base_url, simulated.distinct_admin_api_key, EXPERIENCE, simulated.touchpoints
        )
        counts = await asyncio.to_thread(receiver.remote.books)
        letters = sum(marks.high for marks in broker.watermarks(f"{TOPIC}.dead-letters").values())
        registry.close()
    received = {name: counts[book] for name, book in receivers(plan.destinations).items()}
    out = books.as_json(app.status.seconds)
    found = (*differences(produced, books, received, letters), *scans.differences)
    return DemoResult(produced, out, received, letters, scans, found)


def _hurried(plan: Plan) -> Plan:
    """The shipped topology with a shorter wait for unknown users: nobody registers meanwhile here."""
    destinations = {
        name: replace(one, retry=replace(one.retry, unknown_user_delay_s=0.5))
        for name, one in plan.destinations.items()
    }
    return dataclasses.replace(plan, destinations=destinations)


async def _run_both(
    app: App, stream: generator.Plan, target: generator.Target, show: Callable[[DemoState], None]
) -> tuple[generator.Produced, Books]:
    acknowledged = 0

    def progress(count: int) -> None:
        nonlocal acknowledged
        acknowledged = count

    consuming = asyncio.create_task(app.run())
    stopped = False
    producing = asyncio.create_task(
        asyncio.to_thread(
            generator.generate_in_child, stream, target, progress=progress, stop=lambda: stopped
        )
    )
    try:
        while not consuming.done():
            books = app.coordinator.count()
            show(DemoState(stream.count, acknowledged, books))
            if producing.done():
                total = producing.result().total  # raises what the generator failed with
                if books.consumed >= total and books.in_flight == 0:
                    break
            await asyncio.wait({consuming}, timeout=0.25)
    finally:
        stopped = True
        app.stop()
        # Both, whatever one of them ended with: the broker may not go before them.
        ended = await asyncio.gather(consuming, producing, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    books, produced = consuming.result(), producing.result()
    show(DemoState(stream.count, produced.total, books))
    return produced, books


def differences(
    produced: generator.Produced, books: Books, received: dict[str, dict[str, int]], letters: int
) -> list[str]:
    """Every way in which the generator's, the consumer's and the receiver's counts disagree."""
    out = []
    if not books.balanced:
        out.append("the consumer's books do not balance")
    for what, expected, found in (
        ("records consumed", produced.total, books.consumed),
        ("records settled", produced.total, books.settled),
        ("undecodable", produced.undecodable, books.undecodable),
        ("tombstones", produced.tombstones, books.tombstones),
        (
            "letters",
            books.undecodable + sum(one.dead_lettered for one in books.destinations.values()),
            letters,
        ),
    ):
        if expected != found:
            out.append(f"{what}: {expected} expected, {found} found")
    for name, one in books.destinations.items():
        arrived = received[name]["accepted"] - received[name]["duplicates"]
        if not one.delivered <= arrived <= one.delivered + one.in_doubt:
            out.append(
                f"{name}: {arrived} different events arrived, but {one.delivered} were acknowledged "
                f"and {one.in_doubt} are in doubt"
            )
    return out
