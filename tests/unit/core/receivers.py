"""Models of receivers whose capacity changes, in virtual time: how long each request takes there, or a refusal."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Protocol

Over = Callable[[float], float]
"""A value that changes: by the time in seconds."""

REFUSED = None
REFUSAL_S = 0.002


class Receiver(Protocol):
    """`arrive` gives the seconds until the answer, or REFUSED; `at_once` counts those that are there, this one not."""

    def arrive(self, now_s: float, at_once: int) -> float | None: ...


def step(before: float, after: float, at_s: float) -> Over:
    """One value, and from `at_s` on another."""
    return lambda now_s: before if now_s < at_s else after


def ramp(before: float, after: float, from_s: float, to_s: float) -> Over:
    """From one value to another, evenly."""

    def value(now_s: float) -> float:
        part = min(1.0, max(0.0, (now_s - from_s) / (to_s - from_s)))
        return before + (after - before) * part

    return value


class Noise:
    """Factors around 1, by seed: log-normal, as latencies are. `spread` is about their relative deviation."""

    def __init__(self, spread: float, seed: int) -> None:
        self._spread = spread
        self._random = Random(seed)

    def __call__(self) -> float:
        if not self._spread:
            return 1.0
        return self._random.lognormvariate(-(self._spread**2) / 2, self._spread)


class Moments:
    """A factor that changes every so many seconds."""

    def __init__(self, every_s: float, noise: Noise) -> None:
        self._every_s, self._noise = every_s, noise
        self._factors: list[float] = []

    def __call__(self, now_s: float) -> float:
        number = int(now_s / self._every_s)
        while len(self._factors) <= number:
            self._factors.append(self._noise())
        return self._factors[number]


class Constant:
    """Always the same latency, whatever comes."""

    def __init__(self, latency_s: Over, noise: Noise) -> None:
        self._latency_s, self._noise = latency_s, noise

    def arrive(self, now_s: float, at_once: int) -> float | None:
        return self._latency_s(now_s) * self._noise()


class Queueing:
    """So many work at a time, the rest waits in turn for as long as it takes; `way_s` is the network's."""

    def __init__(self, workers: Over, service_s: float, way_s: float, noise: Noise) -> None:
        self._workers, self._service_s, self._way_s, self._noise = workers, service_s, way_s, noise
        self._free_at_s: list[float] = []

    def arrive(self, now_s: float, at_once: int) -> float | None:
        workers = int(self._workers(now_s))
        while len(self._free_at_s) < workers:
            heapq.heappush(self._free_at_s, now_s)
        while len(self._free_at_s) > workers:
            heapq.heappop(self._free_at_s)
        begins_s = max(now_s, heapq.heappop(self._free_at_s))
        ends_s = begins_s + self._service_s * self._noise()
        heapq.heappush(self._free_at_s, ends_s)
        return ends_s - now_s + self._way_s


class Contended:
    """All at a time, and the more there are the less gets done in all: past `best` at a time, throughput falls."""

    def __init__(self, latency_s: float, best: Over, noise: Noise, share: float = 0.02) -> None:
        self._latency_s, self._best, self._noise, self._share = latency_s, best, noise, share

    def arrive(self, now_s: float, at_once: int) -> float | None:
        # The universal scalability law: `share` of the work is done by one at a time, and each pair gets in the way.
        pairs = (1.0 - self._share) / self._best(now_s) ** 2
        slower = 1.0 + self._share * at_once + pairs * at_once * (at_once + 1)
        return self._latency_s * slower * self._noise()


class Refusing:
    """429 for whoever comes while as many are there as it takes."""

    def __init__(self, takes: Over, latency_s: float, noise: Noise) -> None:
        self._takes, self._latency_s, self._noise = takes, latency_s, noise

    def arrive(self, now_s: float, at_once: int) -> float | None:
        return REFUSED if at_once >= int(self._takes(now_s)) else self._latency_s * self._noise()


class Metered:
    """429 for what is more than so many a second: a bucket of tokens."""

    def __init__(self, rate_per_s: Over, burst: float, latency_s: float, noise: Noise) -> None:
        self._rate_per_s, self._burst, self._latency_s, self._noise = rate_per_s, burst, latency_s, noise
        self._tokens, self._filled_at_s = burst, 0.0

    def arrive(self, now_s: float, at_once: int) -> float | None:
        earned = (now_s - self._filled_at_s) * self._rate_per_s(now_s)
        self._tokens, self._filled_at_s = min(self._burst, self._tokens + earned), now_s
        if self._tokens < 1.0:
            return REFUSED
        self._tokens -= 1.0
        return self._latency_s * self._noise()


class Capricious:
    """429 for a share of all requests, by seed, however many there are."""

    def __init__(self, share: float, latency_s: float, noise: Noise, seed: int) -> None:
        self._share, self._latency_s, self._noise, self._random = share, latency_s, noise, Random(seed)

    def arrive(self, now_s: float, at_once: int) -> float | None:
        return REFUSED if self._random.random() < self._share else self._latency_s * self._noise()
