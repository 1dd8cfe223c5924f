"""The pipeline's side of the Kafka owner: assignments come and go, records come in, offsets go out."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from consumer.core.books import Books
from consumer.core.pressure import Pressure
from consumer.errors import ConsumerError, RefusedError
from consumer.ledger.ledger import Ledger
from consumer.pipeline.commits import Committer
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.goal import Goal
from consumer.pipeline.intake import Intake
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.poller import Poller
from consumer.pipeline.settle import Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Assignment, Phase
from consumer.types import Assigned, Chunk, TopicPartition

LAST_WORD_S = 1.0
"""What the ledger gets at the end of a drain, however late it is: to record the offsets, and to take releases."""

RECLAIM_AFTER_S = 10.0

WARY = "whoever had it before did not leave in good order: what it may have read is tried in a child process first"


class Coordinator:
    """Implements `consumer.kafka.listener.Listener`. Everything here runs on the event loop."""

    def __init__(
        self,
        books: Books,
        pressure: Pressure,
        ledger: Ledger,
        patient: PatientLedger,
        intake: Intake,
        sinks: Mapping[str, Sink],
        graveyard: Graveyard,
        settlement: Settlement,
        *,
        accept_ledger: bool,
        ledger_is_shared: bool,
        on_note: Callable[[str], None],
    ) -> None:
        self.books = books
        self.pressure = pressure
        self.assignments: dict[TopicPartition, Assignment] = {}
        self.ends: dict[TopicPartition, int] = {}
        self.untaken: dict[TopicPartition, int] = {}
        """What the owner thread handed on beyond what is tracked here, when compared last: 0, or it was dropped."""
        self.joined = False
        self.rebalances = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the owner thread has ended; holds its fault, if any."""
        self._ledger = ledger
        self._patient = patient
        self._intake = intake
        self._sinks = sinks
        self._graveyard = graveyard
        self._settlement = settlement
        self._accept_ledger = accept_ledger
        self._ledger_is_shared = ledger_is_shared
        self._note = on_note
        self._owner: Poller
        self._committer: Committer
        self._past: list[Assignment] = []
        self._prefixes: dict[TopicPartition, int] = {}
        self._met_below: dict[TopicPartition, int] = {}
        self._goal = Goal()
        self.ledger_alarms = 0
        ledger.watch(self._alarm)
        self.unburied = ""
        """The dead letters that the last drain had to leave because they could not be written: how many, and why."""

    def attach(self, owner: Poller, committer: Committer) -> None:
        """The owner needs a listener and the listener an owner: this closes the circle, before the start."""
        self._owner = owner
        self._committer = committer

    # --- records ---

    def records(self, chunks: list[Chunk], count: int) -> None:
        for chunk in chunks:
            assignment = self.assignments.get(chunk.partition)
            if assignment is not None and assignment.epoch == chunk.epoch and not assignment.phase:
                self._intake.take(assignment, chunk.records)
                assignment.read_to = chunk.records[-1].offset + 1
        self._owner.took(count)
        self.press()

    def press(self) -> None:
        """Pause or resume the polling of topics, when the bound is passed or there is room again."""
        if self.pressure.turned():
            self._owner.rest(self.pressure.resting)

    def ends_of_partitions(self, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            assignment = self.assignments.get(partition)
            if assignment is not None:
                assignment.tracker.skip_to(offset)
                assignment.horizon.end_at(offset)
                assignment.read_to = max(assignment.read_to, offset)

    def handed(self, counts: Mapping[TopicPartition, tuple[int, int]]) -> None:
        # What was handed on before came before this: so this is one moment for both sides.
        self.untaken = {
            partition: count - one.tracker.tracked
            for partition, (epoch, count) in counts.items()
            if (one := self.assignments.get(partition)) is not None and one.epoch == epoch and not one.phase
        }

    # --- assignments ---

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return await self._ledger.starts(topic, chosen)

    async def claim(
        self, committed: Mapping[TopicPartition, int | None]
    ) -> Mapping[TopicPartition, Assigned]:
        assigned = await self._ledger.assign(list(committed))
        for partition, offset in committed.items():
            position = assigned[partition].position
            self._met_below[partition] = assigned[partition].horizon
            if offset is not None and (position is None or position < offset):
                self._suspect(partition, offset, position)
        return assigned

    def _suspect(self, partition: TopicPartition, offset: int, position: int | None) -> None:
        """The broker is ahead of the ledger: another ledger, or a lost one, was in use."""
        known = "has no position" if position is None else f"stands at {position}"
        text = (
            f"{partition}: the group's committed offset is {offset} but the ledger {known}: another ledger was in use, "
            "or this one was lost, so duplicates of what it does not know can be sent"
        )
        if not self._ledger_is_shared and not self._accept_ledger:
            raise RefusedError(
                f"{text}. Point LEDGER_URL at the ledger that was used, or start with --accept-ledger"
            )
        self._alarm(text)

    def _alarm(self, text: str) -> None:
        """What was lost of the ledger can only let duplicates through; an operator must know it all the same."""
        self.ledger_alarms += 1
        self._note(text)

    async def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None:
        await self._ledger.advance({partition: offset for partition, (_, offset) in positions.items()})
        new = [self._assignment(partition, *place) for partition, place in positions.items()]
        # Nothing is decoded before the ledger knows that it may be met.
        await self._ledger.venture({one.partition: (one.epoch, one.horizon.reach) for one in new})
        # One whose drain got no end of its own is over too: nobody else would give up what it holds.
        self._depart({one for p in positions if (one := self.assignments.get(p)) is not None}, Phase.ENDED)
        self.assignments.update({one.partition: one for one in new})
        if wary := [str(one.partition) for one in new if one.horizon.wary_below > one.committed]:
            self._note(f"{', '.join(wary)}: {WARY}")
        self.joined = True
        self.rebalances += 1

    def _assignment(self, partition: TopicPartition, epoch: int, offset: int) -> Assignment:
        prefix = self._prefixes.setdefault(partition, len(self._prefixes))
        load = self.pressure.of(partition.topic)
        return Assignment(partition, epoch, offset, prefix, load, self._met_below.pop(partition, 0))

    async def drain(
        self, partitions: Sequence[TopicPartition], deadline_s: float
    ) -> Mapping[TopicPartition, int]:
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + deadline_s
        leaving = {one for p in partitions if (one := self.assignments.get(p)) is not None}
        before = self._graveyard.given_up.copy()
        try:
            self._depart(leaving, Phase.DRAINING)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    while self._busy_with(leaving):
                        self._settlement.progress.clear()
                        await self._settlement.progress.wait()
        finally:
            # The others were fenced meanwhile.
            finished = [one for one in leaving if one.phase is Phase.DRAINING]
            self._depart(leaving, Phase.ENDED)
        given_up = (self._graveyard.given_up - before).items()
        self.unburied = "; ".join(f"{count} cannot be written to {where}" for where, count in given_up)
        offsets = {
            one.partition: one.tracker.committable
            for one in finished
            if one.tracker.committable > one.committed
        }
        try:
            async with asyncio.timeout(max(LAST_WORD_S, until_s - now_s())):
                await self._record(offsets)
        except (ConsumerError, TimeoutError) as error:
            self._note(f"no commit at the end of the assignment: {error or 'the ledger is too slow'}")
            offsets = {}
        # Who comes next would take needless care.
        with suppress(ConsumerError, TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._ledger.venture(
                    {one.partition: (one.epoch, one.horizon.wary_below) for one in finished}
                )
        # Who comes next would wait for what is not given back yet.
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._patient.all_released()
        return offsets

    async def _record(self, offsets: Mapping[TopicPartition, int]) -> None:
        if offsets:
            await self._ledger.advance(offsets)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        leaving = {one for p in partitions if (one := self.assignments.get(p)) is not None}
        self._note(f"lost {len(leaving)} partitions: nothing of them is committed, they go on elsewhere")
        self._depart(leaving, Phase.ENDED)

    def fenced(self, assignment: Assignment) -> None:
        """The ledger refused a reservation under an older epoch: somebody else owns the partition by now."""
        if assignment.phase is not Phase.ENDED:
            partition, epoch = assignment.partition, assignment.epoch
            self._note(f"{partition}: fenced by a newer owner")
            self._depart({assignment}, Phase.ENDED)
            # Kafka tells us of a real loss before that. If it does not, a member that woke late has claimed what
            # is still ours, and without a claim of our own nobody would read the partition any more.
            asyncio.get_running_loop().call_later(RECLAIM_AFTER_S, self._owner.reclaim, partition, epoch)

    def _depart(self, leaving: set[Assignment], phase: Phase) -> None:
        if not leaving:
            return
        for one in leaving:
            one.phase = phase
            if phase is Phase.ENDED and self.assignments.get(one.partition) is one:
                del self.assignments[one.partition]
                self._past.append(one)
        for one in leaving:
            self._intake.leave(one)
        for sink in self._sinks.values():
            sink.leave()
        self._graveyard.leave()
        self._past = [one for one in self._past if one.in_flight]

    def _busy_with(self, assignments: set[Assignment]) -> bool:
        return self._graveyard.busy_with(assignments) or any(
            sink.busy_with(assignments) for sink in self._sinks.values()
        )

    # --- offsets ---

    def committed(self, offsets: Mapping[TopicPartition, int], failed: Mapping[TopicPartition, str]) -> None:
        for partition, offset in offsets.items():
            if (assignment := self.assignments.get(partition)) is not None:
                assignment.committed = max(assignment.committed, offset)
            self._committer.committed(partition)
        self._goal.commits(offsets)
        for partition, reason in failed.items():
            self._committer.failed(partition, reason)
            self._note(f"{partition}: commit failed: {reason}")
        self._check_goal()

    def goal(self, ends: Mapping[TopicPartition, int]) -> None:
        self._goal.set(ends)
        self._check_goal()

    def elsewhere(self, committed: Mapping[TopicPartition, int | None]) -> None:
        self._goal.commits(committed)
        self._check_goal()

    def look_around(self) -> None:
        """With a goal: see which partitions have reached it, here and elsewhere."""
        self._goal.commits({partition: one.committed for partition, one in self.assignments.items()})
        others = self._goal.left(self.assignments)
        if others and self.joined:
            self._owner.look_elsewhere(others)
        self._check_goal()

    def _check_goal(self) -> None:
        if self._goal.done():
            self._owner.stop()

    # --- news ---

    def noticed(self, text: str) -> None:
        self._note(text)

    def lag(self, ends: Mapping[TopicPartition, int]) -> None:
        self.ends = dict(ends)

    def ended(self, fault: BaseException | None) -> None:
        if self.finished.done():
            return
        if fault is None:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(fault)

    # --- the books ---

    def count(self) -> Books:
        """The books as they are now, with what is in flight counted where it stands."""
        self.books.in_flight = sum(one.in_flight for one in self._every())
        for name, sink in self._sinks.items():
            self.books.destinations[name].in_flight = sink.in_flight
        return self.books

    def in_flight_by_topic(self) -> dict[str, int]:
        """Records that are neither settled nor abandoned, also of assignments that ended."""
        out = Counter[str]()
        for one in self._every():
            out[one.partition.topic] += one.in_flight
        return out

    def _every(self) -> Iterable[Assignment]:
        return [*self.assignments.values(), *self._past]
