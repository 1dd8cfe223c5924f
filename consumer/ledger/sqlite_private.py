"""A new ledger file that its owner alone may read: SQLite itself would ask the umask."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def create_private(path: Path) -> None:
    """Create an empty file with mode 0600 where there is none; one that is there keeps the mode that it was given.

    SQLite gives its -wal and -shm files the mode of the file. Blocks shortly. What cannot be created here, SQLite will
    say better. The file is never opened under its name: closing it would take away the locks that another connection
    of this process may have by then.
    """
    if path.exists():
        return
    with suppress(OSError):
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600 by itself
        os.close(handle)
        try:
            os.link(made, path)
        finally:
            os.unlink(made)
