"""Looks at a group's committed offsets while the group works, by a client of its own."""

import threading
import time
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from tests.checker.committed import CommittedOffsets
from tests.checker.evidence import Commit

_INTERVAL_S = 0.02


class CommitWatch:
    """A thread that asks the broker again and again and keeps every change that it sees."""

    def __init__(self, bootstrap_servers: str, group: str, topic: str) -> None:
        self._offsets = CommittedOffsets(bootstrap_servers, group, topic)
        self._changes: list[Commit] = []
        self._standing: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commit-watch", daemon=True)
        self.looks = 0
        """How often the broker answered."""

    @property
    def standing(self) -> dict[int, int]:
        """The committed offsets as last seen, by partition."""
        return dict(self._standing)

    @property
    def commits(self) -> list[Commit]:
        """The changes seen so far, each with the time by which it stood."""
        return list(self._changes)

    def close(self) -> None:
        """Look once more, and stop."""
        self._stopping.set()
        self._thread.join()
        self._look()
        self._offsets.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_S):
            self._look()

    def _look(self) -> None:
        try:
            offsets = self._offsets.read()
        except KafkaException:
            return  # the broker restarts, or the group has no coordinator for a moment
        # Rounded up: what was settled before this moment was settled in time.
        now_ms = time.time_ns() // 1_000_000 + 1
        self.looks += 1
        for partition, offset in offsets.items():
            if self._standing.get(partition) != offset:
                self._standing[partition] = offset
                self._changes.append(Commit(now_ms, partition, offset))
