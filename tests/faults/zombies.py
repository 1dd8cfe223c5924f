"""Consumers that stop working without ending."""

import signal
import sqlite3
import time
from contextlib import closing

from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage

_TRIES = 50
_LOCKED_S = 0.5


def freeze(stage: Stage, consumer: ConsumerProcess) -> None:
    """SIGSTOP, remembered for the checker as a kill is; not in the middle of a transaction of the ledger's file, whose
    lock would stop everybody: that is another fault."""
    for _ in range(_TRIES):
        at_ms = time.time_ns() // 1_000_000
        consumer.signal(signal.SIGSTOP)
        if not _is_locked(stage):
            stage.kills_ms.append(at_ms)
            return
        consumer.signal(signal.SIGCONT)
        time.sleep(0.05)
    raise RuntimeError("it always held the lock of the ledger")


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
