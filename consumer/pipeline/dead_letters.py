"""Dead letters: the original record, untouched, with headers that say what was refused, where and why.

The order is the protocol's: the ledger is asked, the letter is acknowledged, the reservation is released, and
only then is the delivery settled. A topic that cannot be written is tried again for ever: the record stays
unsettled, the bound on what is unsettled stops the polling, and nothing is skipped. A drain does not wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import Protocol

from msgspec.structs import replace

from consumer.core.retries import Backoff, Random
from consumer.kafka.letters import Letter, Outcome, TooLarge, Unwritten, Written
from consumer.ledger.ledger import Held, KeyState
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Assignment, Delivery, Phase, Work
from consumer.telemetry.spans import SendSpan, Tracing
from consumer.types import Headers, Record

PREFIX = "distinct-consumer."


class Writer(Protocol):
    """What is needed of `LetterWriter`."""

    async def write(self, letters: Sequence[Letter]) -> list[Outcome]:
        """See `LetterWriter.write`."""
        ...


class Graveyard:
    """Buries deliveries and undecodable records."""

    def __init__(
        self,
        writer: Writer,
        topics: Mapping[str, str],
        patient: PatientLedger,
        settlement: Settlement,
        tracing: Tracing,
        backoff: Backoff,
        random: Random,
    ) -> None:
        """`topics` gives the dead-letter topic of each source topic."""
        self._writer = writer
        self._topics = topics
        self._patient = patient
        self._settlement = settlement
        self._tracing = tracing
        self._backoff = backoff
        self._random = random
        self._troubles: dict[str, str] = {}
        """By topic, why the last letter could not be written, until one can or none is to be."""
        self.given_up: Counter[str] = Counter()
        """By topic and reason, how many letters were given up because their assignment left while the topic could
        not be written."""
        self.reasons: dict[tuple[str, str], int] = {}
        """How many letters were written, by destination and reason."""
        self._open: Counter[Assignment] = Counter()
        self._left = asyncio.Event()
        self._writing: dict[asyncio.Task[list[Outcome]], tuple[str, Assignment]] = {}

    @property
    def unwritable(self) -> str | None:
        """Which topics cannot be written at present, and why."""
        return "; ".join(f"{topic}: {reason}" for topic, reason in self._troubles.items()) or None

    async def bury(self, sink: Sink, one: Delivery, grave: Grave, *, in_lane: bool = True) -> None:
        """Dead-letter a delivery to its end; `in_lane` is False for one that never came to a lane.

        Returns when it is settled, or given up because its assignment ended while the topic could not be
        written.
        """
        with self._busy(one.work.assignment):
            ending = await self._write(one.work, grave, lambda: self._has_arrived(one))
            if ending is Ending.DEAD_LETTERED:
                await self._patient.bury([Held(one.intent, one.token)])
                one.token = 0
        sink.stock.release([one])
        if in_lane:
            sink.stock.finish([one], ending)
        else:
            sink.stock.finish_unsent(one, ending)

    async def bury_record(self, work: Work, reason: str) -> bool:
        """Dead-letter a record that no route could see; False if it was given up, as above."""
        with self._busy(work.assignment):
            ending = await self._write(work, Grave(reason), _never)
        work.abandoned = ending is Ending.ABANDONED
        self._settlement.conclude([work])
        return not work.abandoned

    def busy_with(self, assignments: set[Assignment]) -> bool:
        """Whether something of these is being buried."""
        return any(one in self._open for one in assignments)

    def leave(self) -> None:
        """Some assignments drain or ended: what waits to be written again is given up, if it is theirs, and what
        is with the producer too, where its topic is known to take nothing: it would only use up the drain."""
        self._left.set()
        self._left.clear()
        self._give_up_writing()

    def _give_up_writing(self) -> None:
        for writing, (topic, assignment) in self._writing.items():
            if assignment.phase and topic in self._troubles:
                writing.cancel()

    async def _has_arrived(self, one: Delivery) -> bool:
        """Acknowledged meanwhile, as another record with this key or as this one, which another process had: there
        it is counted as delivered."""
        ((state, _),) = await self._patient.states([one.intent])
        return state is KeyState.CONFIRMED

    async def _write(self, work: Work, grave: Grave, has_arrived: Callable[[], Awaitable[bool]]) -> Ending:
        topic = self._topics[work.record.topic]
        letter = letter_of(topic, work.record, grave, work.version)
        attempt = 0
        while not await has_arrived():
            phase = work.assignment.phase
            if phase is Phase.ENDED or (phase and topic in self._troubles):
                break
            match await self._attempt(topic, letter, work):
                case None:
                    break
                case Written():
                    self._troubles.pop(topic, None)
                    kind = (grave.destination, grave.reason)
                    self.reasons[kind] = self.reasons.get(kind, 0) + 1
                    return Ending.DEAD_LETTERED
                case TooLarge() if letter.value is not None:
                    letter = stub_of(topic, work.record, grave, work.version)
                case TooLarge() | Unwritten() as failed:
                    attempt += 1
                    reason = "too large even as a stub" if isinstance(failed, TooLarge) else failed.reason
                    self._troubles[topic] = reason
                    self._give_up_writing()
                    if not work.assignment.phase:
                        await self._pause(max(0.1, self._backoff.delay_s(attempt, self._random)))
        else:
            return Ending.SUPPRESSED
        if topic in self._troubles:
            self.given_up[f"{topic}: {self._troubles[topic]}"] += 1
        return Ending.ABANDONED

    async def _attempt(self, topic: str, letter: Letter, work: Work) -> Outcome | None:
        """One attempt; None where it was given up while the producer had it. Then it may be written all the same."""
        span = self._tracing.dead_letter(topic, work.trace.span if work.trace is not None else None)
        letters = [letter if span is None else with_context(letter, span)]
        writing = asyncio.ensure_future(self._writer.write(letters))
        self._writing[writing] = (topic, work.assignment)
        outcome: Outcome | None = None
        try:
            (outcome,) = await writing
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
        finally:
            del self._writing[writing]
            if span is not None:
                span.end(None if isinstance(outcome, Written) else type(outcome).__name__.lower())
        return outcome

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._left.wait()

    @contextmanager
    def _busy(self, assignment: Assignment) -> Iterator[None]:
        self._open[assignment] += 1
        try:
            yield
        finally:
            self._open[assignment] -= 1
            if not self._open[assignment]:
                del self._open[assignment]
            if not self._open:
                self._troubles.clear()  # Whoever waited for it has left.


async def _never() -> bool:
    return False


def with_context(letter: Letter, span: SendSpan) -> Letter:
    """The letter with its own trace context last: of several headers with a name, the last counts."""
    return replace(letter, headers=[*letter.headers, span.header()])


def letter_of(topic: str, record: Record, grave: Grave, version: str) -> Letter:
    """The record as it was, with our headers after its own."""
    headers = [*(record.headers or []), *_headers(record, grave, version)]
    return Letter(topic, record.key, record.value, headers)


def stub_of(topic: str, record: Record, grave: Grave, version: str) -> Letter:
    """In place of a letter that the topic refuses as too large: where the record lies, and its digest."""
    digest = blake2b(record.value or b"", digest_size=16).hexdigest()
    headers = [*_headers(record, grave, version), (f"{PREFIX}stub-digest", digest.encode())]
    key = record.key if len(record.key or b"") <= 1024 else None
    return Letter(topic, key, None, headers)


def _headers(record: Record, grave: Grave, version: str) -> Headers:
    fields = {
        "destination": grave.destination,
        "route": grave.route,
        "reason": grave.reason,
        "status": "" if grave.status is None else str(grave.status),
        "attempts": str(grave.attempts),
        "origin-topic": record.topic,
        "origin-partition": str(record.partition),
        "origin-offset": str(record.offset),
        "topology-version": version,
    }
    return [(PREFIX + name, value.encode()) for name, value in fields.items() if value]
