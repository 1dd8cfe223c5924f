"""What a chaos run shows while it runs: each act, and every few seconds how far everything is."""

import sys
import time
from collections.abc import Callable

_EVERY_S = 5.0
_LONGEST_TURN_S = 0.5


class Progress:
    """Lines on stderr; nothing where they are not wanted. Also finds the longest time without any progress."""

    def __init__(
        self, settled: Callable[[], int], produced: Callable[[], int], *, quiet: bool = False
    ) -> None:
        """`settled`: how far the committed offsets are, all partitions together."""
        self._settled = settled
        self._produced = produced
        self._quiet = quiet
        self._turned_s = self._moved_s = self._shown_s = time.monotonic()
        self.elapsed_s = 0.0
        """By the clock of the acts, which `look` moves: a machine that is too busy stretches the run, instead of
        letting what was late happen all at once."""
        self._last = 0
        self.longest_stall_s = 0.0
        """How long at most no offset was committed while there was something to settle."""

    def begin(self) -> None:
        """The clock of the acts begins now: the group has formed and committed."""
        self._turned_s = self._moved_s = time.monotonic()
        self.elapsed_s = self.longest_stall_s = 0.0

    def tell(self, text: str) -> None:
        """One line, with the time."""
        if not self._quiet:
            print(f"[{self.elapsed_s:6.1f} s] {text}", file=sys.stderr, flush=True)

    def look(self) -> None:
        """To be called all the time."""
        now_s, settled, produced = time.monotonic(), self._settled(), self._produced()
        self.elapsed_s += min(_LONGEST_TURN_S, now_s - self._turned_s)
        self._turned_s = now_s
        if settled != self._last or settled >= produced:
            self.longest_stall_s = max(self.longest_stall_s, now_s - self._moved_s)
            self._last, self._moved_s = settled, now_s
        if now_s - self._shown_s >= _EVERY_S:
            self._shown_s = now_s
            self.tell(f"produced {produced:,}, committed {settled:,}, behind {max(0, produced - settled):,}")
