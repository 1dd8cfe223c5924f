"""Duplicates: only of what was on the wire when a consumer was killed, or otherwise disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.checker.arrivals import Arrivals, Repeat
from tests.checker.disturbance import Disturbance
from tests.checker.findings import Findings

UNEXPLAINED = "a duplicate of what was not on the wire at a kill"
TOO_MANY = "more duplicates from one kill than were on the wire"


@dataclass(frozen=True, slots=True)
class Caused:
    """What one disturbance explains: when each repeat was accepted before, and again, relative to its begin."""

    by: Disturbance
    before_ms: list[int] = field(default_factory=list)
    again_ms: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.before_ms:
            return "0"
        before, again = (f"{min(one)} to {max(one)} ms" for one in (self.before_ms, self.again_ms))
        return f"{len(self.before_ms)} (accepted {before}, and again {again} after it)"


def judge_repeats(
    arrivals: Arrivals, disturbances: Sequence[Disturbance], on_the_wire: int, findings: Findings
) -> list[Caused]:
    """Lay every repeat at the disturbance that explains it; gives what each caused, in their order.

    It is one that came with the acceptance before: what one kill lets come again may be on the wire at the next.
    `on_the_wire`: how many items one process can have on the wire to this destination.
    """
    caused = [Caused(by) for by in disturbances]
    for item in arrivals.repeats:
        possible = [one for one in caused if one.by.explains(arrivals.destination, item.before_ms)]
        if not possible:
            findings.add(UNEXPLAINED, f"{arrivals.destination}: {item.event_id}, {_when(item, disturbances)}")
        else:
            # Where several may have done it: one that may have done more.
            by = next((one for one in possible if _has_room(one, on_the_wire)), possible[0])
            by.before_ms.append(item.before_ms - by.by.from_ms)
            by.again_ms.append(item.at_ms - by.by.from_ms)
    for one in caused:
        if one.by.processes is not None and len(one.before_ms) > one.by.processes * on_the_wire:
            most = one.by.processes * on_the_wire
            findings.add(TOO_MANY, f"{arrivals.destination}: {one.by.name}: {one}, of at most {most}")
    return caused


def _when(item: Repeat, disturbances: Sequence[Disturbance]) -> str:
    """When it came, and what had been done by then: what to look for is where the times of both meet."""
    gap = f"{item.at_ms - item.before_ms} ms after the last"
    before = [one for one in disturbances if one.from_ms <= item.before_ms]
    if not before:
        return gap
    last = max(before, key=lambda one: one.from_ms)
    return f"{gap}, which was {item.before_ms - last.from_ms} ms after {last.name}"


def _has_room(one: Caused, on_the_wire: int) -> bool:
    return one.by.processes is None or len(one.before_ms) < one.by.processes * on_the_wire
