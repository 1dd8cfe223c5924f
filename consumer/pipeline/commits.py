"""Commits: what is settled everywhere, recorded in the ledger first."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.work import Assignment, Phase
from consumer.telemetry.spans import FlowSpan, Tracing
from consumer.types import TopicPartition


class Committer:
    """Asks for commits from time to time; what a commit failed for is asked for again by the next."""

    def __init__(
        self,
        patient: PatientLedger,
        commit: Callable[[Mapping[TopicPartition, tuple[int, int]]], None],
        interval_s: float,
        tracing: Tracing,
    ) -> None:
        self._patient = patient
        self._commit = commit
        self._interval_s = interval_s
        self._tracing = tracing
        self._spans: dict[TopicPartition, FlowSpan] = {}
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
        behind = [
            one for one in assignments if one.phase is Phase.LIVE and one.tracker.committable > one.committed
        ]
        due = {one.partition: (one.epoch, one.tracker.committable) for one in behind}
        if not due:
            return
        for one in behind:
            self._trace(one)
        # The ledger is never behind the broker: else it could not tell that it is the wrong one.
        await self._patient.advance({partition: offset for partition, (_, offset) in due.items()})
        for one in behind:
            # It was lost, or its drain has the last word, while the ledger worked.
            if one.phase is not Phase.LIVE:
                del due[one.partition]
                self._end_span(one.partition, "assignment ended")
        if due:
            self._commit(due)

    def _trace(self, assignment: Assignment) -> None:
        if assignment.traced and assignment.partition not in self._spans:
            span = self._tracing.commit(assignment.partition.topic, assignment.traced)
            assignment.traced.clear()
            if span is not None:
                self._spans[assignment.partition] = span

    def committed(self, partition: TopicPartition) -> None:
        """The broker acknowledged."""
        self.done += 1
        self._end_span(partition)

    def failed(self, partition: TopicPartition, reason: str) -> None:
        """The broker refused; what is settled stays settled and is asked for again."""
        self._end_span(partition, reason)
        self.failures[reason] = self.failures.get(reason, 0) + 1

    def _end_span(self, partition: TopicPartition, error_type: str | None = None) -> None:
        if (span := self._spans.pop(partition, None)) is not None:
            span.end(error_type)
