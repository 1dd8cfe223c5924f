"""SQLite's errors, said so that an operator knows what to do."""

import sqlite3

_LOCKED = "another process has it locked for too long: find it (fuser, lsof) and end it"
_NOT_WRITABLE = (
    "it can't be written: give this user write permission to the file and its folder, "
    "on a disk that is not mounted read-only"
)

_ADVICE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": "the disk, its quota or the ledger's size limit is full: make room",
    "SQLITE_READONLY": _NOT_WRITABLE,
    "SQLITE_PERM": _NOT_WRITABLE,
    "SQLITE_CANTOPEN": (
        "it can't be opened: see that its folder exists, that this user may write there, "
        "and that the disk is not mounted read-only"
    ),
    "SQLITE_CORRUPT": "it is damaged: stop the consumer, move the file away and accept a new ledger",
    "SQLITE_NOTADB": "it is damaged or no ledger: stop the consumer, move the file away or name another one",
    "SQLITE_IOERR": "reading or writing failed: see the system's log and the disk's health",
}

_PASSING = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL"})
"""After these the connection is as good as before."""


def advice(error: sqlite3.Error) -> str:
    """What is the matter and what to do, with SQLite's own name for it."""
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return f"{_ADVICE.get(_primary(name), 'it does not answer')} ({name})"


def passing(error: sqlite3.Error) -> bool:
    """Whether the open file can be used again; else it has to be opened anew."""
    return _primary(getattr(error, "sqlite_errorname", None) or "") in _PASSING


def _primary(name: str) -> str:
    """SQLITE_IOERR of SQLITE_IOERR_FSYNC."""
    return "_".join(name.split("_")[:2])
