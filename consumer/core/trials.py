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
_OTHER_LATENCY = 1.3
"""A latency that differs by this factor from the one of the last verdict: the verdict may not hold any more."""
_AFTER_LOWER_S = 0.05
"""Where both are due after the latency rose, fewer are tried first."""


class Trials:
    """The memory of trials with one receiver. Pure: time is an argument, in seconds. `ratio`: the limit on trial over
    the one before."""

    __slots__ = ("_higher_at_s", "_latency_s", "_lower_after_s", "_lower_at_s", "_reference")

    def __init__(self) -> None:
        self._reference = Seen(0.0, 0.0, 0.0)
        """What a trial is held against."""
        self._latency_s = 0.0
        """When fewer were last judged; 0: never."""
        self._higher_at_s = float("-inf")
        self._lower_at_s = float("-inf")
        self._lower_after_s = _LOWER_AFTER_S

    def held(self, now_s: float, seen: Seen) -> None:
        """What the limit shows when nothing is tried. Another latency makes a trial due at once: of fewer where it
        rose, of more where it fell."""
        self._reference, latency_s = seen, seen.latency_s
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

    def keep_higher(self, now_s: float, seen: Seen, ratio: float) -> bool:
        """Whether more delivered more; what is kept is what the next trial is held against."""
        if self._shows(seen, 1.0 + _PAYS * (ratio - 1.0)):
            self._reference = seen
            return True
        self._higher_at_s = now_s + _HIGHER_AFTER_S
        return False

    def is_obvious(self, seen: Seen, ratio: float, round_trips: float) -> bool:
        """Whether a trial of fewer is decided before its time: if it costs, it does so every moment."""
        part = _OBVIOUS * (1.0 - ratio)
        if seen.per_s < self._reference.per_s * (1.0 - part):
            return True
        gain = part + 2.0 * seen.doubt
        return round_trips >= 2.0 and seen.per_s > self._reference.per_s * (1.0 + gain)

    def keep_lower(self, now_s: float, seen: Seen, ratio: float) -> bool:
        """Whether fewer delivered as much. The best of a descent stays what it is held against: small losses add up."""
        self._latency_s = seen.latency_s
        if self._shows(seen, 1.0 - _COSTS * (1.0 - ratio)):
            if seen.per_s > self._reference.per_s:
                self._reference = seen
            return True
        self._lower_at_s = now_s + self._lower_after_s
        self._lower_after_s = min(_LOWER_AT_LAST_S, self._lower_after_s * 2.0)
        self._higher_at_s = max(self._higher_at_s, now_s + _HIGHER_AFTER_S)
        return False

    def _shows(self, seen: Seen, factor: float) -> bool:
        doubt = hypot(seen.doubt, self._reference.doubt)
        return seen.per_s >= self._reference.per_s * (factor + _DOUBTS * doubt)
