"""Duplicates: only of what was on the wire when a consumer was killed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.checker.arrivals import Arrivals
from tests.checker.findings import Findings

UNEXPLAINED = "a duplicate of what was not on the wire at a kill"
TOO_MANY = "more duplicates from one kill than were on the wire"

CONFIRMED_AFTER_MS = 5_000
"""How long an acceptance may take to its durable confirmation: an answer to read, a transaction to write."""
LATE_AFTER_MS = 1_000
"""How long after the kill a request that had left may still take effect."""


@dataclass(frozen=True, slots=True)
class Caused:
    """What one kill explains: for each repeat, when its event was first accepted, relative to the kill."""

    after_ms: list[int]
    again_ms: list[int]
    """When each came again, relative to the kill."""

    def __str__(self) -> str:
        if not self.after_ms:
            return "0"
        first, again = (f"{min(one)} to {max(one)} ms" for one in (self.after_ms, self.again_ms))
        return f"{len(self.after_ms)} (first accepted {first}, and again {again} after it)"


def judge_repeats(
    arrivals: Arrivals, kills_ms: Sequence[int], on_the_wire: int, findings: Findings
) -> list[Caused]:
    """Lay every repeat at the kill that explains it; gives what each kill caused, in their order.

    `on_the_wire`: how many items one process can have on the wire to this destination.
    """
    caused = {at: Caused([], []) for at in kills_ms}
    for item in arrivals.repeats:
        assert item.event_id is not None
        first_ms = arrivals.first[item.event_id].at_ms
        kill_ms = next(
            (at for at in kills_ms if at - CONFIRMED_AFTER_MS <= first_ms <= at + LATE_AFTER_MS), None
        )
        if kill_ms is None:
            gap_ms = item.at_ms - first_ms
            findings.add(UNEXPLAINED, f"{arrivals.destination}: {item.event_id}, {gap_ms} ms after the first")
        else:
            caused[kill_ms].after_ms.append(first_ms - kill_ms)
            caused[kill_ms].again_ms.append(item.at_ms - kill_ms)
    for one in caused.values():
        if len(one.after_ms) > on_the_wire:
            times = sorted(zip(one.after_ms, one.again_ms, strict=True))
            findings.add(TOO_MANY, f"{arrivals.destination}: {one}, of at most {on_the_wire}: {times}")
    return list(caused.values())
