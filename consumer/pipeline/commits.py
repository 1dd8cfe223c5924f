"""Commits: what is settled everywhere, recorded in the ledger first."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.work import Assignment, Phase
from consumer.types import TopicPartition


class Committer:
    """Asks for commits from time to time; what a commit failed for is asked for again by the next."""

    def __init__(
        self,
        patient: PatientLedger,
        commit: Callable[[Mapping[TopicPartition, tuple[int, int]]], None],
        interval_s: float,
    ) -> None:
        self._patient = patient
        self._commit = commit
        self._interval_s = interval_s
        self.failures: dict[str, int] = {}
        self.done = 0
        """How many commits the broker acknowledged, counted by partition."""

    async def run(self, assignments: Callable[[], Iterable[Assignment]]) -> None:
        """Commit at every interval, until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.commit(assignments())

    async def commit(self, assignments: Iterable[Assignment]) -> None:
        """Ask for the commit of everything that is settled and not committed yet."""
        due = {
            one.partition: (one.epoch, one.tracker.committable)
            for one in assignments
            if one.phase is Phase.LIVE and one.tracker.committable > one.committed
        }
        if not due:
            return
        # The ledger is never behind the broker: else it could not tell that it is the wrong one.
        await self._patient.advance({partition: offset for partition, (_, offset) in due.items()})
        self._commit(due)

    def committed(self, assignment: Assignment, offset: int) -> None:
        """The broker acknowledged."""
        assignment.committed = max(assignment.committed, offset)
        self.done += 1

    def failed(self, reason: str) -> None:
        """The broker refused; what is settled stays settled and is asked for again."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
