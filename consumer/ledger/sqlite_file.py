"""One open ledger file: the right one, still there, and each transaction done whole or not at all."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger import sqlite_schema
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_at_once import LONG_WAY, TRIGGERS
from consumer.ledger.sqlite_checkpoints import Checkpoints
from consumer.ledger.sqlite_errors import advice, passing
from consumer.ledger.sqlite_private import create_private
from consumer.ledger.sqlite_turn import Turn

_CACHE_KIB = 32 * 1024
_AHEAD_BYTES = 16 * 1024 * 1024
"""How much is written ahead before a commit itself moves it into the file: what `Checkpoints` has left of it. Only then
does the log begin again at its start."""

_LOOK_AGAIN_S = 0.0005


class SqliteFile:
    """Belongs to one thread; every call may block, for `busy_timeout_s` and the disk.

    After a failure that the connection does not survive, the next transaction opens the file again; it
    does so only while the same ledger stands at its path. A new or another one needs a restart, because
    only an assignment compares the ledger with the broker.
    """

    def __init__(self, path: Path, policy: LedgerPolicy) -> None:
        self._path = path.absolute()
        self._policy = policy
        self._turn = Turn(path)
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._ledger_id: str | None = None
        self._durable: bool | None = None
        self._sqlite_waits = True
        self._checkpoints: Checkpoints | None = None

    def open(self) -> None:
        """Open the file, and create it where there is none.

        Raises LedgerUnavailable where it can't be opened, ConfigurationError where it is no ledger that this
        release understands.
        """
        self._ledger_id = None
        create_private(self._path)
        try:
            self._connect("rwc")
        except sqlite3.Error as error:
            self.close()
            raise self._unavailable(advice(error)) from error

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._checkpoints is not None:
            self._checkpoints.stop()
            self._checkpoints = None
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        self._turn.close()

    @contextmanager
    def transaction(self, *, writes: bool, durable: bool) -> Iterator[sqlite3.Connection]:
        """One transaction: committed, and on the disk if `durable`, when the block is left.

        Raises LedgerUnavailable, with nothing done, where SQLite fails; an exception of the block itself
        undoes what it did. A crash of the process loses nothing that was committed; one of the machine
        may lose what was not durable.
        """
        try:
            connection = self._ready()
            self._make(connection, durable=durable)
            self._begin(connection, writes=writes)
            yield connection
            connection.execute("COMMIT")
            if writes and self._checkpoints is not None:
                self._checkpoints.committed(connection.total_changes)
        except sqlite3.Error as error:
            self._roll_back()
            raise self._failed(error) from error
        except BaseException:
            self._roll_back()
            raise

    def at_once(
        self, connection: sqlite3.Connection, statement: str, row: tuple[object, ...], *, durable: bool
    ) -> bool:
        """A statement of `sqlite_at_once` as a transaction of its own, on the connection that it was made for.

        False, with nothing done, where it says that the call has to go the long way, or the connection is another one
        by now. Raises as `transaction`.
        """
        try:
            if self._ready() is not connection:
                return False
            self._make(connection, durable=durable)
            self._let_sqlite_wait(connection, False)
            self._turn.take()
            try:
                self._insist(connection, statement, row)
            finally:
                self._turn.give()
            if self._checkpoints is not None:
                self._checkpoints.committed(connection.total_changes)
            return True
        except sqlite3.Error as error:
            if str(error) == LONG_WAY:
                return False
            self._roll_back()
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> LedgerUnavailable:
        if not passing(error):
            self.close()
        return self._unavailable(advice(error))

    def _make(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        """Make the next commit durable, or only visible."""
        if durable != self._durable:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _begin(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        self._let_sqlite_wait(connection, not writes)
        if not writes:
            connection.execute("BEGIN")
            return
        self._turn.take()
        try:
            self._insist(connection, "BEGIN IMMEDIATE")
        finally:
            self._turn.give()

    def _insist(self, connection: sqlite3.Connection, statement: str, row: tuple[object, ...] = ()) -> None:
        """Execute what begins to write. Looks oftener than SQLite would: others wait behind us for their turn."""
        deadline_s = time.monotonic() + self._policy.busy_timeout_s
        while True:
            try:
                connection.execute(statement, row)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() >= deadline_s:
                    raise
            time.sleep(_LOOK_AGAIN_S)

    def _let_sqlite_wait(self, connection: sqlite3.Connection, waits: bool) -> None:
        if waits != self._sqlite_waits:
            busy_ms = int(self._policy.busy_timeout_s * 1000) if waits else 0
            connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
            self._sqlite_waits = waits

    def _ready(self) -> sqlite3.Connection:
        """The open connection, once it is certain that it is the file at the path that it writes to."""
        try:
            here = self._path.stat()
        except OSError as error:
            self.close()
            raise self._unavailable(
                "the file is gone: put it back, or restart the consumer and accept a new ledger"
            ) from error
        if self._connection is None or self._inode != (here.st_dev, here.st_ino):
            self.close()
            self._connect("rw")
        assert self._connection is not None
        return self._connection

    def _connect(self, mode: str) -> None:
        uri = f"file:{quote(os.fspath(self._path))}?mode={mode}"
        busy_s = self._policy.busy_timeout_s
        connection = sqlite3.connect(
            uri, uri=True, timeout=busy_s, isolation_level=None, cached_statements=256
        )
        self._connection, self._durable, self._sqlite_waits = connection, None, True
        found = sqlite_schema.format_of(connection)
        if found == 0 and mode == "rwc":
            sqlite_schema.create(connection, busy_s)
            found = sqlite_schema.format_of(connection)
        self._check_format(found)
        self._tune(connection)
        sqlite_schema.complete(connection)
        self._check_identity(connection)
        self._checkpoints = Checkpoints(self._path)

    def _check_format(self, found: int | None) -> None:
        if found is None:
            self._refuse("it is an SQLite file of another program: name another file in LEDGER_URL")
        elif found == 0:
            self.close()
            raise self._unavailable("the file was emptied: restart the consumer and accept a new ledger")
        elif found > sqlite_schema.FORMAT:
            self._refuse(
                f"it has format {found}, written by a newer release; this one reads up to format "
                f"{sqlite_schema.FORMAT}: run the newer release, or name another file in LEDGER_URL"
            )

    def _refuse(self, why: str) -> None:
        self.close()
        if self._ledger_id is not None:
            raise self._unavailable(f"another file stands in its place, and {why}")
        raise ConfigurationError([f"ledger {self._path}: {why}"])

    def _tune(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # What a statement may have to undo, and what it looks up in, would go through files otherwise.
        connection.execute("PRAGMA temp_store = MEMORY")
        # Rows are digests and numbers: overwriting what is deleted would only cost time.
        connection.execute("PRAGMA secure_delete = OFF")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA wal_autocheckpoint = {_AHEAD_BYTES // page_bytes}")
        connection.execute(f"PRAGMA journal_size_limit = {_AHEAD_BYTES}")
        for trigger in TRIGGERS:
            connection.execute(trigger)
        if self._policy.max_bytes is not None:
            connection.execute(f"PRAGMA max_page_count = {max(1, self._policy.max_bytes // page_bytes)}")

    def _check_identity(self, connection: sqlite3.Connection) -> None:
        (ledger_id,) = connection.execute("SELECT id FROM ledger").fetchone()
        if self._ledger_id is None:
            self._ledger_id = ledger_id
        elif ledger_id != self._ledger_id:
            self.close()
            raise self._unavailable(
                "another ledger stands in its place: restart the consumer to use that one"
            )
        here = self._path.stat()
        self._inode = (here.st_dev, here.st_ino)

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self.close()

    def _unavailable(self, why: str) -> LedgerUnavailable:
        return LedgerUnavailable(f"ledger {self._path}: {why}")
