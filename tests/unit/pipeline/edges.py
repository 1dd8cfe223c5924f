"""The pipeline's edges, played: a ledger that is watched and fails on demand, and a dead-letter topic."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consumer.errors import LedgerUnavailable
from consumer.kafka.letters import Letter, Outcome, Unwritten, Written
from consumer.ledger.ledger import Held, Intent, KeyState, Ledger, Reservation
from consumer.types import Assigned, Origin, TopicPartition

Journal = list[tuple[str, Any]]
"""What happened, in order, at all edges."""


class WatchedLedger:
    """Passes on to a real ledger, writes down each call, and can fail or hang."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self.down = False
        self.lose: Callable[[str], None] = lambda _: None
        """Tells who watches that the store has forgotten."""
        self.failing: set[str] = set()
        self.hanging: dict[str, asyncio.Event] = {}
        """Calls that wait for an event before they reach the ledger."""
        self.advanced: dict[TopicPartition, int] = {}
        """What this process had recorded last."""
        self.asked: set[Intent] = set()
        """All that it ever wanted to reserve."""

    def hang(self, name: str) -> asyncio.Event:
        """Let a kind of call hang until the event is set."""
        event = self.hanging[name] = asyncio.Event()
        return event

    async def _enter(self, name: str, about: object) -> None:
        if (event := self.hanging.get(name)) is not None:
            await event.wait()
        if self.down or name in self.failing:
            raise LedgerUnavailable("the disk is full")
        self._journal.append((name, about))

    @property
    def advice(self) -> Sequence[str]:
        return self._ledger.advice

    def watch(self, on_loss: Callable[[str], None]) -> None:
        self.lose = on_loss

    async def open(self) -> None:
        await self._ledger.open()

    async def close(self) -> None:
        await self._ledger.close()

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        await self._enter("assign", list(partitions))
        return await self._ledger.assign(partitions)

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        await self._enter("starts", dict(chosen))
        return await self._ledger.starts(topic, chosen)

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        await self._enter("reserve", [one.origin for one in intents])
        self.asked.update(intents)
        return await self._ledger.reserve(intents)

    async def confirm(self, intents: Sequence[Intent]) -> None:
        await self._enter("confirm", [one.origin for one in intents])
        await self._ledger.confirm(intents)

    async def release(self, held: Sequence[Held]) -> None:
        await self._enter("release", [one.intent.origin for one in held])
        await self._ledger.release(held)

    async def bury(self, held: Sequence[Held]) -> None:
        await self._enter("bury", [one.intent.origin for one in held])
        await self._ledger.bury(held)

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        await self._enter("states", [one.origin for one in intents])
        return await self._ledger.states(intents)

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        return await self._ledger.mapped_by(intents)

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._enter("advance", dict(positions))
        await self._ledger.advance(positions)
        self.advanced.update(positions)

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        await self._enter("venture", dict(horizons))
        await self._ledger.venture(horizons)


class LetterTopic:
    """A dead-letter topic with the face of `LetterWriter`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.letters: list[Letter] = []
        self.writable = True
        self.outcomes: list[Outcome] = []
        """What the next attempts come to, before `writable` counts."""
        self.took_s = 0.005
        self.slow: dict[str, float] = {}
        """Seconds for the letters of one destination."""
        self.attempts = 0

    async def write(self, letters: Sequence[Letter]) -> list[Outcome]:
        await asyncio.sleep(max(self.slow.get(header(one, "destination"), self.took_s) for one in letters))
        return [self._write(one) for one in letters]

    def _write(self, letter: Letter) -> Outcome:
        self.attempts += 1
        outcome = (
            self.outcomes.pop(0)
            if self.outcomes
            else Written()
            if self.writable
            else Unwritten("_MSG_TIMED_OUT")
        )
        if isinstance(outcome, Written):
            self.letters.append(letter)
            self._journal.append(("letter", header(letter, "origin-offset")))
        return outcome

    def origins(self) -> list[tuple[str, str]]:
        """(offset, destination) of each letter."""
        return [(header(one, "origin-offset"), header(one, "destination")) for one in self.letters]


class PlayedPoller:
    """The owner thread's face, as `consumer.pipeline.poller.Poller` has it."""

    def __init__(self) -> None:
        self.resting: frozenset[str] = frozenset()
        self.turns: list[str] = []
        self.reclaimed: list[tuple[TopicPartition, int]] = []
        self.stopped = False
        self.looked_elsewhere: list[list[TopicPartition]] = []

    def took(self, count: int) -> None:
        return None

    @property
    def polling(self) -> bool:
        return not self.resting

    def rest(self, topics: frozenset[str]) -> None:
        self.resting = topics
        self.turns.append("pause" if topics else "resume")

    def look_elsewhere(self, partitions: list[TopicPartition]) -> None:
        self.looked_elsewhere.append(partitions)

    def reclaim(self, partition: TopicPartition, epoch: int) -> None:
        self.reclaimed.append((partition, epoch))

    def stop(self) -> None:
        self.stopped = True


def header(letter: Letter, name: str) -> str:
    """One of our headers, empty if it is not there."""
    return next(((value or b"").decode() for key, value in letter.headers if key.endswith(f".{name}")), "")
