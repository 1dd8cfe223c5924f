"""What a transaction of a ledger file promises, and how a failure is said."""

import sqlite3
from collections.abc import Callable

import pytest

from consumer.errors import LedgerUnavailable
from consumer.ledger.sqlite_errors import advice, passing
from consumer.ledger.sqlite_file import SqliteFile

FULL, NORMAL = 2, 1


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_is_durable_is_on_the_disk_at_commit_and_what_is_not_needs_no_such_wait(
    file: SqliteFile,
) -> None:
    for durable, level in ((True, FULL), (False, NORMAL), (True, FULL)):
        with file.transaction(writes=True, durable=durable) as connection:
            assert pragma(connection, "synchronous") == level
            assert pragma(connection, "journal_mode") == "wal"


def write_an_owner_and(file: SqliteFile, then: Callable[[sqlite3.Connection], object]) -> None:
    with file.transaction(writes=True, durable=True) as connection:
        connection.execute("INSERT INTO owners VALUES (1, 'boot', 1, 1)")
        then(connection)


def owners(file: SqliteFile) -> int:
    with file.transaction(writes=True, durable=False) as connection:
        return int(connection.execute("SELECT count(*) FROM owners").fetchone()[0])


def test_a_block_that_fails_is_undone_and_its_exception_passes(file: SqliteFile) -> None:
    with pytest.raises(ZeroDivisionError):
        write_an_owner_and(file, lambda _: 1 // 0)
    assert owners(file) == 0


def test_a_statement_that_fails_undoes_its_transaction_and_the_next_one_works(file: SqliteFile) -> None:
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        write_an_owner_and(file, lambda connection: connection.execute("INSERT INTO nothing VALUES (1)"))
    assert owners(file) == 0
    write_an_owner_and(file, lambda _: None)
    assert owners(file) == 1


def error(name: str) -> sqlite3.Error:
    made = sqlite3.OperationalError("text that nobody should need")
    made.sqlite_errorname = name
    return made


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("SQLITE_BUSY", "locked"),
        ("SQLITE_BUSY_SNAPSHOT", "locked"),
        ("SQLITE_FULL", "full: make room"),
        ("SQLITE_READONLY_DIRECTORY", "write permission"),
        ("SQLITE_CANTOPEN_ISDIR", "folder exists"),
        ("SQLITE_CORRUPT_INDEX", "damaged"),
        ("SQLITE_NOTADB", "damaged or no ledger"),
        ("SQLITE_IOERR_FSYNC", "disk's health"),
        ("SQLITE_MISUSE", "does not answer"),
    ],
)
def test_every_failure_says_what_to_do_and_sqlites_name_for_it(name: str, says: str) -> None:
    assert says in advice(error(name))
    assert name in advice(error(name))


def test_a_misused_connection_is_a_failure_without_a_name() -> None:
    assert "ProgrammingError" in advice(sqlite3.ProgrammingError("closed"))


def test_only_a_lock_and_a_full_disk_leave_the_connection_good() -> None:
    assert passing(error("SQLITE_BUSY"))
    assert passing(error("SQLITE_FULL"))
    assert not passing(error("SQLITE_CORRUPT"))
    assert not passing(error("SQLITE_IOERR_WRITE"))
    assert not passing(sqlite3.ProgrammingError("closed"))
