"""From the owner thread to the event loop, and nothing else: the loop never waits for the thread."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from consumer.errors import FaultError

R = TypeVar("R")


class Bridge:
    """Posts calls to one event loop. Used by the owner thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Call on the loop, in the order of the posts; does not wait. Silent once the loop is closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def ask(self, coroutine: Coroutine[Any, Any, R], timeout_s: float) -> R:
        """Run on the loop after what was posted before, and wait for the answer.

        Raises what the coroutine raises, and FaultError when `timeout_s` passes (the coroutine is cancelled).
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout_s)
        except FutureTimeout:
            future.cancel()
            raise FaultError(f"the pipeline gave no answer in {timeout_s:.0f} s") from None
