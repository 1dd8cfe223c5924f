"""What goes on, for whoever waits for it: from the third second on."""

import asyncio
import contextlib
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

PATIENCE_S = 2.0
_TICK_S = 0.1


class SlowProgress:
    """Shows the last `say` once something takes longer than two seconds: on stderr, as a live line on a
    terminal, else as a line now and then. What is quick says nothing.
    """

    def __init__(self, tell: Callable[[str], None] | None = None, *, every_s: float = PATIENCE_S) -> None:
        """`tell`: gets the lines in place of stderr."""
        self._console = Console(stderr=True, highlight=False)
        self._tell = tell
        self._every_s = every_s
        self._text = ""
        self._began_at_s: float | None = None
        self._task: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """What is being done now; nothing, where that is over."""
        self._text = text
        if not text:
            self._began_at_s = None
        elif self._began_at_s is None:
            self._began_at_s = monotonic()

    async def __aenter__(self) -> Self:
        live = self._tell is None and self._console.is_terminal
        self._task = asyncio.create_task(self._live() if live else self._lines())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _live(self) -> None:
        await self._until_slow()
        with self._console.status(Text(self._text)) as status:
            while True:
                status.update(Text(self._text))
                await asyncio.sleep(_TICK_S)

    async def _lines(self) -> None:
        while True:
            await self._until_slow()
            self._print(self._text)
            await asyncio.sleep(self._every_s)

    async def _until_slow(self) -> None:
        while self._began_at_s is None or monotonic() - self._began_at_s < PATIENCE_S:  # noqa: ASYNC110 - time, no event
            await asyncio.sleep(_TICK_S)

    def _print(self, text: str) -> None:
        if self._tell is not None:
            self._tell(text)
        else:
            self._console.print(text, markup=False)
