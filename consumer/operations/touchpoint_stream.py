"""New visits of touchpoints to a topic, each once, whatever happens to the process.

The API has no ids and no "since": a round reads what there is, and writes what the topic does not have yet.
What the topic has is read back from it, by the one process that may write there (see transactional_log), and
kept in memory while that process writes.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from consumer.core.visits import KnownVisits, Visit, numbered
from consumer.endpoints.touchpoints import ExperienceQuery, TouchpointQuery
from consumer.errors import BrokerError, RegistryUnavailable, StoppedError
from consumer.operations.touchpoint_metrics import Denied, TouchpointMetrics, TouchpointVisits
from consumer.operations.visit_topic import VisitTopic

_LOG = logging.getLogger("consumer.touchpoints")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class Scope(msgspec.Struct, frozen=True):
    """Whose visits: all touchpoints of these experiences, and these touchpoints."""

    experiences: tuple[str, ...] = ()
    touchpoints: tuple[str, ...] = ()


class StreamPolicy(msgspec.Struct, frozen=True):
    """`chunk_visits` go into one transaction. A touchpoint whose counts have not changed is read all the same
    every `full_every` rounds: what takes one visit away and adds another leaves the counts as they were.
    """

    chunk_visits: int = 500
    full_every: int = 20


class Round(msgspec.Struct, frozen=True):
    """What one round did: `failures` are texts for people, and end nothing."""

    written: int
    known: int
    touchpoints: int
    failures: tuple[str, ...] = ()


class _Goal(msgspec.Struct, frozen=True):
    """A touchpoint to read. `counts` are its total and unique visits, where an experience told them."""

    id: str
    experience_id: str | None = None
    counts: tuple[int, int] | None = None


class TouchpointStream:
    """Rounds over one scope. Used from one event loop, one round at a time."""

    def __init__(
        self,
        metrics: TouchpointMetrics,
        make_topic: Callable[[], VisitTopic],
        scope: Scope,
        policy: StreamPolicy | None = None,
        *,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`make_topic` gives a topic that nobody has opened yet: one at first, and one after each failure.
        `on_progress` is told what is being done, and nothing when a round is over.
        """
        self._metrics = metrics
        self._make_topic = make_topic
        self._scope = scope
        self._policy = policy or StreamPolicy()
        self._on_progress = on_progress
        self._topic: VisitTopic | None = None
        self._known = KnownVisits()
        self._read_counts: dict[str, tuple[int, int]] = {}
        self._rounds = 0
        self.written = 0
        """How many visits were written since the start."""
        self._stopping = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End: reading at once, writing after the transaction that is under way. Idempotent."""
        self._stopping.set()

    async def run(self, interval_s: float) -> None:
        """A round every `interval_s` until `stop`.

        What fails in a round is logged and comes again in the next. Raises what is not worth another: FaultError
        for a topic that can't be read back, StoppedError where another process has taken over.
        """
        while not self.stopping:
            try:
                done = await self.round()
            except StoppedError:
                if not self.stopping:
                    raise
                break
            except (BrokerError, RegistryUnavailable) as error:
                _LOG.error(f"{error}; trying again in {interval_s:g} s")
            else:
                tell = _LOG.info if done.written or self._rounds == 1 else _LOG.debug
                tell(
                    "round",
                    extra={"written": done.written, "known": done.known, "touchpoints": done.touchpoints},
                )
                for failure in done.failures:
                    _LOG.error(f"{failure}; trying again in {interval_s:g} s")
            try:
                async with asyncio.timeout(interval_s):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def round(self) -> Round:
        """Read all of the scope, write what is new. A touchpoint that can't be read does not stop the others.

        Raises StoppedError where `stop` came before all was written, or another process has taken over.
        """
        self._rounds += 1
        try:
            return await self._round()
        finally:
            self._on_progress("")

    async def _round(self) -> Round:
        await self._open()
        goals, failures = await self._unless_stopped(self._goals())
        found: list[Visit] = []
        complete: dict[str, tuple[int, int]] = {}
        for number, goal in enumerate(goals, start=1):
            self._on_progress(f"touchpoint {number} of {len(goals)}")
            read = await self._unless_stopped(self._read(goal))
            if isinstance(read, str):
                failures.append(read)
                continue
            visits, is_complete = read
            found += visits
            if is_complete and goal.counts is not None:
                complete[goal.id] = goal.counts
        new = self._known.new(found)
        await self._write(new)
        self._read_counts |= complete
        return Round(len(new), len(self._known), len(goals), tuple(failures))

    async def close(self) -> None:
        """Idempotent."""
        topic, self._topic = self._topic, None
        if topic is not None:
            await topic.close()

    async def _open(self) -> None:
        if self._topic is not None:
            return
        self._topic = topic = self._make_topic()
        self._read_counts.clear()
        try:
            opening = topic.open(lambda count: self._on_progress(f"read back {count} visits"))
            self._known = await self._unless_stopped(opening)
        except BaseException:
            await self.close()
            raise

    async def _goals(self) -> tuple[list[_Goal], list[str]]:
        """What has to be read in this round, and what stands in the way."""
        goals = {one: _Goal(one) for one in self._scope.touchpoints}
        failures: list[str] = []
        for experience_id in self._scope.experiences:
            listed = await self._metrics.experience(ExperienceQuery(experience_id))
            if isinstance(listed, Denied):
                failures.append(f"experience {experience_id}: {listed.reason}")
                continue
            for one in listed.touchpoints:
                goals[one.id] = _Goal(one.id, experience_id, (one.total_visits, one.unique_visits))
        # The first round reads everything: it has not seen any counts.
        if self._rounds % self._policy.full_every:
            return [one for one in goals.values() if self._has_changed(one)], failures
        return list(goals.values()), failures

    def _has_changed(self, goal: _Goal) -> bool:
        return goal.counts is None or self._read_counts.get(goal.id) != goal.counts

    async def _read(self, goal: _Goal) -> tuple[list[Visit], bool] | str:
        """The visits of one touchpoint and whether they are all, or what failed."""
        read = await self._metrics.visits(TouchpointQuery(goal.id))
        if isinstance(read, Denied):
            return f"touchpoint {goal.id}: {read.reason}"
        if not read.complete:
            _LOG.info(
                "visits came in while a touchpoint was read; what is missing comes in the next round",
                extra={"touchpoint": goal.id},
            )
        try:
            return numbered(_visits_of(read, goal.experience_id)), read.complete
        except (ValueError, OverflowError):
            return f"touchpoint {goal.id}: a visit's time is not ISO 8601"

    async def _write(self, visits: list[Visit]) -> None:
        assert self._topic is not None, "a round opens it"
        size = self._policy.chunk_visits
        for begin in range(0, len(visits), size):
            if self.stopping:
                raise _stopped()
            chunk = visits[begin : begin + size]
            try:
                await self._topic.write(chunk)
            except BaseException:
                # Whether they are on the topic is not known here: the next round reads it back.
                await self.close()
                raise
            self._known.add(chunk)
            self.written += len(chunk)
            self._on_progress(f"wrote {begin + len(chunk)} of {len(visits)} new visits")

    async def _unless_stopped(self, reading: Coroutine[Any, Any, T]) -> T:
        """What it gives; a stop ends it at once, as nothing depends on what was only read."""
        task = asyncio.ensure_future(reading)
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _stopped()
            return task.result()
        finally:
            task.cancel()
            stopped.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)


def _stopped() -> StoppedError:
    return StoppedError("stopped before all visits were read and written: the next start goes on from there")


def _visits_of(read: TouchpointVisits, experience_id: str | None) -> list[Visit]:
    """Raises ValueError or OverflowError for a time that is none."""
    touchpoint = read.touchpoint
    return [
        Visit(
            # As the API calls it: should it also know a touchpoint by another name, it is still the same one.
            touchpoint_id=touchpoint.id,
            user_id=one.user_id,
            visited_at_ms=_milliseconds(one.timestamp),
            occurrence=1,
            touchpoint_name=touchpoint.name,
            touchpoint_value=touchpoint.value,
            experience_id=experience_id,
        )
        for one in read.visits
    ]


def _milliseconds(text: str) -> int:
    """Since 1970. The field is called timestampUTC, so a time without a zone is UTC."""
    at = datetime.fromisoformat(text)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
