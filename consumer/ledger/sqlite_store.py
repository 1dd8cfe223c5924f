"""The ledger file and its operations, run in groups, a transaction each. Belongs to the worker's thread."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from consumer.clock import Clock
from consumer.errors import LedgerUnavailable
from consumer.ledger.owner import Owner, boot_id
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_at_once import AtOnce
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_sweep import Sweep
from consumer.ledger.sqlite_tables import Tables


class Operation(msgspec.Struct, frozen=True):
    """One call of the ledger: what it does in a transaction, and what the transaction must be for it.

    `durable`: on the disk before it is answered; else visible to other processes is enough. `weight`: its
    rows.
    """

    run: Callable[[Tables], Any]
    writes: bool = True
    durable: bool = True
    weight: int = 1
    at_once: Callable[[Tables], AtOnce | None] | None = None
    """The same as a statement of its own, where that may do."""


class SqliteStore:
    """Runs operations, keeps the lease, sweeps. Every call may block for the disk and for other processes."""

    def __init__(self, file: SqliteFile, group: str, policy: LedgerPolicy, clock: Clock) -> None:
        self._file = file
        self._group = group
        self._policy = policy
        self._clock = clock
        self._owner = Owner(policy.lease_s)
        self._sweep = Sweep(policy)
        self._boot = ""
        self._tables: Tables | None = None

    def open(self) -> None:
        """Open the file and register this process as an owner. Raises as `SqliteFile.open`."""
        self._boot = boot_id()
        self._file.open()
        self._beat()

    def close(self) -> None:
        """Close the file.

        The owner's row stays and lapses by itself: a request may still be on the wire, and whoever meets its
        reservation shall wait as if we had crashed.
        """
        self._file.close()

    def run(self, operations: Sequence[Operation]) -> list[Any]:
        """Run operations one after the other in one transaction; give each one's result, or its exception.

        When the store fails, all have failed, each with LedgerUnavailable: the transaction was undone.
        When one operation fails by itself, that is its own affair: the others run again without it.
        """
        writes = any(operation.writes for operation in operations)
        durable = any(operation.durable for operation in operations)
        try:
            if len(operations) == 1 and (done := self._at_once(operations[0])) is not None:
                return [done.result]
            with self._transaction(writes=writes, durable=durable) as tables:
                return [operation.run(tables) for operation in operations]
        except LedgerUnavailable as error:
            # One each: a traceback grows on whoever raises it.
            return [LedgerUnavailable(str(error)) for _ in operations]
        except Exception as error:
            if len(operations) == 1:
                return [error]
            return [result for operation in operations for result in self.run([operation])]

    def _at_once(self, operation: Operation) -> AtOnce | None:
        """None where it has to go the long way: then nothing was done."""
        tables, now_ms = self._tables, self._now_ms()
        if operation.at_once is None or tables is None or self._owner.due(now_ms):
            return None
        tables.begin(now_ms, int(self._clock.wall_s()))
        asked = operation.at_once(tables)
        if asked is None:
            return None
        done = self._file.at_once(tables.connection, asked.statement, asked.row, durable=operation.durable)
        return asked if done else None

    def tick(self) -> None:
        """Beat, although no call may have come, and sweep. Raises LedgerUnavailable."""
        self._beat()
        for _ in range(self._sweep.owed(self._now_ms())):
            with self._transaction(writes=True, durable=False) as tables:
                self._sweep.step(tables.connection, tables.now_s)

    def _beat(self) -> None:
        self._owner.forget()
        with self._transaction(writes=True, durable=False) as tables:
            self._sweep.forget_owners(tables.connection, self._boot, tables.now_ms)

    @contextmanager
    def _transaction(self, *, writes: bool, durable: bool) -> Iterator[Tables]:
        try:
            with self._file.transaction(writes=writes, durable=durable) as connection:
                tables = self._tables
                if tables is None or tables.connection is not connection:
                    tables = self._tables = Tables(connection, self._group, self._policy, self._boot)
                tables.begin(self._now_ms(), int(self._clock.wall_s()))
                if writes and self._owner.due(tables.now_ms):
                    tables.beat(self._owner)
                tables.owner_id = self._owner.id
                yield tables
        except BaseException:
            # Undone: numbers that were given out and the last heartbeat may be gone.
            self._tables = None
            self._owner.forget()
            raise

    def _now_ms(self) -> int:
        return int(self._clock.monotonic_s() * 1000)
