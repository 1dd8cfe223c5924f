"""Three consumers, each started again whenever it has ended."""

import json
import signal
import time
from collections.abc import Callable

from tests.integration.processes import ConsumerProcess

_RESTART_AFTER_S = 0.5
_NO_BROKER = "Kafka gave no answer"
ENDS_OF_A_DRAIN = (0, 3)
"""Exit codes after SIGTERM: drained, or stopped with work unsettled, which comes again."""


class Member:
    """One place in the group, and the process that fills it."""

    def __init__(self, name: str, start: Callable[[], ConsumerProcess]) -> None:
        self.name = name
        self._start = start
        self._process = start()
        self._ended_at_s: float | None = None
        self._asked_to_end = False
        self.restarts = 0
        self.gave_up = 0
        """How often it found no broker at its start, and ended as it is to: whoever runs it starts it again."""

    @property
    def process(self) -> ConsumerProcess:
        return self._process

    def kill(self) -> None:
        self._asked_to_end = True
        self._process.kill()

    def terminate(self) -> None:
        self._asked_to_end = True
        self._process.terminate()

    def freeze(self) -> None:
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.signal(signal.SIGCONT)

    def hang_up(self) -> None:
        """SIGHUP, once it is ready for that: before, it would end it."""
        if self._process.running and self._is_ready:
            self._process.signal(signal.SIGHUP)

    def look(self) -> str | None:
        """Start it again a moment after it has ended; gives what is wrong with how it ended."""
        if self._process.running:
            return None
        now_s = time.monotonic()
        if self._ended_at_s is None:
            self._ended_at_s = now_s
            return self._wrong_with_its_end()
        if now_s >= self._ended_at_s + _RESTART_AFTER_S:
            self._ended_at_s, self._asked_to_end = None, False
            self._process = self._start()
            self.restarts += 1
        return None

    def _wrong_with_its_end(self) -> str | None:
        code = self._process.code
        if not self._asked_to_end:
            if code == 1 and _NO_BROKER in self._process.stderr:
                self.gave_up += 1
                return None
            return f"{self.name} ended by itself: {self._process}{self._process.tail()}"
        if code == -signal.SIGKILL or (code == -signal.SIGTERM and not self._is_ready):
            return None
        if code not in ENDS_OF_A_DRAIN:
            return f"{self.name} ended wrongly after SIGTERM: {self._process}{self._process.tail()}"
        return unbalanced(self._process)

    @property
    def _is_ready(self) -> bool:
        """It has told where its admin port is: from then on it takes signals."""
        return '"admin"' in self._process.stderr


def unbalanced(process: ConsumerProcess) -> str | None:
    """What its own books say, where they do not balance."""
    try:
        books = process.books
    except json.JSONDecodeError:
        return f"{process} printed no books{process.tail()}"
    return None if books["balanced"] else f"{process}: its books do not balance: {books}"
