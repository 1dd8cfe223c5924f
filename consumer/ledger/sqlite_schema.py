"""The tables of a ledger file, and their version.

Reservations are few and short-lived, so they have a table of their own: what a reserve writes are a few
pages, not one page a key. What has arrived lies in `settled`, whose rows are what a ledger's size is made
of: about 35 bytes each. Keys and scopes are digests, so rows are found by their primary key alone
(WITHOUT ROWID). Times of leases are of the monotonic clock and mean something in one boot only; times of
keeping are of the calendar, in seconds since 1970.
"""

import sqlite3
import time
from uuid import uuid4

APPLICATION_ID = 0x44434C47
"""What `file` and `PRAGMA application_id` tell a ledger by."""

FORMAT = 1
"""The version this release writes. It reads this and the one before, if there was one."""

PAGE_BYTES = 2048
"""Digests hit pages at random, and each page hit is written whole, so that small pages write less. With a
million keys 2 KiB take about a fifth less time than 4 KiB; 1 KiB gains nothing more."""

CONFIRMED, DEAD_LETTERED = 2, 3
"""The states of a row of `settled`."""

_TABLES = (
    # One row: which ledger this is. Another file in its place is another ledger.
    "CREATE TABLE ledger (id TEXT NOT NULL)",
    # Topic, partition and route as one small number.
    """CREATE TABLE sources (
        id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, route TEXT NOT NULL,
        UNIQUE (topic, partition, route))""",
    # A topology's version as one small number.
    "CREATE TABLE topologies (id INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE)",
    """CREATE TABLE settled (
        slot BLOB PRIMARY KEY, state INTEGER NOT NULL, source INTEGER NOT NULL, offset INTEGER NOT NULL,
        written_s INTEGER NOT NULL, topology INTEGER NOT NULL) WITHOUT ROWID""",
    # Every dead letter: the row of `settled` names only the last one of its slot.
    """CREATE TABLE letters (
        slot BLOB NOT NULL, source INTEGER NOT NULL, offset INTEGER NOT NULL, written_s INTEGER NOT NULL,
        PRIMARY KEY (slot, source, offset)) WITHOUT ROWID""",
    """CREATE TABLE windows (
        scope BLOB NOT NULL, at_ms INTEGER NOT NULL, source INTEGER NOT NULL, offset INTEGER NOT NULL,
        expires_s INTEGER NOT NULL, PRIMARY KEY (scope, at_ms, source, offset)) WITHOUT ROWID""",
    # Key and window in one row, so that they can't come apart.
    """CREATE TABLE reservations (
        slot BLOB PRIMARY KEY, source INTEGER NOT NULL, offset INTEGER NOT NULL, token INTEGER NOT NULL,
        owner INTEGER NOT NULL, expires_ms INTEGER NOT NULL, scope BLOB, at_ms INTEGER) WITHOUT ROWID""",
    "CREATE INDEX reserved_windows ON reservations (scope, at_ms) WHERE scope IS NOT NULL",
    """CREATE TABLE owners (
        id INTEGER PRIMARY KEY, boot TEXT NOT NULL, beat_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL)""",
    """CREATE TABLE partitions (
        consumer_group TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        epoch INTEGER, position INTEGER, start INTEGER,
        PRIMARY KEY (consumer_group, topic, partition)) WITHOUT ROWID""",
)

_LATER_TABLES = (
    # Beside `partitions` and not in it, so that a file of a release before gets it without a new format, and that
    # release still reads the file.
    """CREATE TABLE IF NOT EXISTS horizons (
        consumer_group TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, horizon INTEGER NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition)) WITHOUT ROWID""",
)


def format_of(connection: sqlite3.Connection) -> int | None:
    """The ledger format of the open file: 0 where it is still empty, None where it is not a ledger."""
    # In this order: another process may make the file a ledger between two of these.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID:
        return int(version)
    return 0 if application == 0 and tables == 0 else None


def create(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Make an empty file a ledger; several processes may do so at once. Waits up to `timeout_s` for them."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    _use_wal(connection, timeout_s)
    connection.execute("BEGIN IMMEDIATE")
    if format_of(connection) == 0:
        for table in _TABLES:
            connection.execute(table)
        connection.execute("INSERT INTO ledger VALUES (?)", (uuid4().hex,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def complete(connection: sqlite3.Connection) -> None:
    """Add the tables that a file of a release before lacks. Writes nothing where none is missing."""
    for table in _LATER_TABLES:
        connection.execute(table)


def _use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The switch takes an exclusive lock that the busy timeout does not wait for.
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
