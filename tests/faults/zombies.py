"""Consumers that stop working without ending."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

_TRIES = 50
_LOCKED_S = 0.5


def freeze(stage: Stage, consumer: ConsumerProcess) -> None:
    """SIGSTOP, remembered for the checker as a kill is; not in the middle of a transaction of the ledger's file, whose
    lock would stop everybody: that is another fault."""
    _freeze(stage, consumer, lambda: consumer.signal(signal.SIGSTOP))


def freeze_at_a_request(stage: Stage, consumer: ConsumerProcess, file: Path) -> None:
    """As `freeze`, of one that runs `freezing` with this file: it stops before the first byte of its next request."""
    _freeze(stage, consumer, file.touch)
    file.unlink()


def _freeze(stage: Stage, consumer: ConsumerProcess, stop: Callable[[], None]) -> None:
    for _ in range(_TRIES):
        at_ms = time.time_ns() // 1_000_000
        stop()
        _wait_until_stopped(consumer.pid)
        if not _is_locked(stage):
            stage.kills_ms.append(at_ms)
            return
        consumer.signal(signal.SIGCONT)
        time.sleep(0.05)
    raise RuntimeError("it always held the lock of the ledger")


def _wait_until_stopped(pid: int) -> None:
    """A thread that is in the kernel at the signal may get a lock before it stops."""
    deadline_s = time.monotonic() + 10.0
    while any(_state(task) not in "TZX" for task in Path(f"/proc/{pid}/task").iterdir()):
        if time.monotonic() > deadline_s:
            raise RuntimeError("it does not stop")
        time.sleep(0.005)


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def thaw(consumer: ConsumerProcess) -> None:
    """SIGCONT."""
    consumer.signal(signal.SIGCONT)


def _is_locked(stage: Stage) -> bool:
    with closing(
        sqlite3.connect(stage.folder / "ledger.db", timeout=_LOCKED_S, isolation_level=None)
    ) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        file.execute("ROLLBACK")
    return False
