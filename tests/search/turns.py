"""An event loop that runs only when told to, and whose timers fire only when chosen: no clock, no I/O, no order but the
search's."""

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

START_S = 1_000.0
MANY = 10_000


class StepLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, in order, until nothing is."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.timers: list[asyncio.TimerHandle] = []
        self.failures: list[BaseException] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._ready: deque[asyncio.Handle] = deque()

    def time(self) -> float:
        return self.now_s

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self.timers.append(handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """What asyncio calls when a timer is cancelled before it fires."""
        if handle in self.timers:
            self.timers.remove(handle)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # States are dropped in the middle.
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.failures.append(
            error if isinstance(error, BaseException) else AssertionError(context["message"])
        )

    @contextmanager
    def entered(self) -> Iterator[None]:
        """As the running loop of this thread."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            yield
        finally:
            events._set_running_loop(before)

    def settle(self) -> None:
        """Run until only timers and answers from outside could let anything go on; inside of `entered`."""
        for _ in range(MANY):
            if not self._ready:
                self.tasks = [task for task in self.tasks if not task.done()]
                return
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
            if self.failures:
                raise self.failures[0]
        raise AssertionError("it spins: the loop never comes to rest")

    def fire(self, timer: asyncio.TimerHandle) -> None:
        """Let this timer's time come; any timer's may, whatever the others are set to."""
        self.timers.remove(timer)
        self.now_s = max(self.now_s, timer.when())
        timer._run()
