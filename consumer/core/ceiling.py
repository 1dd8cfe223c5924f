"""The level of concurrency that a receiver refused: how near one may go, and when it is tried again."""

_SOON_S, _LATE_S = 4.5, 18.0
"""When a refused level is tried again; doubled each time that is in vain. So freed capacity is in use within 30 s."""
_PAUSES = 18.0
"""And after so many times the pause that a refusal brings about: or the pauses would cost a tenth of the time."""
_NEAR, _NEAR_LEVELS = 0.34, 3
"""A trial that came no further than this part, or so many, above where it began has shown nothing new. Requests whose
answers wait for the ledger keep their permit and are gone from the receiver: so it refuses levels a little above its
capacity only now and then, and they go well for a while."""
_ANSWERS = 200
"""And after so many answers: one or two refusals in each of these stay below one in a hundred."""


class Ceiling:
    """The lowest level that was refused and has not gone well since. Pure: time is an argument, in seconds."""

    __slots__ = ("_after_s", "_patience_s", "_tried_from", "_trying", "level", "pause_s", "refused_at_s")

    def __init__(self) -> None:
        self.level: int | None = None
        self.pause_s = 0.0
        """For how long nothing was to be sent, the last time."""
        self.refused_at_s = float("-inf")
        self._after_s = self._patience_s = _SOON_S
        self._tried_from: int | None = None
        """Where it was when it was last tried again."""
        self._trying = False
        """That has not led anywhere yet."""

    def top(self, most: int) -> int:
        """The highest level that is not known to be refused, from 1 to `most`."""
        return most if self.level is None else max(1, min(most, self.level - 1))

    def refused(self, level: int, now_s: float, pause_s: float, in_vain: bool) -> None:
        """`in_vain`: it was just tried again, and nothing has changed. It is tried again the later, also where it is
        refused a little above the level from which that was done."""
        self.level = max(1, level)
        self.pause_s = pause_s
        self.refused_at_s = now_s
        near = self._is_near(level)
        if in_vain or (near and self._trying):
            self._patience_s = min(_LATE_S, self._patience_s * 2.0)
            self._trying = False
        elif not near:
            self._patience_s = _SOON_S
        self._after_s = max(self._patience_s, _PAUSES * pause_s)

    def _is_near(self, level: int) -> bool:
        """Whether it is little above where it was last tried again. What is below had stood for long: that is news."""
        before = self._tried_from
        return before is not None and before <= level <= before + max(_NEAR_LEVELS, int(_NEAR * before))

    def tried(self) -> None:
        """It is tried again, from now on."""
        self._tried_from, self._trying = self.level, True

    def halfway(self, level: int) -> int | None:
        """From a level that went well on trial, and is refused when it is held, to where that trial began. None: it is
        none of the kind."""
        before = self._tried_from
        return None if before is None or not self._is_near(level) else (before - 1 + level) // 2

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
