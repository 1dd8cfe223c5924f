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
    """What one kill explains: for each repeat when it was accepted before, and again, relative to the kill."""

    before_ms: list[int]
    again_ms: list[int]

    def __str__(self) -> str:
        if not self.before_ms:
            return "0"
        before, again = (f"{min(one)} to {max(one)} ms" for one in (self.before_ms, self.again_ms))
        return f"{len(self.before_ms)} (accepted {before}, and again {again} after it)"


def judge_repeats(
    arrivals: Arrivals, kills_ms: Sequence[int], on_the_wire: int, findings: Findings
) -> list[Caused]:
    """Lay every repeat at the kill that explains it; gives what each kill caused, in their order.

    The kill is one that came with the acceptance before: what one kill lets come again may be on the wire at the
    next. `on_the_wire`: how many items one process can have on the wire to this destination.
    """
    caused = {at: Caused([], []) for at in kills_ms}
    for item in arrivals.repeats:
        kill_ms = next(
            (at for at in kills_ms if at - CONFIRMED_AFTER_MS <= item.before_ms <= at + LATE_AFTER_MS), None
        )
        if kill_ms is None:
            gap_ms = item.at_ms - item.before_ms
            findings.add(UNEXPLAINED, f"{arrivals.destination}: {item.event_id}, {gap_ms} ms after the last")
        else:
            caused[kill_ms].before_ms.append(item.before_ms - kill_ms)
            caused[kill_ms].again_ms.append(item.at_ms - kill_ms)
    for one in caused.values():
        if len(one.before_ms) > on_the_wire:
            findings.add(TOO_MANY, f"{arrivals.destination}: {one}, of at most {on_the_wire}")
    return list(caused.values())
