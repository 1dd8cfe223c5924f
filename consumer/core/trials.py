"""When more or fewer requests at a time are tried, and whether that is kept."""

from math import hypot

from consumer.core.stretch import Seen

_PAYS = 0.15
"""More in flight must bring this part of what it would bring if nothing queued, or it is taken back."""
_COSTS = 0.1
"""Fewer in flight may cost this part of what they would cost if nothing queued, or they are taken back."""
_OBVIOUS = 0.5
"""A trial of fewer that costs or brings this part need not be brought to its end."""
_DOUBTS = 0.5
"""A change has to show by so many standard errors: by chance alone it would drift."""
_HIGHER_AFTER_S = 4.0
_LOWER_AFTER_S, _LOWER_AT_LAST_S = 5.0, 120.0
"""When a trial in vain is made again; that of fewer, which costs, after twice the time each time."""
_LOWER_AFTER_LATENCIES = 20.0
_REMEMBERED_S = 10.0
"""What was seen at a level stands for so long against less that is seen there later: one moment says little where this
process, its disk or the receiver has slow ones."""
_ANOTHER_RECEIVER = 0.5
"""Less than this part of what was seen is no slow moment: things have changed."""
_FELL_SHORT = 0.1
"""A limit that delivers by this part less than what a trial of it may cost is not what more would be."""
_LOOK_BACK_AFTER_S = 4.0
_OTHER_LATENCY = 1.3
"""A latency that differs by this factor from the one of the last verdict: the verdict may not hold any more."""
_AFTER_LOWER_S = 0.05
"""Where both are due after the latency rose, fewer are tried first."""


class Trials:
    """The memory of trials with one receiver. Pure: time is an argument, in seconds. `ratio`: the limit on trial over
    the one before."""

    __slots__ = (
        "_best",
        "_best_at_s",
        "_best_level",
        "_higher_at_s",
        "_latency_s",
        "_look_back_at_s",
        "_lower_after_s",
        "_lower_at_s",
        "_reference",
    )

    def __init__(self) -> None:
        self._reference = Seen(0.0, 0.0, 0.0)
        """What a trial is held against."""
        self._best = self._reference
        """The most that was seen, at `best_level`, until that level, or more, shows less."""
        self._best_level = 0
        self._best_at_s = float("-inf")
        self._look_back_at_s = float("-inf")
        self._latency_s = 0.0
        """When fewer were last judged; 0: never."""
        self._higher_at_s = float("-inf")
        self._lower_at_s = float("-inf")
        self._lower_after_s = _LOWER_AFTER_S

    @property
    def best_level(self) -> int:
        """The limit that delivered most; 0 where none is known."""
        return self._best_level

    def forget(self, level: int) -> None:
        """So many are refused, or more than is allowed: what they once delivered is not to be had."""
        if self._best_level >= level:
            self._best, self._best_level = Seen(0.0, 0.0, 0.0), 0

    def held(self, now_s: float, seen: Seen, level: int) -> None:
        """What the limit shows when nothing is tried. Another latency makes a trial due at once: of fewer where it
        rose, of more where it fell."""
        self._reference, latency_s = seen, seen.latency_s
        self._remember(now_s, seen, level)
        soonest_s = min(_LOWER_AT_LAST_S, max(_LOWER_AFTER_S, _LOWER_AFTER_LATENCIES * latency_s))
        if self._latency_s == 0.0:
            self._latency_s, self._lower_after_s = latency_s, soonest_s
            self._lower_at_s = now_s + soonest_s
        elif latency_s > self._latency_s * _OTHER_LATENCY:
            self._lower_at_s, self._lower_after_s = now_s, soonest_s
            self._higher_at_s = max(self._higher_at_s, now_s + _AFTER_LOWER_S)
        elif latency_s < self._latency_s / _OTHER_LATENCY:
            self._higher_at_s, self._latency_s = min(self._higher_at_s, now_s), latency_s

    def higher_is_due(self, now_s: float) -> bool:
        """Whether to try more."""
        return now_s >= self._higher_at_s

    def lower_is_due(self, now_s: float) -> bool:
        """Whether to try fewer."""
        return now_s >= self._lower_at_s

    def look_back_is_due(self, now_s: float, level: int) -> bool:
        """Whether to try `best_level` again, since it delivered more than this level does: what it showed may be of
        another time, and would forbid all fewer for ever. `level` is below it."""
        if now_s < self._look_back_at_s:
            return False
        return self._reference.per_s < self._best.per_s * (self._least_share(level) - _FELL_SHORT)

    def keep_higher(self, now_s: float, seen: Seen, ratio: float, level: int) -> bool:
        """Whether more delivered more; what is kept is what the next trial is held against."""
        if level >= self._best_level:
            self._look_back_at_s = now_s + _LOOK_BACK_AFTER_S
            self._set_best(now_s, seen, level)
        if self._shows(seen, 1.0 + _PAYS * (ratio - 1.0)):
            self._reference = seen
            return True
        self._higher_at_s = now_s + _HIGHER_AFTER_S
        return False

    def is_obvious(self, seen: Seen, ratio: float, enough: bool) -> bool:
        """Whether a trial of fewer is decided before its time: if it costs, it does so every moment; that it brings
        something is believed once `enough` was seen."""
        part = _OBVIOUS * (1.0 - ratio)
        if seen.per_s < self._reference.per_s * (1.0 - part):
            return True
        gain = part + 2.0 * seen.doubt
        return enough and seen.per_s > self._reference.per_s * (1.0 + gain)

    def keep_lower(self, now_s: float, seen: Seen, ratio: float, level: int) -> bool:
        """Whether fewer delivered as much, also as the best there was: small losses add up. The best of a descent stays
        what it is held against."""
        self._latency_s = seen.latency_s
        as_the_best = seen.per_s >= self._best.per_s * self._least_share(level)
        if as_the_best and self._shows(seen, 1.0 - _COSTS * (1.0 - ratio)):
            if seen.per_s > self._best.per_s:
                self._set_best(now_s, seen, level)
            if seen.per_s > self._reference.per_s:
                self._reference = seen
            return True
        self._lower_at_s = now_s + self._lower_after_s
        self._lower_after_s = min(_LOWER_AT_LAST_S, self._lower_after_s * 2.0)
        self._higher_at_s = max(self._higher_at_s, now_s + _HIGHER_AFTER_S)
        return False

    def _least_share(self, level: int) -> float:
        """Of the best, what fewer have to deliver; levels that are not below it are held against nothing."""
        return 1.0 - _COSTS * (1.0 - level / self._best_level) if level < self._best_level else 0.0

    def _remember(self, now_s: float, seen: Seen, level: int) -> None:
        if level < self._best_level and seen.per_s <= self._best.per_s:
            return
        slow_moment = self._best.per_s * _ANOTHER_RECEIVER <= seen.per_s < self._best.per_s
        if level == self._best_level and slow_moment and now_s < self._best_at_s + _REMEMBERED_S:
            return
        self._set_best(now_s, seen, level)

    def _set_best(self, now_s: float, seen: Seen, level: int) -> None:
        self._best, self._best_level, self._best_at_s = seen, level, now_s

    def _shows(self, seen: Seen, factor: float) -> bool:
        doubt = hypot(seen.doubt, self._reference.doubt)
        return seen.per_s >= self._reference.per_s * (factor + _DOUBTS * doubt)
