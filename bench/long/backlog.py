"""Memory beside a backlog: with the endpoint fast, slow, down, and fast again until nothing is left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from msgspec.structs import replace

from bench.long.delivery import Case, check, new_ledger, start
from bench.long.outcome import MB, Numbers, Outcome, Target
from bench.long.rounds import Ground
from bench.memory import Sample
from bench.workload import ARRAYS
from consumer.errors import FaultError
from tests.integration.processes import ConsumerProcess

_FLAT = 1.10
_MOST_MB = 250
_EVERY_S = 1.0
_WARM_S = 20.0
"""At the beginning of a phase: so long it may take to fill up what it may hold, or a quarter of a short phase."""
_FEWEST = 3
_SLOW_MS = 5_000.0
"""With 16 requests of 500 records in flight, a tenth of what it takes otherwise."""
_DOWN = 503
_SLOWEST = 500
"""Records a second with which the rest of a backlog is certain to be gone in time."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One state of the endpoint, and for how long; None: until everything is settled."""

    name: str
    seconds: float | None
    latency_ms: float = 0.0
    status: int = 0


def backlog(records: int, phase_s: int, ground: Ground) -> Outcome:
    """Blocks until all of it is delivered. Raises FaultError if anything is lost, or the consumer ends."""
    setting, tell = ground.setting, ground.tell
    topic = ground.topics.filled(ARRAYS, records)
    receiver = setting.receiver
    receiver.expect(records)
    phases = (
        Phase("slow", phase_s, latency_ms=_SLOW_MS),
        Phase("down", phase_s, status=_DOWN),
        Phase("fast", None),
    )
    case = Case("backlog", ARRAYS, topic, records, new_ledger(setting))
    consumer = start(case, ["--drain-timeout", "5s"], setting)
    samples: list[Sample] = []
    try:
        for phase in phases:
            tell(f"backlog of {records:,}: the endpoint is {phase.name}")
            receiver.behave(latency_ms=phase.latency_ms, status=phase.status)
            _sample(consumer, phase, records, samples)
        status = consumer.wait_for_status(lambda _: True)
        check(case, status, replace(receiver.report(), overloaded=0))  # it was down for a while
        if consumer.stop() != 0:
            raise FaultError(f"the consumer did not end well{consumer.tail()}")
    finally:
        receiver.behave()
        consumer.close()
    return judged(records, phases, samples)


def _sample(consumer: ConsumerProcess, phase: Phase, records: int, samples: list[Sample]) -> None:
    """One look a second, until the phase is over."""
    began_s = time.monotonic()
    most_s = 60.0 + records / _SLOWEST
    while phase.seconds is None or time.monotonic() < began_s + phase.seconds:
        status = consumer.status()
        if not consumer.running:
            raise FaultError(f"the consumer ended{consumer.tail()}")
        if status is not None:
            samples.append(_seen(consumer, phase, status))
            if phase.seconds is None and status["settled"] == records:
                return
        if time.monotonic() > began_s + max(most_s, phase.seconds or 0.0):
            raise FaultError(f"the backlog does not come to its end: {status}{consumer.tail()}")
        time.sleep(_EVERY_S)


def _seen(consumer: ConsumerProcess, phase: Phase, status: dict[str, Any]) -> Sample:
    pending = status["pending"]
    return Sample(
        time.monotonic(),
        phase.name,
        consumer.resident_bytes,
        pending["records"],
        pending["bytes"],
        status["settled"],
    )


def judged(records: int, phases: Sequence[Phase], samples: Sequence[Sample]) -> Outcome:
    """Whether what was held is flat in each phase. Raises FaultError where there are too few samples to say so."""
    cases: dict[str, Numbers] = {}
    flat: list[Target] = []
    for phase in phases:
        seen = [one for one in samples if one.phase == phase.name]
        seen = _warm(seen)
        if len(seen) < _FEWEST:
            raise FaultError(
                f"the endpoint was {phase.name} for too short a time: give --seconds or --records more"
            )
        held = [one.resident_bytes for one in seen]
        fifth = max(1, len(held) // 5)
        flatness = median(held[-fifth:]) / median(held[:fifth])
        rate = (seen[-1].settled - seen[0].settled) / (seen[-1].at_s - seen[0].at_s)
        cases[phase.name] = {
            "seconds": round(seen[-1].at_s - seen[0].at_s),
            "records_per_second": round(rate),
            "first_fifth_mb": round(median(held[:fifth]) / MB),
            "last_fifth_mb": round(median(held[-fifth:]) / MB),
            "peak_mb": round(max(held) / MB),
            "pending_records": max(one.pending_records for one in seen),
        }
        what = f"memory at the end of {phase.name}, by that at its beginning, beside {records:,} records"
        flat.append(Target(what, flatness, _FLAT, at_least=False))
    peak_mb = max(one.resident_bytes for one in samples) / MB
    return Outcome("backlog", cases, [*flat, Target("peak, in MB", peak_mb, _MOST_MB, at_least=False)])


def _warm(seen: Sequence[Sample]) -> list[Sample]:
    if not seen:
        return []
    first, last = seen[0].at_s, seen[-1].at_s
    return [one for one in seen if one.at_s >= first + min(_WARM_S, (last - first) / 4)]
