"""What is written ahead moves into the file beside the writer, and the log stays bounded."""

import os
import threading
import time
from pathlib import Path

import pytest

from consumer.ledger import sqlite_file
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_file import SqliteFile

ROWS = 1_000


def write(file: SqliteFile) -> None:
    """One transaction, all over the tree."""
    with file.transaction(writes=True, durable=False) as connection:
        connection.executemany(
            "INSERT INTO settled VALUES (?, 2, 1, 1, 1, 1)", [(os.urandom(16),) for _ in range(ROWS)]
        )


def moved_bytes(tmp_path: Path) -> int:
    return (tmp_path / "ledger.db").stat().st_size


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "checkpoints"]


def test_what_is_written_ahead_moves_into_the_file_before_a_commit_has_to(
    file: SqliteFile, tmp_path: Path
) -> None:
    before = moved_bytes(tmp_path)
    for _ in range(8):
        write(file)

    limit_s = time.monotonic() + 10.0
    while moved_bytes(tmp_path) - before < 5 * ROWS * 30:
        assert time.monotonic() < limit_s
        time.sleep(0.01)
    ahead = (tmp_path / "ledger.db-wal").stat().st_size
    assert ahead < sqlite_file._AHEAD_BYTES, "no commit was the one that did it"


def test_the_log_begins_again_though_somebody_writes_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_AHEAD_BYTES", 512 * 1024)
    file = SqliteFile(tmp_path / "ledger.db", LedgerPolicy(reservation_age_s=60.0))
    file.open()
    largest, written = 0, 0
    for _ in range(80):
        write(file)
        largest = max(largest, (tmp_path / "ledger.db-wal").stat().st_size)
        written += ROWS * 1_000
    file.close()

    assert largest < written / 8, "a page is moved once, and its place in the log is used again"


def test_the_thread_ends_with_the_file_and_begins_with_the_next(file: SqliteFile) -> None:
    assert threads() == ["checkpoints"]
    file.close()
    assert threads() == []
    write(file)
    assert threads() == ["checkpoints"]


def test_a_file_that_goes_away_is_its_writers_trouble(file: SqliteFile, tmp_path: Path) -> None:
    for one in tmp_path.glob("ledger.db*"):
        one.unlink()
    assert file._checkpoints is not None

    file._checkpoints.committed(10**9)
    time.sleep(0.05)

    assert threads() == ["checkpoints"]
    assert not (tmp_path / "ledger.db").exists(), "it makes no file of its own"
