"""How many requests at a time serve a receiver best: found by trying, remembered, and tried again rarely."""

from enum import Enum

from consumer.core.ceiling import Ceiling
from consumer.core.stretch import Seen, Stretch
from consumer.core.suspicion import Meaning, Suspicion
from consumer.core.trials import Trials

_ROUND_TRIPS, _LEAST_ANSWERS, _LEAST_S = 4, 16, 1.5
"""A trial takes so many: fewer say little, as latencies scatter, and this process, its disk and the receiver have slow
moments."""
_LEAST_BEYOND_S = 0.25
"""Of a level that was refused: there the refusals come at once."""
_OBVIOUS_S = 0.375
"""Before, nothing is believed that fewer seem to bring."""
_LOOK_S = 0.05
"""Between two looks at a trial that is not decided: a look costs more than an answer."""
_HIGHER, _LOWER, _JUST_LESS, _A_LITTLE_LESS = 1.25, 0.75, 0.95, 0.85
_LONG_PAUSE_S = 0.5
_AFTER_HALT = 4


class _Phase(Enum):
    CLIMBING = 1
    """Back to where it was good, a step a round trip."""
    HOLDING = 2
    HIGHER = 3
    LOWER = 4
    BEYOND = 5
    """At a level that was refused, to see whether it still is."""


