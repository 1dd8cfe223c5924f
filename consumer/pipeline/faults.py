"""What fails where nobody awaits it: in tasks, and in callbacks of the event loop."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from consumer.errors import ConsumerError, FaultError

_LOG = logging.getLogger("consumer.run")


class Faults:
    """Keeps the first fault for whoever runs the process; logs those that nobody foresaw with their trace.

    What a failed task or callback should have done is not done: a record that it dropped may be in nobody's
    count, so no offset may be committed from then on, and only a restart from what is committed is safe. Made
    inside of the running loop.
    """

    def __init__(self, on_first: Callable[[], None]) -> None:
        """`on_first` is called once, at the first fault: to let go of everything that could be committed."""
        self._on_first = on_first
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when something failed; never has a result."""

    def __call__(self, error: BaseException) -> None:
        """This failed."""
        told = self.told(error)
        if not self.first.done():
            self.first.set_exception(told)
            self._on_first()

    def of_loop(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's exception handler. asyncio's own would log a callback's arguments, which are records,
        and go on without what it should have done.
        """
        error = context.get("exception")
        if isinstance(error, BaseException) and "handle" in context:
            self(error)
        else:
            _LOG.warning(str(context.get("message")), exc_info=error)

    def told(self, error: BaseException) -> ConsumerError:
        """The error for the user."""
        if isinstance(error, ConsumerError):
            return error
        _LOG.error("a fault of our own: stopping", exc_info=error)
        name = type(error).__name__
        return FaultError(
            f"stopped by a fault of its own ({name}): please report it, with its trace in the log"
        )

    def close(self) -> None:
        """Nobody waits any more."""
        if not self.first.done():
            self.first.cancel()
