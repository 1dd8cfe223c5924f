"""The guard against a mass refusal: when most are refused, it is not the records."""

from collections import deque


class RefusalGuard:
    """Counts what was accepted and refused in the last minute.

    `refused` answers whether the limit is passed: more than `max_ratio` of at least `least` in `window_s`.
    """

    def __init__(self, max_ratio: float, least: int = 100, window_s: float = 60.0) -> None:
        self.max_ratio = max_ratio
        self._least = least
        self._window_s = window_s
        self._seconds: deque[list[float]] = deque()
        self._accepted = 0
        self._refused = 0

    def accepted(self, now_s: float, count: int = 1) -> None:
        """So many were taken."""
        self._second(now_s)[1] += count
        self._accepted += count

    def refused(self, now_s: float, count: int = 1) -> bool:
        """So many were refused; whether this is now a mass refusal."""
        self._second(now_s)[2] += count
        self._refused += count
        total = self._accepted + self._refused
        return total >= self._least and self._refused > self.max_ratio * total

    def forget(self) -> None:
        """Start to count anew: a probe was accepted."""
        self._seconds.clear()
        self._accepted = self._refused = 0

    def _second(self, now_s: float) -> list[float]:
        while self._seconds and self._seconds[0][0] <= now_s - self._window_s:
            _, accepted, refused = self._seconds.popleft()
            self._accepted -= int(accepted)
            self._refused -= int(refused)
        if not self._seconds or now_s - self._seconds[-1][0] >= 1.0:
            self._seconds.append([now_s, 0, 0])
        return self._seconds[-1]