class Limit:
    """How many requests a destination may have at a time, from 1 to `most`. Pure: time is an argument, in seconds.

    It begins at `most`. Two things teach it:

    Refusals. What was refused is a ceiling. The limit falls to the last level that a round trip went well at, or to
    half, climbs to just below the ceiling, and stays. After a while it goes beyond, by ever more for as long as nothing
    is refused.

    Throughput. Now and then a quarter more or fewer is tried for a few round trips. More is kept if it delivers more,
    fewer if it delivers as much, also as the best that was seen so far: so a receiver's queue drains, one that slows
    down under load gets what suits it, and slow moments do not bring it down step by step.
    Latency alone decides nothing: it rises as well when this process is short of CPU or its ledger is slow, and then
    fewer requests are as good, or not kept. It says when to try: a verdict of one latency may not hold at another.

    All of it only while the limit is in use: what an idle topic shows says nothing of the receiver.
    """

    def __init__(self, most: int) -> None:
        self.value = most
        """The limit now."""
        self._most = most
        self._ceiling = Ceiling()
        self._suspicion = Suspicion()
        self._trials = Trials()
        self._goal = most
        """Where to climb to without asking."""
        self._good = 0
        """The highest level that a round trip went well at; 0: none since it was halved."""
        self._left = self.value
        """The limit from which it went to the bound, when refusals seemed not to depend on it."""
        self._before = self.value
        """The limit before it last changed."""
        self._halved_at_s = float("-inf")
        self._unclears = 0
        self._answers = 0
        """Since the last refusal."""
        self._beyond_by = 1
        self._higher_by = _HIGHER
        self._phase = _Phase.HOLDING
        self._measure(float("-inf"))

    def retune(self, most: int) -> None:
        """Another bound from now on; what it learnt of the receiver stays."""
        was_full = self.value >= self._most
        self._trials.forget(most + 1)
        self._most = most
        self.value = most if was_full else min(self.value, most)
        self._goal = most if was_full else min(self._goal, most)

    def why(self, now_s: float) -> str:
        """What holds it where it is, for a person."""
        match self._phase:
            case _Phase.CLIMBING:
                return f"on its way back to {self._goal}, a step a round trip"
            case _Phase.HIGHER:
                return f"trying whether more than {self._before} deliver more"
            case _Phase.LOWER:
                return f"trying whether fewer than {self._before} deliver as much"
            case _Phase.BEYOND:
                return f"trying whether more than {self._before} are still refused"
        if self.value >= self._most:
            return "as many as the topology allows"
        if self.value >= self._top:
            again_s = self._ceiling.due_s(now_s)
            return f"{self._ceiling.level} were refused; tried again in {again_s:.0f} s or later"
        return "more did not deliver more"

    # --- what came back ---

    def answered(self, sent_s: float, now_s: float, full: bool) -> None:
        """A request of `sent_s` was acknowledged and is done with; `full`: as much as allowed was in flight."""
        stretch = self._stretch
        self._answers += 1
        if self._mending:
            self._mend(now_s)
            return
        if sent_s < stretch.since_s:
            return  # It says how things were before.
        took_s = now_s - sent_s
        stretch.latency_s += took_s
        stretch.squares += took_s * took_s
        stretch.answers += 1
        if full:
            stretch.full += 1
        if stretch.answers >= self._enough and now_s >= self._look_at_s:
            self._judge(now_s)

    def refused(self, sent_s: float, now_s: float, pause_s: float) -> None:
        """The receiver asked for less, and gets nothing for `pause_s`."""
        level = self.value if sent_s >= self._stretch.since_s else max(self.value, self._before)
        meaning = self._suspicion.refused(sent_s, now_s, pause_s, level, self._good >= level, self._answers)
        match meaning:
            case Meaning.LESS | Meaning.FAR_LESS:
                self._lower(level, now_s, pause_s, far=meaning is Meaning.FAR_LESS)
            case Meaning.WHATEVER:
                self._left = self.value
                self._ceiling.forget()
                self._goal = self._most
                self._go(now_s, self._most)
            case Meaning.BACK:
                self._good = min(self._good, self._left)
                self._ceiling.refused(self._left + 1, now_s, pause_s, in_vain=True)
                self._goal = self._top
                self._go(now_s, self._left)
            case Meaning.NOTHING:
                pass
        self._answers = 0

    def _lower(self, level: int, now_s: float, pause_s: float, far: bool) -> None:
        beyond = self._phase is _Phase.BEYOND
        self._trials.forget(level)
        self._ceiling.refused(level, now_s, pause_s, in_vain=beyond and self._beyond_by == 1)
        goal = self._goal
        if 0 < self._good < level:
            lower = self._good
            if beyond and pause_s >= _LONG_PAUSE_S:
                self._ceiling.lower(lower + 1)  # What lies between is not worth as many pauses.
            elif beyond:
                goal = self._most  # It had stood as high as the ceiling let it.
        elif self._good and not far:
            # Perhaps it is just too much. Halfway may be refused too: that is not worth a long pause.
            halfway = self._ceiling.halfway(level) if pause_s < _LONG_PAUSE_S else None
            lower = halfway or int(level * _A_LITTLE_LESS)
            self._ceiling.lower(halfway + 1 if halfway else int(level * _JUST_LESS))
        else:
            lower = level // 2
        self._good = min(self._good, lower) if not far else 0
        self._goal = min(max(goal, lower), self._top)
        self._go(now_s, min(lower, self.value))

    def unclear(self, sent_s: float, now_s: float) -> None:
        """No clear answer. A few among many are somebody's bad luck; more, a receiver that has too much to do."""
        self._unclears += 1
        few = self._unclears <= 1 + self._stretch.answers // 10
        if few or now_s - self._halved_at_s < 1.0 or sent_s <= self._halved_at_s:
            return
        self._halved_at_s = now_s
        self._go(now_s, self.value // 2)
        self._mending = self.value < self._goal

    def _mend(self, now_s: float) -> None:
        """Up with each success: who fails now and then, however little is sent, is not to get less for it."""
        self.value += 1
        if self.value >= self._goal:
            self._go(now_s, self._goal)

    def restart(self) -> None:
        """After a halt: a few at first."""
        self.value = min(self.value, _AFTER_HALT)
        self._phase = _Phase.CLIMBING
        self._measure(self._stretch.since_s)

    # --- judge ---

    @property
    def _top(self) -> int:
        return self._ceiling.top(self._most)

    def _judge(self, now_s: float) -> None:
        stretch, phase = self._stretch, self._phase
        if not stretch.was_full:
            # There was not enough to send to see what it does.
            trial = phase is _Phase.HIGHER or phase is _Phase.LOWER
            self._go(now_s, self._before if trial else self.value)
            return
        seen = stretch.seen(self.value)
        if not self._decided(now_s, seen):
            self._look_at_s = now_s + _LOOK_S
            return
        self._good = max(self._good, self.value)
        match phase:
            case _Phase.CLIMBING:
                step = max(1, (self._goal - self.value) // 4)
                self._go(now_s, min(self._goal, self.value + step))
            case _Phase.HOLDING:
                self._hold(now_s, seen)
            case _Phase.HIGHER:
                self._judge_higher(now_s, seen)
            case _Phase.LOWER:
                self._judge_lower(now_s, seen)
            case _Phase.BEYOND:
                self._go_beyond(now_s)

    def _decided(self, now_s: float, seen: Seen) -> bool:
        stretch, took_s = self._stretch, now_s - self._stretch.since_s
        if self._phase is _Phase.CLIMBING:
            return True
        if self._phase is _Phase.BEYOND:
            # Who counts requests a second takes a while to refuse; and who asks for long pauses is not to be hurried.
            return took_s >= min(1.0, max(_LEAST_BEYOND_S, self._ceiling.pause_s))
        if self._phase is _Phase.LOWER:
            enough = took_s >= _OBVIOUS_S and stretch.answers >= 2 * self.value
            if self._trials.is_obvious(seen, self.value / self._before, enough):
                return True
        return took_s >= _LEAST_S and stretch.answers >= _ROUND_TRIPS * self.value

    def _hold(self, now_s: float, seen: Seen) -> None:
        trials, top = self._trials, self._top
        trials.held(now_s, seen, self.value)
        if self.value < min(top, trials.best_level) and trials.look_back_is_due(now_s, self.value):
            self._try(now_s, _Phase.HIGHER, min(top, trials.best_level))
        elif self.value < top and trials.higher_is_due(now_s):
            self._higher_by = _HIGHER
            self._try_higher(now_s)
        elif self.value > 1 and trials.lower_is_due(now_s):
            self._try_lower(now_s)
        elif self.value >= top and top < self._most and self._ceiling.is_due(now_s, self._answers):
            self._beyond_by = 1
            self._ceiling.tried()
            self._try(now_s, _Phase.BEYOND, self.value + 1)
        else:
            self._measure(now_s)

    def _judge_higher(self, now_s: float, seen: Seen) -> None:
        if not self._trials.keep_higher(now_s, seen, self.value / self._before, self.value):
            self._go(now_s, self._before)
            return
        self._goal = self.value
        if self.value < self._top:
            self._higher_by = min(2.0, self._higher_by * _HIGHER)
            self._try_higher(now_s)
        else:
            self._go(now_s, self.value)

    def _judge_lower(self, now_s: float, seen: Seen) -> None:
        if not self._trials.keep_lower(now_s, seen, self.value / self._before, self.value):
            self._go(now_s, self._before)
            return
        self._goal = self.value
        if self.value > 1:
            self._try_lower(now_s)
        else:
            self._go(now_s, self.value)

    def _go_beyond(self, now_s: float) -> None:
        """A level that was refused once went well now."""
        self._goal = self.value
        self._ceiling.raised(self.value, self._most)
        if self.value >= self._most:
            self._go(now_s, self.value)
        else:
            # Each step may be one too many: then it is refused as often as it is wide.
            self._beyond_by = min(self._beyond_by * 2, max(2, self.value // 4))
            self._try(now_s, _Phase.BEYOND, self.value + self._beyond_by)

    # --- change ---

    def _try_higher(self, now_s: float) -> None:
        value = max(self.value + 1, int(self.value * self._higher_by))
        self._try(now_s, _Phase.HIGHER, min(self._top, value))

    def _try_lower(self, now_s: float) -> None:
        self._try(now_s, _Phase.LOWER, int(self.value * _LOWER))

    def _go(self, now_s: float, value: int) -> None:
        self._try(now_s, _Phase.CLIMBING if value < self._goal else _Phase.HOLDING, value)

    def _try(self, now_s: float, phase: _Phase, value: int) -> None:
        self._before = self.value
        self.value = min(self._most, max(1, value))
        self._phase = phase
        self._measure(now_s)

    def _measure(self, now_s: float) -> None:
        """Anew: only what is sent from now on shows what the present limit does."""
        self._stretch = Stretch(now_s)
        self._mending = False
        self._unclears = 0
        self._look_at_s = now_s
        self._enough = self.value
        if self._phase is not _Phase.CLIMBING and self._phase is not _Phase.BEYOND:
            self._enough = max(_LEAST_ANSWERS, self._enough)
