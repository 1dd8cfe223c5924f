"""Whether a refusal says that too much was sent, or would have come whatever was sent."""

from collections import deque
from collections.abc import Iterable
from enum import Enum

_STRIKES = 2
"""A level that went well is given up at so many refusals, each soon after the one before."""
_SOON_ROUND_TRIPS = 2
_COSTLY = 0.05
"""Soon is also where pauses take up so much of the time."""
_MANY, _FAR_TOO_MANY = 0.1, 0.25
"""More than this part of what was sent together is too much, at once; the second also where levels do not matter."""
_IN_VAIN = 4
"""After so many refusals in a row, none of them in a level's first round trips, it may be that levels do not matter."""
_OFTEN_ANSWERS = 200
_TRIED = 3
"""After so many refusals at the highest level it is known whether more got through there."""
_QUIET_S, _AGAIN_S = 60.0, 120.0


class Meaning(Enum):
    """What a refusal asks for, beyond the pause."""

    NOTHING = 1
    LESS = 2
    FAR_LESS = 3
    WHATEVER = 4
    """Refusals may not depend on how much is sent: try as much as is allowed."""
    BACK = 5
    """They do depend on it: back to where that was tried from."""


class Suspicion:
    """Listens to the refusals of one destination. Pure: time is an argument, in seconds.

    A receiver that has too much refuses in the first round trips of a level, or much of what is sent together. One
    that refuses something now and then, whatever is sent (a quota shared with others, a fault), would bring any limit
    down to 1: each level goes well for a while, and is refused in the end.
    """

    def __init__(self) -> None:
        self._refused_at_s = float("-inf")
        self._together = 0
        """How many of what was sent together were refused, up to now."""
        self._lowered = False
        """What was sent together was answered for already."""
        self._strikes = 0
        self._in_vain = 0
        self._deaf = False
        """As much as is allowed is sent, whatever is refused."""
        self._not_before_s = float("-inf")
        self._before_per_s = 0.0
        """What got through before that, pauses included."""
        self._cycles: deque[tuple[int, float]] = deque(maxlen=_TRIED)
        """The last, from refusal to refusal: answers and seconds."""
        self._tried = 0

    def refused(
        self, sent_s: float, now_s: float, pause_s: float, level: int, settled: bool, answers: int
    ) -> Meaning:
        """One more refusal. `settled`: the level went well before; `answers`: so many since the last refusal."""
        if sent_s <= self._refused_at_s:
            return self._one_more(level)
        elapsed_s, self._refused_at_s = now_s - self._refused_at_s, now_s
        self._together, self._lowered = 1, False
        self._cycles.append((answers, elapsed_s))
        if self._deaf:
            return self._hear_again(now_s, elapsed_s)
        soon = answers < _SOON_ROUND_TRIPS * level
        costly = pause_s > _COSTLY * elapsed_s
        if settled and not soon and (costly or answers < _OFTEN_ANSWERS):
            self._in_vain += 1
            if self._in_vain >= _IN_VAIN and now_s >= self._not_before_s:
                return self._turn_deaf()
        else:
            self._in_vain = 0
        self._strikes = self._strikes + 1 if soon or costly else 1
        if settled and self._strikes < _STRIKES:
            return Meaning.NOTHING
        self._strikes, self._lowered = 0, True
        return Meaning.LESS

    def _one_more(self, level: int) -> Meaning:
        """One signal, not many: but how many they are says how much it was too much."""
        self._together += 1
        share = _FAR_TOO_MANY if self._deaf else _MANY
        if self._lowered or self._together < max(2.0, share * level):
            return Meaning.NOTHING
        back = self._deaf
        self._deaf, self._lowered = False, True
        self._strikes = self._in_vain = 0
        if not back:
            return Meaning.FAR_LESS
        self._not_before_s = self._refused_at_s + _AGAIN_S
        return Meaning.BACK

    def _turn_deaf(self) -> Meaning:
        self._before_per_s = _per_s(self._cycles)
        self._tried = 0
        self._deaf, self._in_vain, self._strikes = True, 0, 0
        return Meaning.WHATEVER

    def _hear_again(self, now_s: float, elapsed_s: float) -> Meaning:
        self._tried += 1
        if elapsed_s >= _QUIET_S:
            self._deaf = False  # They are over.
        elif self._tried == _TRIED and _per_s(self._cycles) < self._before_per_s:
            self._deaf, self._not_before_s = False, now_s + _AGAIN_S
            return Meaning.BACK
        return Meaning.NOTHING


def _per_s(cycles: Iterable[tuple[int, float]]) -> float:
    answers = seconds = 0.0
    for count, elapsed_s in cycles:
        answers += count
        seconds += elapsed_s
    return answers / max(1e-6, seconds)
