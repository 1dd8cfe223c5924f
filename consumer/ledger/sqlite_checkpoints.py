"""Moves what was written ahead into the ledger's file, from a thread of its own, while the ledger's thread goes on."""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

_CHANGES = 6_000
"""After so many changed rows: some 2,000 records, and as many pages where the ledger is large."""


class Checkpoints:
    """Of one open connection: ends before it. Only helps: what it does not manage, SQLite does with a commit that finds
    too much written ahead.

    With millions of keys each record changes a page of its own, and moving a page costs as much as writing it ahead.
    Never blocks who reads or writes (a PASSIVE checkpoint), and one process at a time does it.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file once more, here and now: what takes its place later is not touched. Raises sqlite3.Error."""
        self._connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=0.0,
            isolation_level=None,
            check_same_thread=False,
        )
        self._due = threading.Event()
        self._stopping = False
        self._seen = 0
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committed(self, changes: int) -> None:
        """A transaction is through; so many rows the connection has changed in all."""
        if changes - self._seen >= _CHANGES:
            self._seen = changes
            self._due.set()

    def stop(self) -> None:
        """End the thread; waits for the checkpoint that is under way, for some tenths of a second at most."""
        self._stopping = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._stopping:
                break
            # What is wrong with the file, the ledger's thread meets too, and says so.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        with suppress(sqlite3.Error):
            self._connection.close()
