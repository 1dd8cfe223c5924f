"""Memory is bounded whatever arrives: in a stream that goes through, and while a destination takes nothing."""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from consumer.sandbox.simulator.outage import Outage
from tests.integration.conftest import MakeStage
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

RECORDS = 100_000
MIB = 1024 * 1024

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def measure(
    consumer: ConsumerProcess, reached: Callable[[dict[str, Any]], bool], timeout_s: float
) -> list[tuple[int, int]]:
    """(settled records, resident bytes), a few times a second until `reached`."""
    seen: list[tuple[int, int]] = []

    def look(status: dict[str, Any]) -> bool:
        seen.append((status["settled"], consumer.resident_bytes))
        return reached(status)

    consumer.wait_for_status(look, timeout_s)
    return seen


def test_memory_stays_flat_while_records_go_through(make_stage: MakeStage) -> None:
    stage = make_stage(4)
    stage.create_letters()
    stage.generate(RECORDS)
    consumer = stage.consumer()

    seen = measure(consumer, lambda status: status["settled"] == RECORDS, 240.0)

    assert consumer.stop() == 0, consumer.tail()
    early = max(held for settled, held in seen if 0.2 < settled / RECORDS < 0.5)
    late = max(held for settled, held in seen if settled / RECORDS > 0.7)
    print(f"{early / MIB:.0f} MiB early, {late / MIB:.0f} MiB late")
    assert late < early + 25 * MIB, "more than 500 bytes a record are kept"


def test_memory_stays_flat_while_a_destination_takes_nothing_and_the_topic_is_long(
    make_stage: MakeStage,
) -> None:
    stage: Stage = make_stage(4)
    stage.create_letters()
    stage.receiver.remote.declare({"client_api": Outage(status=401)})
    stage.generate(RECORDS)
    consumer = stage.consumer()
    consumer.wait_for_status(lambda status: status["pending"]["paused"], 120.0)
    consumer.wait_for_status(lambda status: status["destinations"]["user-analytics"]["in_flight"] == 0, 120.0)
    full = consumer.resident_bytes

    started_s = time.monotonic()
    seen = measure(consumer, lambda _: time.monotonic() - started_s > 20.0, 60.0)

    status = consumer.wait_for_status(lambda _: True)
    pending = status["pending"]
    print(f"{full / MIB:.0f} MiB full, {max(held for _, held in seen) / MIB:.0f} MiB later, {pending}")
    assert status["consumed"] < RECORDS, "there is more to read"
    assert pending["records"] < pending["max_records"] + 5_000, "what was polled when the bound was reached"
    assert max(held for _, held in seen) < full + 25 * MIB
    assert consumer.stop() == 0, consumer.tail()
