"""Duplicates: only of what was on the wire when a consumer was killed, or otherwise disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.checker.arrivals import Arrivals
from tests.checker.disturbance import Disturbance
from tests.checker.findings import Findings

UNEXPLAINED = "a duplicate of what was not on the wire at a kill"
TOO_MANY = "more duplicates from one kill than were on the wire"


@dataclass(frozen=True, slots=True)
class Caused:
    """What one disturbance explains: when each repeated event was first accepted, relative to its begin."""

    by: Disturbance
    after_ms: list[int]

    def __str__(self) -> str:
        if not self.after_ms:
            return "0"
        return (
            f"{len(self.after_ms)} (first accepted {min(self.after_ms)} to {max(self.after_ms)} ms after it)"
        )


def judge_repeats(
    arrivals: Arrivals, disturbances: Sequence[Disturbance], on_the_wire: int, findings: Findings
) -> list[Caused]:
    """Lay every repeat at the disturbance that explains it; gives what each caused, in their order.

    `on_the_wire`: how many items one process can have on the wire to this destination.
    """
    caused = [Caused(by, []) for by in disturbances]
    for item in arrivals.repeats:
        assert item.event_id is not None
        first_ms = arrivals.first[item.event_id].at_ms
        possible = [one for one in caused if one.by.explains(arrivals.destination, first_ms)]
        if not possible:
            gap_ms = item.at_ms - first_ms
            findings.add(UNEXPLAINED, f"{arrivals.destination}: {item.event_id}, {gap_ms} ms after the first")
        else:
            # Where several may have done it: one that may have done more.
            by = next((one for one in possible if _has_room(one, on_the_wire)), possible[0])
            by.after_ms.append(first_ms - by.by.from_ms)
    for one in caused:
        if one.by.processes is not None and len(one.after_ms) > one.by.processes * on_the_wire:
            most = one.by.processes * on_the_wire
            findings.add(TOO_MANY, f"{arrivals.destination}: {one.by.name}: {one}, of at most {most}")
    return caused


def _has_room(one: Caused, on_the_wire: int) -> bool:
    return one.by.processes is None or len(one.after_ms) < one.by.processes * on_the_wire
