"""What an operator wants to read in the log without asking: what holds up the flow, and since when not."""

import logging
from collections.abc import Iterable, Mapping

import msgspec

from consumer.clock import Clock
from consumer.types import TopicPartition

_LOG = logging.getLogger("consumer.watch")
POLLING = "polling"
"""The name of the one trouble that is no trouble while it is short."""


class WatchPolicy(msgspec.Struct, frozen=True):
    """When something is worth a line."""

    progress_s: float = 30.0
    pause_s: float = 10.0
    """How long polling must rest to be told: short rests are how back-pressure works."""
    again_s: float = 10.0
    """How long a reason stands before another one is told."""


class View(msgspec.Struct, frozen=True):
    """How the process stands at one moment. `lag`: None while no partition's end is known."""

    joined: bool
    partitions: frozenset[TopicPartition]
    troubles: Mapping[str, str]
    """What holds up the flow, and why, by name: it may change its reason, but not its name."""
    consumed: int
    settled: int
    in_flight: int
    lag: int | None


class _Trouble:
    __slots__ = ("reason", "since_s", "told", "told_s")

    def __init__(self, reason: str, since_s: float) -> None:
        self.reason = reason
        self.since_s = since_s
        self.told: str | None = None
        """The reason that was told last."""
        self.told_s = since_s


class Watch:
    """Compares what it is shown with what it saw before, and logs the difference."""

    def __init__(self, group: str, clock: Clock, policy: WatchPolicy | None = None) -> None:
        self._group = group
        self._clock = clock
        self._policy = policy or WatchPolicy()
        self._joined = False
        self._partitions: frozenset[TopicPartition] = frozenset()
        self._troubles: dict[str, _Trouble] = {}
        self._told_s = clock.monotonic_s()
        self._told: tuple[int, int, int, int | None] = (0, 0, 0, None)

    def look(self, view: View) -> None:
        """See how things stand now; a few times a second."""
        now_s = self._clock.monotonic_s()
        self._membership(view)
        for name, reason in view.troubles.items():
            self._trouble(name, reason, now_s)
        for name in [name for name in self._troubles if name not in view.troubles]:
            self._over(name, now_s)
        if now_s - self._told_s >= self._policy.progress_s:
            self._progress(view, now_s)

    def standing(self) -> list[tuple[str, str, float]]:
        """What held up the flow at the last look: name, reason, and since how many seconds."""
        now_s = self._clock.monotonic_s()
        return [(name, one.reason, round(now_s - one.since_s, 1)) for name, one in self._troubles.items()]

    def _membership(self, view: View) -> None:
        if view.joined and (not self._joined or view.partitions != self._partitions):
            count = len(view.partitions)
            verb = "now has" if self._joined else f"joined the group {self._group} and has"
            which = f"{count} partition{'s' if count > 1 else ''}: {ranges(view.partitions)}"
            _LOG.info(f"{verb} {which if count else 'no partition'}", extra={"partitions": count})
            self._joined, self._partitions = True, view.partitions

    def _trouble(self, name: str, reason: str, now_s: float) -> None:
        known = self._troubles.setdefault(name, _Trouble(reason, now_s))
        known.reason = reason
        if known.told == reason:
            return
        first_s = self._policy.pause_s if name == POLLING else 0.0
        wait_s = first_s if known.told is None else self._policy.again_s
        if now_s - known.told_s >= wait_s:
            known.told, known.told_s = reason, now_s
            _LOG.warning(f"{name}: {reason}", extra={"trouble": name, "state": "on"})

    def _over(self, name: str, now_s: float) -> None:
        known = self._troubles.pop(name)
        if known.told is not None:
            seconds = round(now_s - known.since_s, 1)
            extra = {"trouble": name, "state": "over", "after_s": seconds}
            _LOG.warning(f"{name}: over, after {seconds:g} s", extra=extra)

    def _progress(self, view: View, now_s: float) -> None:
        told = (view.consumed, view.settled, view.in_flight, view.lag)
        if told != self._told:
            rate = (view.settled - self._told[1]) / (now_s - self._told_s)
            _LOG.info(
                "progress",
                extra={
                    "consumed": view.consumed,
                    "settled": view.settled,
                    "in_flight": view.in_flight,
                    "lag": view.lag,
                    "settled_per_second": round(rate, 1),
                },
            )
        self._told_s, self._told = now_s, told


def ranges(partitions: Iterable[TopicPartition]) -> str:
    """For people: `user-events 0-3 7, other 0`."""
    numbers: dict[str, list[int]] = {}
    for topic, number in sorted(partitions):
        numbers.setdefault(topic, []).append(number)
    return ", ".join(f"{topic} {_runs(of_topic)}" for topic, of_topic in numbers.items())


def _runs(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return " ".join("-".join(map(str, run)) for run in runs)
