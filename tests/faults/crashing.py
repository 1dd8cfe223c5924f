"""The real command, killed when it passes a named point: `CRASH_AT="POINT,N" python -m tests.faults.crashing run …`.

The consumer knows nothing of this. What it is made of is wrapped from here, before it starts: its ledger, the
sender of its requests, the writer of its dead letters and its commits.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import TopicPartition as KafkaPartition

import consumer.app
import consumer.cli.service
import consumer.kafka.owner
from consumer.cli import main
from consumer.endpoints.outcome import Delivered, Outcome
from consumer.kafka import letters
from consumer.kafka.commits import Commits
from consumer.kafka.letters import Letter, LetterWriter
from consumer.ledger import sqlite_partitions
from consumer.ledger.ledger import Held, Intent, KeyState, Ledger, Reservation
from consumer.ledger.open import open_ledger
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_schema import CONFIRMED
from consumer.pipeline.batch import Batch
from consumer.pipeline.send import Post
from consumer.types import Assigned, Origin, TopicPartition
from tests.faults.crash import Crash
from tests.faults.crash_point import CRASH_AT, Point

_ON_ITS_WAY_S = 0.02
"""How long a request has left when its sender is killed: the receiver answers later than that."""


class CrashingLedger:
    """A ledger, whichever it is, with points around its calls."""

    def __init__(self, ledger: Ledger, crash: Crash) -> None:
        self._ledger = ledger
        self._crash = crash
        self.open = ledger.open
        self.close = ledger.close
        self.starts = ledger.starts
        self.mapped_by = ledger.mapped_by
        self.venture = ledger.venture
        self.watch = ledger.watch

    @property
    def advice(self) -> Sequence[str]:
        return self._ledger.advice

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        assigned = await self._ledger.assign(partitions)
        await self._crash.here(Point.ASSIGN)
        return assigned

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        await self._crash.here(Point.READ)
        reservation = await self._ledger.reserve(intents)
        await self._crash.here(Point.RESERVE)
        return reservation

    async def confirm(self, intents: Sequence[Intent]) -> None:
        await self._ledger.confirm(intents)
        self._crash.unconfirmed -= len(intents)
        # Others wait for this call to return: what they have under way stays so.
        await self._crash.here(Point.CONFIRM, quiet=False)

    async def release(self, held: Sequence[Held]) -> None:
        await self._ledger.release(held)
        await self._crash.here(Point.RELEASE)

    async def bury(self, held: Sequence[Held]) -> None:
        await self._ledger.bury(held)
        self._crash.letters -= len(held)
        await self._crash.here(Point.BURY)

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        return await self._ledger.states(intents)

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._crash.here(Point.SETTLE, linger=True)
        await self._ledger.advance(positions)
        await self._crash.here(Point.ADVANCE)


class CrashingPost(Post):
    """A sender with points around each attempt."""

    crash: Crash

    async def send(self, batch: Batch) -> Outcome:
        await self.crash.may_go_out()
        items = len(batch.members)
        self.crash.unconfirmed += items
        sending = asyncio.ensure_future(super().send(batch))
        await asyncio.wait({sending}, timeout=_ON_ITS_WAY_S)
        if not sending.done():
            await self.crash.here(Point.WIRE, items=items, quiet=False)
        outcome = await sending
        if isinstance(outcome, Delivered):
            await self.crash.here(Point.ACKNOWLEDGE, items=items)
        else:
            self.crash.unconfirmed -= items
        return outcome


class CrashingWriter(LetterWriter):
    """A writer of dead letters with points around each."""

    crash: Crash

    async def write(self, letters: Sequence[Letter]) -> list[letters.Outcome]:
        await self.crash.may_go_out()
        await self.crash.here(Point.REFUSE)
        mine = sum(_is_of_a_delivery(one) for one in letters)
        self.crash.letters += mine
        writing = asyncio.ensure_future(super().write(letters))
        await asyncio.sleep(0)  # The producer has it now.
        if mine:
            await self.crash.here(Point.LETTER, letters=mine, quiet=False)
        outcomes = await writing
        if mine:
            await self.crash.here(Point.WRITTEN, letters=mine)
        return outcomes


class CrashingCommits(Commits):
    """Commits with points around them. All but the callback run in the owner's thread, for which nobody waits."""

    crash: Crash

    def start(self, client: Consumer, offsets: Mapping[TopicPartition, int]) -> None:
        super().start(client, offsets)
        self.crash.here_in_a_thread(Point.COMMIT, quiet=False)

    def wait(self, client: Consumer, offsets: Mapping[TopicPartition, int]) -> None:
        self.crash.here_in_a_thread(Point.START)
        if offsets:
            self.crash.here_in_a_thread(Point.DRAIN)
        super().wait(client, offsets)
        if offsets:
            self.crash.here_in_a_thread(Point.LEAVE)

    def on_commit(self, error: KafkaError | None, partitions: list[KafkaPartition]) -> None:
        self.crash.here_in_a_thread(Point.COMMITTED)
        super().on_commit(error, partitions)


def _is_of_a_delivery(letter: Letter) -> bool:
    return any(name == "distinct-consumer.destination" for name, _ in letter.headers)


def _wrap_transaction(module: Any, name: str, point: Point, crash: Crash) -> None:
    """Within the ledger's thread, for which others wait: nothing can come home."""
    real: Callable[..., Any] = getattr(module, name)

    @wraps(real)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        crash.here_in_a_thread(point, quiet=False, linger=True)
        return result

    setattr(module, name, wrapped)


def _crash_within_confirmations(crash: Crash) -> None:
    """When the first reservation of those that it confirms ends, which comes last. A call may be one statement, within
    which nothing of ours runs but this."""
    tune = SqliteFile._tune

    def tuned(self: SqliteFile, connection: sqlite3.Connection) -> None:
        tune(self, connection)
        pass_by = partial(crash.here_in_a_thread, Point.CONFIRM_WRITTEN, quiet=False, linger=True)
        connection.create_function("pass_by", 0, pass_by)
        connection.execute(
            f"""
            CREATE TEMP TRIGGER confirming_written AFTER DELETE ON reservations
            WHEN EXISTS (SELECT 1 FROM settled WHERE slot = old.slot AND state = {CONFIRMED})
            BEGIN SELECT pass_by(); END"""
        )

    SqliteFile._tune = tuned  # type: ignore[method-assign]


def install(crash: Crash) -> None:
    """Wrap what the consumer is made of, in this process."""
    CrashingPost.crash = CrashingWriter.crash = CrashingCommits.crash = crash
    replacements: Mapping[tuple[Any, str], Any] = {
        (consumer.cli.service, "open_ledger"): lambda *given: CrashingLedger(open_ledger(*given), crash),
        (consumer.app, "Post"): CrashingPost,
        (consumer.app, "LetterWriter"): CrashingWriter,
        (consumer.kafka.owner, "Commits"): CrashingCommits,
    }
    for (module, name), replacement in replacements.items():
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, replacement)
    _crash_within_confirmations(crash)
    _wrap_transaction(sqlite_partitions, "advance", Point.ADVANCE_WRITTEN, crash)


if __name__ == "__main__":
    name, _, passing = os.environ[CRASH_AT].rpartition(",")
    install(Crash(Point(name), int(passing)))
    main()
