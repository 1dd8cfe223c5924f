"""The guard against a mass refusal: when most are refused, it is not the records."""

from collections import deque

IN_A_ROW = 200
"""So many refusals without one acceptance between them are a mass refusal, however slowly they came."""

PLAUSIBLE_413_BYTES = 16 * 1024
"""Below this, "too large" is a proxy's word and says nothing of the record: no receiver's bound is that low."""


class RefusalGuard:
    """Counts what was accepted and refused in the last minute, and what was refused in a row.

    `refused` answers whether a limit is passed: more than `max_ratio` of at least `least` in `window_s`; or
    `in_a_row` without one acceptance. The second finds the outage in the middle of a good stream, which what was
    accepted before it would outweigh for a minute (at thousands a second, tens of thousands of letters), and the
    one on a quiet topic, which never has `least` in a minute. A `max_ratio` of 1 puts an end to both.
    """

    def __init__(
        self, max_ratio: float, least: int = 100, window_s: float = 60.0, in_a_row: int | None = None
    ) -> None:
        self.max_ratio = max_ratio
        self._least = least
        self._window_s = window_s
        self._in_a_row = in_a_row
        self._row = 0
        self._seconds: deque[list[float]] = deque()
        self._accepted = 0
        self._refused = 0

    def accepted(self, now_s: float, count: int = 1) -> None:
        """So many were taken."""
        self._row = 0
        self._second(now_s)[1] += count
        self._accepted += count

    def refused(self, now_s: float, count: int = 1) -> bool:
        """So many were refused; whether this is now a mass refusal."""
        self._second(now_s)[2] += count
        self._refused += count
        self._row += count
        if self._in_a_row is not None and self._row >= self._in_a_row and self.max_ratio < 1:
            return True
        total = self._accepted + self._refused
        return total >= self._least and self._refused > self.max_ratio * total

    def forget(self) -> None:
        """Start to count anew: a probe was accepted."""
        self._seconds.clear()
        self._accepted = self._refused = self._row = 0

    def _second(self, now_s: float) -> list[float]:
        while self._seconds and self._seconds[0][0] <= now_s - self._window_s:
            _, accepted, refused = self._seconds.popleft()
            self._accepted -= int(accepted)
            self._refused -= int(refused)
        if not self._seconds or now_s - self._seconds[-1][0] >= 1.0:
            self._seconds.append([now_s, 0, 0])
        return self._seconds[-1]
