"""The step before the send: reserve keys and windows, and sort what may go from what may not."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumer.core.lanes import Lane
from consumer.ledger.ledger import Buried, Duplicate, Fenced, Ledger, Reservation, Wait, Windowed
from consumer.pipeline.batch import Batch
from consumer.pipeline.work import Assignment, Delivery


@dataclass(slots=True)
class Sorted:
    """What one reservation made of its batches' members. Each member is in `granted` or in one of the others."""

    granted: list[Batch] = field(default_factory=list)
    emptied: list[Batch] = field(default_factory=list)
    """Batches that no member is left of; their `rest` still has to go."""
    suppressed: list[Delivery] = field(default_factory=list)
    windowed: list[Delivery] = field(default_factory=list)
    waiting: list[Delivery] = field(default_factory=list)
    """They meet another holder, or follow one that does: back to their lanes, in this order."""
    leaving: list[Delivery] = field(default_factory=list)
    """Their partition was revoked while the ledger worked, or is fenced."""
    fenced: set[Assignment] = field(default_factory=set)


async def reserve(ledger: Ledger, batches: Sequence[Batch]) -> Sorted:
    """Reserve all members of the batches in one call.

    A member that was granted has the new token, wherever it is sorted. One that was refused keeps the token of
    before: it may still hold what an earlier reservation gave it (a key whose window another has taken), and whoever
    ends it has to give that back. Raises LedgerUnavailable, and then nothing is held that was not before.
    """
    members = [one for batch in batches for one in batch.members]
    reservation = await ledger.reserve([one.intent for one in members])
    return _sort(batches, reservation)


def _sort(batches: Sequence[Batch], reservation: Reservation) -> Sorted:
    out = Sorted()
    first = 0
    for batch in batches:
        staying = _sort_members(batch, first, reservation, out)
        first += len(batch.members)
        batch.keep(staying)
        (out.granted if staying else out.emptied).append(batch)
    return out


def _sort_members(batch: Batch, first: int, reservation: Reservation, out: Sorted) -> list[Delivery]:
    refused = reservation.refused
    staying: list[Delivery] = []
    blocked: set[Lane[Delivery]] = set()
    for index, one in enumerate(batch.members, first):
        refusal = refused.get(index) if refused else None
        if refusal is None:
            one.token = reservation.token
            if one.work.assignment.phase:
                out.leaving.append(one)
            elif blocked and one.lane in blocked:
                out.waiting.append(one)
            else:
                staying.append(one)
            continue
        match refusal:
            case Duplicate() | Buried():
                out.suppressed.append(one)
            case Windowed():
                out.windowed.append(one)
            case Fenced():
                out.fenced.add(one.work.assignment)
                out.leaving.append(one)
            case Wait():
                one.behind = refusal
                if one.work.assignment.phase:
                    out.leaving.append(one)
                else:
                    blocked.add(one.lane)
                    out.waiting.append(one)
    out.waiting += batch.pull(blocked)
    return staying
