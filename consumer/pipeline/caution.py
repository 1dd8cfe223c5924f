"""Care with what somebody may have died of: the ledger knows what is read, and after a crash it is rehearsed first.

A record that kills the process (a crash inside a C library cannot be caught) must not be met for ever. Nobody can say
afterwards which one it was, so nothing is written down a record; the ledger has a horizon a partition instead, some
thousands of offsets ahead. Whoever leaves in good order takes it back. Where it stands, the owner before may have
died of a record below it: those are decoded and mapped in a child process first, and what the child dies of is
dead-lettered.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from consumer.avro.undecodable import Undecodable
from consumer.pipeline.background import Background
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.work import Assignment
from consumer.types import Record

Step = Callable[[], object]
Rehearse = Callable[[Sequence[Step]], Awaitable[Mapping[int, str]]]
"""Which of the steps kill a process, and how: see `Rehearsal`."""


class Caution:
    """Of one event loop. `clear` waits for nothing; the rest waits for ledger or child."""

    def __init__(
        self,
        patient: PatientLedger,
        rehearse: Rehearse,
        background: Background,
        on_note: Callable[[str], None],
    ) -> None:
        self._patient = patient
        self._rehearse = rehearse
        self._background = background
        self._note = on_note

    def clear(self, assignment: Assignment, records: Sequence[Record]) -> bool:
        """Whether these may be decoded at once. Sees to it that the horizon is not run into."""
        horizon, last = assignment.horizon, records[-1].offset
        if horizon.is_near(last):
            self._background.spawn(self._venture(assignment, horizon.ask(last)))
        return horizon.clear(records[0].offset, last)

    def knows(self, assignment: Assignment, records: Sequence[Record]) -> bool:
        """Whether the ledger knows that these may be met."""
        return records[-1].offset < assignment.horizon.reach

    async def approach(self, assignment: Assignment, records: Sequence[Record]) -> None:
        """Return once it does."""
        await self._venture(assignment, assignment.horizon.ask(records[-1].offset))

    def is_due(self, assignment: Assignment, records: Sequence[Record]) -> bool:
        """Whether these are to be rehearsed."""
        return records[0].offset < assignment.horizon.wary_below

    async def rehearse(
        self, records: Sequence[Record], step: Callable[[Record], object]
    ) -> dict[int, Undecodable]:
        """The verdicts on those that a child died of, by their index."""
        fatal = await self._rehearse([lambda record=record: step(record) for record in records])  # type: ignore[misc]
        for index, reason in fatal.items():
            self._note(f"{records[index].origin}: {reason} in a rehearsal: it goes to the dead letters")
        return {index: Undecodable(reason) for index, reason in fatal.items()}

    async def alone(self, step: Step) -> str | None:
        """What one step would do to the process; None if it does it no harm."""
        return (await self._rehearse([step])).get(0)

    async def _venture(self, assignment: Assignment, reach: int) -> None:
        await self._patient.venture({assignment.partition: (assignment.epoch, reach)})
        assignment.horizon.granted(reach)
