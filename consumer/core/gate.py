"""How many requests a destination may be sent now: concurrency, rate, Retry-After and halts as one gate."""

from collections.abc import Iterable

import msgspec

from consumer.core.limit import Limit
from consumer.core.retries import Backoff, Random
from consumer.core.stretch import FULL


class GatePolicy(msgspec.Struct, frozen=True):
    """What a destination is allowed, in one process."""

    max_in_flight: int = 64
    adaptive: bool = True
    """Whether fewer may be in flight while that serves the receiver better; else it is always as many."""
    rate_per_s: float | None = None
    breaker_after: int = 5
    """So many unclear answers with no success between them halt the destination until a probe succeeds."""
    backoff: Backoff = Backoff()


class Gate:
    """The state of one destination's admission.

    Open: as many requests as the adaptive limit (see `Limit`), the rate and Retry-After allow. Halted: none, then
    one probe at a time (the next real record), at growing distances, until one shows that the destination works.
    Only what was sent since the halt began is a probe: an answer to an older request says how things were before.
    """

    def __init__(self, policy: GatePolicy, random: Random) -> None:
        self._policy = policy
        self._random = random
        self._limit = Limit(policy.max_in_flight)
        self._adaptive = policy.adaptive
        self.in_flight = 0
        self._peak = 0
        self.successes = 0
        """How many requests were acknowledged so far: to see whether others succeed between two attempts."""
        self.unclears = 0
        """How many requests got no clear answer so far: to see whether one that fails is alone in it."""
        self.halted: str | None = None
        self._halts = 0
        self._probes = 0
        self._unclear_in_a_row = 0
        self._not_before_s = 0.0
        self._tokens = policy.rate_per_s or 0.0
        self._refilled_at_s = float("-inf")

    def retune(self, policy: GatePolicy) -> None:
        """Other bounds from now on; what it learnt of the destination stays, and so does a halt."""
        self._policy = policy
        if self._adaptive and not policy.adaptive:
            self._limit = Limit(policy.max_in_flight)
        else:
            self._limit.retune(policy.max_in_flight)
        self._adaptive = policy.adaptive

    @property
    def limit(self) -> int:
        """How many requests may be in flight now, if nothing else forbids it."""
        return self._limit.value

    def why_limit(self, now_s: float) -> str:
        """Why it is that many, for a person."""
        return self._limit.why(now_s) if self._adaptive else "fixed by the topology"

    def permits(self, now_s: float) -> int:
        """How many requests may start now."""
        if now_s < self._not_before_s:
            return 0
        if self.halted is not None:
            return 1 if self.in_flight == 0 else 0
        free = self._limit.value - self.in_flight
        if self._policy.rate_per_s is not None:
            self._refill(now_s, self._policy.rate_per_s)
            free = min(free, int(self._tokens))
        return max(0, free)

    def opens_at_s(self, now_s: float) -> float | None:
        """When time alone may give permits again; None when only an answer can."""
        if now_s < self._not_before_s:
            return self._not_before_s
        rate = self._policy.rate_per_s
        if self.halted is None and rate is not None and self._tokens < 1.0:
            return now_s + (1.0 - self._tokens) / rate
        return None

    def closed(self, now_s: float) -> bool:
        """Whether only time can open the gate: halted, throttled, or out of rate."""
        return self.halted is not None or self.opens_at_s(now_s) is not None

    @property
    def ahead(self) -> int:
        """How many requests may be prepared beyond those that can start now: none under a rate, they would only age."""
        return 0 if self._policy.rate_per_s is not None else self._limit.value

    def start(self) -> int:
        """A request starts; gives how many halts there were so far, which its answer has to name."""
        self._peak = self.in_flight = self.in_flight + 1
        if self._policy.rate_per_s is not None:
            self._tokens -= 1.0
        return self._halts

    def end(self) -> None:
        """A request ended, whatever the outcome."""
        self.in_flight -= 1

    def confirmed(self, sent_at_s: Iterable[float], now_s: float) -> None:
        """Requests that were sent then are acknowledged, and that is written down: they ended, and show what the limit
        does. The time of the ledger counts: what matters is how much all of it together delivers."""
        # What starts next fills the gate again, but not before all that ended together has ended: hence the last peak.
        full = self._peak >= FULL * self._limit.value and self.in_flight * 2 >= self._peak
        for sent_s in sent_at_s:
            self.in_flight -= 1
            if self._adaptive:
                self._limit.answered(sent_s, now_s, full)

    def delivered(self, started: int) -> bool:
        """An acknowledgement; `started` is what `start` gave. Whether it was a probe, and the halt is over."""
        self.successes += 1
        self._unclear_in_a_row = 0
        return self.answered(started)

    def answered(self, started: int) -> bool:
        """The destination answered as it should: if that was a probe, the halt is over, and this is true."""
        if self.halted is None or started != self._halts:
            return False
        self.halted = None
        self._probes = 0
        self._unclear_in_a_row = 0
        if self._adaptive:
            self._limit.restart()
        return True

    def throttled(self, now_s: float, after_s: float | None, sent_s: float | None = None) -> None:
        """The receiver asked for less, of a request of `sent_s` (None: of just now)."""
        delay_s = self._policy.backoff.base_s if after_s is None else after_s
        if self._adaptive:
            self._limit.refused(now_s if sent_s is None else sent_s, now_s, delay_s)
        self._not_before_s = max(self._not_before_s, now_s + delay_s)

    def unclear(self, now_s: float, sent_s: float | None = None) -> None:
        """No clear answer to what was sent then (None: just now); too many in a row are the destination's fault."""
        if self._adaptive:
            self._limit.unclear(now_s if sent_s is None else sent_s, now_s)
        self.unclears += 1
        self._unclear_in_a_row += 1
        if self.halted is not None or self._unclear_in_a_row >= self._policy.breaker_after:
            self.halt(now_s, self.halted or "unclear answers only")

    def halt(self, now_s: float, reason: str) -> None:
        """Stop sending; the next probe comes after a delay that grows with each one that failed."""
        # The answers to what was on the wire when the halt began are not failed probes.
        already = self.halted is not None and now_s < self._not_before_s
        if self.halted is None:
            self._halts += 1
        self.halted = reason
        if already:
            return
        self._probes += 1
        delay_s = self._policy.backoff.delay_s(self._probes, self._random)
        self._not_before_s = max(self._not_before_s, now_s + max(delay_s, self._policy.backoff.base_s))

    def _refill(self, now_s: float, rate_per_s: float) -> None:
        if now_s > self._refilled_at_s:
            earned = (now_s - self._refilled_at_s) * rate_per_s
            self._tokens = min(max(1.0, rate_per_s * 0.1), self._tokens + earned)
            self._refilled_at_s = now_s
