"""What the pipeline says of itself: the /status document, and the two health answers."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from consumer.core.gate import Gate
from consumer.kafka.owner import Owner
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.intake import Intake
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.sink import Sink


class Status:
    """Reads; changes nothing. Implements the admin port's `StatusSource`."""

    def __init__(
        self,
        coordinator: Coordinator,
        owner: Owner,
        intake: Intake,
        sinks: Mapping[str, Sink],
        graveyard: Graveyard,
        patient: PatientLedger,
        topology_version: str,
        stalled_after_s: float,
        answers: Callable[[], Any],
    ) -> None:
        """`answers` asks the ledger something cheap: an awaitable that raises where it cannot answer."""
        self._coordinator = coordinator
        self._owner = owner
        self._intake = intake
        self._sinks = sinks
        self._graveyard = graveyard
        self._patient = patient
        self._version = topology_version
        self._stalled_after_s = stalled_after_s
        self._answers = answers
        self._started_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started_s

    def status(self) -> dict[str, Any]:
        """The whole document: the books first, in the words that every command shares."""
        out = self._coordinator.count().as_json(self.seconds)
        for name, sink in self._sinks.items():
            out["destinations"][name] |= _state(sink)
        pressure = self._coordinator.pressure
        return {
            **out,
            "topology_version": self._version,
            "pending": {"records": pressure.records, "bytes": pressure.bytes, "paused": pressure.paused},
            "held_by": self._held_by(),
            "decoding": {"state": "halted" if self._intake.halted else "running", "reason": self._intake.halted},
            "dead_letters": {
                "unwritable": self._graveyard.unwritable,
                "reasons": [
                    {"destination": destination, "reason": reason, "count": count}
                    for (destination, reason), count in sorted(self._graveyard.reasons.items())
                ],
            },
            "ledger": {"trouble": self._patient.trouble, "alarms": self._coordinator.ledger_alarms},
            "partitions": self._partitions(),
        }

    def _held_by(self) -> list[dict[str, Any]]:
        """Who fills the bound: the destinations by what stands in them, and the longest lane of each."""
        out = []
        for name, sink in sorted(self._sinks.items(), key=lambda pair: -pair[1].in_flight):
            fullest = sink.lanes.fullest()
            out.append(
                {"destination": name, "in_flight": sink.in_flight, "longest_lane": fullest[1] if fullest else 0}
            )
        return out

    def _partitions(self) -> list[dict[str, Any]]:
        return [
            {
                "topic": partition.topic,
                "partition": partition.partition,
                "committed": one.committed,
                "committable": one.tracker.committable,
                "unsettled": one.in_flight,
                "end": (end := self._coordinator.ends.get(partition)),
                "lag": None if end is None else max(0, end - one.committed),
            }
            for partition, one in sorted(self._coordinator.assignments.items())
        ]

    def live(self) -> tuple[bool, str]:
        """Whether the owner thread turns; that this is answered shows that the event loop does."""
        idle_s = time.monotonic() - self._owner.turned_at_s
        if idle_s > self._stalled_after_s:
            return False, f"the Kafka thread has not turned for {idle_s:.0f} s"
        return True, "ok"

    async def ready(self) -> tuple[bool, str]:
        """Joined the group (an empty assignment counts) and the ledger answers."""
        if not self._coordinator.joined:
            return False, "has not joined the group yet"
        try:
            await self._answers()
        except Exception as error:
            return False, f"the ledger does not answer: {error}"
        return True, "ok"


def _state(sink: Sink) -> dict[str, Any]:
    gate: Gate = sink.gate
    if sink.paused:
        state, reason = "paused", "by the topology"
    elif gate.halted is not None:
        state, reason = "halted", gate.halted
    elif gate.closed(time.monotonic()):
        state, reason = "throttled", "the receiver asked for less, or the rate is used up"
    else:
        state, reason = "running", ""
    return {"state": state, "reason": reason, "requests_in_flight": gate.in_flight, "limit": int(gate.limit)}
