"""An open ledger file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_file import SqliteFile


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    file = SqliteFile(tmp_path / "ledger.db", LedgerPolicy(reservation_age_s=60.0))
    file.open()
    yield file
    file.close()
