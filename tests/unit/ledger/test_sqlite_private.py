"""Who may read a ledger file."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_file import SqliteFile


@pytest.fixture
def open_umask() -> Iterator[None]:
    """One that takes nothing away, as in some containers."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def written(path: Path) -> dict[str, int]:
    """The modes of all files while a ledger is open and has been written to."""
    file = SqliteFile(path, LedgerPolicy(60.0))
    file.open()
    try:
        with file.transaction(writes=True, durable=True) as connection:
            connection.execute("INSERT OR IGNORE INTO topologies (version) VALUES ('x')")
        return modes(path.parent)
    finally:
        file.close()


@pytest.mark.usefixtures("open_umask")
def test_a_new_ledger_and_all_its_files_are_its_owners_alone(tmp_path: Path) -> None:
    found = written(tmp_path / "ledger.db")

    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm"} <= found.keys()
    assert set(found.values()) == {0o600}


@pytest.mark.usefixtures("open_umask")
def test_a_ledger_that_an_operator_opened_to_a_group_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    written(path)
    path.chmod(0o660)

    assert written(path)["ledger.db"] == 0o660
