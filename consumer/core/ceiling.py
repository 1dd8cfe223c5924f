"""The level of concurrency that a receiver refused: how near one may go, and when it is tried again."""

_SOON_S, _LATE_S = 4.5, 18.0
"""When a refused level is tried again; doubled each time that is in vain. So freed capacity is in use within 30 s."""
_PAUSES = 18.0
"""And after so many times the pause that a refusal brings about: or the pauses would cost a tenth of the time."""
_ANSWERS = 200
"""And after so many answers: one or two refusals in each of these stay below one in a hundred."""


class Ceiling:
    """The lowest level that was refused and has not gone well since. Pure: time is an argument, in seconds."""

    __slots__ = ("_after_s", "_patience_s", "level", "pause_s", "refused_at_s")

    def __init__(self) -> None:
        self.level: int | None = None
        self.pause_s = 0.0
        """For how long nothing was to be sent, the last time."""
        self.refused_at_s = float("-inf")
        self._after_s = self._patience_s = _SOON_S

    def top(self, most: int) -> int:
        """The highest level that is not known to be refused, from 1 to `most`."""
        return most if self.level is None else max(1, min(most, self.level - 1))

    def refused(self, level: int, now_s: float, pause_s: float, in_vain: bool) -> None:
        """`in_vain`: it was just tried again, and nothing has changed."""
        self.level = max(1, level)
        self.pause_s = pause_s
        self.refused_at_s = now_s
        self._patience_s = min(_LATE_S, self._patience_s * 2.0) if in_vain else _SOON_S
        self._after_s = max(self._patience_s, _PAUSES * pause_s)

    def lower(self, level: int) -> None:
        """To here rather than where it was refused."""
        self.level = max(1, level)

    def raised(self, value: int, most: int) -> None:
        """A level went well that may have been refused before."""
        self.level = value + 1 if value < most else None

    def forget(self) -> None:
        """No level is refused for being too high."""
        self.level = None

    def due_s(self, now_s: float) -> float:
        """In how many seconds it may be tried again, if there are answers enough."""
        return max(0.0, self.refused_at_s + self._after_s - now_s)

    def is_due(self, now_s: float, answers: int) -> bool:
        """Whether to try it again, after so many answers without a refusal."""
        return answers >= _ANSWERS and self.due_s(now_s) <= 0.0
