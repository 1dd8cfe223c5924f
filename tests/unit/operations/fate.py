"""When a process of a test dies, or stands still: before or after any line that touches the world."""

from collections.abc import Callable


class Killed(BaseException):
    """SIGKILL: no `except Exception` sees it, and what is done after it has no effect."""


class Fate:
    """Counts the steps of one process, and kills it at one of them, or lets something else happen there."""

    def __init__(
        self,
        kill_at: int | None = None,
        *,
        pause_at: int | None = None,
        meanwhile: Callable[[], None] = print,
    ) -> None:
        self.steps: list[str] = []
        self.dead = False
        self._kill_at = kill_at
        self._pause_at = pause_at
        self._meanwhile = meanwhile

    def step(self, name: str) -> None:
        """The process comes to this line."""
        if self.dead:
            raise Killed
        self.steps.append(name)
        if len(self.steps) == self._pause_at:
            self._meanwhile()
        if len(self.steps) == self._kill_at:
            self.dead = True
            raise Killed(name)
