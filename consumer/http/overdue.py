"""The last bound on a wait: for a client whose own time-out comes late."""

import asyncio
from typing import Any

Waiting = asyncio.Task[Any]


class Overdue:
    """Interrupts waits that go on for longer than `limit_s`, with one timer for all of them.

    The client's threads look at its clock between two reads. A receiver that floods (early hints without end, a
    chunk's size of a gigabyte of zeros) keeps them reading, so that the total time-out passed unnoticed for seconds,
    also for the other requests. A timer a request would cost more than all the rest of the wait.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._until_s: dict[Waiting, float] = {}  # in the order of their ends, as the limit is one for all
        self._interrupted: set[Waiting] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Waiting:
        """The current task waits from now on; hand what this gives to `end`."""
        task = asyncio.current_task()
        assert task is not None
        loop = task.get_loop()
        self._until_s[task] = loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_later(self._limit_s, self._look, loop)
        return task

    def end(self, task: Waiting) -> None:
        """It waits no longer, however that ended."""
        self._until_s.pop(task, None)
        self._interrupted.discard(task)

    def was_it(self, task: Waiting) -> bool:
        """Whether the cancellation that this task has just met was ours, and nobody else's: then it is undone."""
        return task in self._interrupted and task.uncancel() == 0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        for task, until_s in list(self._until_s.items()):
            if until_s > loop.time():
                self._timer = loop.call_at(until_s, self._look, loop)
                return
            del self._until_s[task]
            self._interrupted.add(task)
            task.cancel()
