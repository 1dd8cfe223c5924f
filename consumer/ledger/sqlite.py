"""The ledger in a SQLite file: for one host, also for several processes on it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from consumer.clock import Clock
from consumer.core.claims import KeyState
from consumer.ledger import sqlite_partitions, sqlite_settle
from consumer.ledger.ledger import Held, Intent, Reservation
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_at_once import confirm_at_once, reserve_at_once
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_reserve import reserve
from consumer.ledger.sqlite_store import Operation, SqliteStore
from consumer.ledger.sqlite_worker import GroupCommit
from consumer.types import Assigned, Origin, TopicPartition


class SqliteLedger:
    """See `Ledger`. Its calls wait for the worker's thread; those that wait together share one transaction.

    A reservation is visible to other processes when it is answered, and not durable: what a crash of the
    machine loses of it would be sent again anyway. All that says something has happened is durable.
    """

    def __init__(self, path: Path, group: str, policy: LedgerPolicy, clock: Clock) -> None:
        self._clock = clock
        store = SqliteStore(SqliteFile(path, policy), group, policy, clock)
        self._worker = GroupCommit(store, idle_s=policy.lease_s / 3)

    @property
    def advice(self) -> Sequence[str]:
        return ()

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """A file that is gone, or another one, fails closed."""

    async def open(self) -> None:
        """As `Ledger.open`; creates the file where there is none.

        Raises LedgerUnavailable, or ConfigurationError where the file is not a ledger of this release.
        """
        await self._worker.start()

    async def close(self) -> None:
        await self._worker.stop()

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        work = partial(sqlite_partitions.assign, partitions=partitions, wall_s=self._clock.wall_s())
        return cast(Mapping[TopicPartition, Assigned], await self._worker.call(Operation(work)))

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        work = partial(sqlite_partitions.starts, topic=topic, chosen=chosen)
        return cast(Mapping[int, int], await self._worker.call(Operation(work)))

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._worker.call(Operation(partial(sqlite_partitions.advance, positions=positions)))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        work = partial(sqlite_partitions.venture, horizons=horizons)
        await self._worker.call(Operation(work, durable=False))

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        work = partial(reserve, intents=intents)
        at_once = partial(reserve_at_once, intents=intents)
        operation = Operation(work, durable=False, weight=len(intents), at_once=at_once)
        return cast(Reservation, await self._worker.call(operation))

    async def confirm(self, intents: Sequence[Intent]) -> None:
        work = partial(sqlite_settle.confirm, intents=intents)
        at_once = partial(confirm_at_once, intents=intents)
        await self._worker.call(Operation(work, weight=len(intents), at_once=at_once))

    async def release(self, held: Sequence[Held]) -> None:
        work = partial(sqlite_settle.release, held=held)
        await self._worker.call(Operation(work, durable=False, weight=len(held)))

    async def bury(self, held: Sequence[Held]) -> None:
        await self._worker.call(Operation(partial(sqlite_settle.bury, held=held), weight=len(held)))

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        work = partial(sqlite_settle.states, intents=intents)
        answer = await self._worker.call(Operation(work, writes=False, durable=False, weight=len(intents)))
        return cast(Sequence[tuple[KeyState, Origin | None]], answer)

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        work = partial(sqlite_settle.mapped_by, intents=intents)
        answer = await self._worker.call(Operation(work, writes=False, durable=False, weight=len(intents)))
        return cast(Sequence[str | None], answer)
