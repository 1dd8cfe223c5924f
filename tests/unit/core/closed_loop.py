"""A backlog without end, a gate and a receiver in virtual time: who is let through, delivered and refused, and when."""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from consumer.core.gate import Gate, GatePolicy
from tests.unit.core.receivers import REFUSAL_S, REFUSED, Over, Receiver


class Tally(NamedTuple):
    """What came back within some seconds."""

    delivered: int
    refused: int
    seconds: float

    @property
    def per_s(self) -> float:
        return self.delivered / self.seconds

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.delivered + self.refused)


class ClosedLoop:
    """`confirm_s`: how long an acknowledged request keeps its place, for the ledger. `commit_s`: instead, what a
    transaction then of so many takes, one after another; the next takes all that wait. `cpu_s`: what each answer costs
    this process, which does one after another. `backlog` says whether there is something to send."""

    def __init__(
        self,
        receiver: Receiver,
        policy: GatePolicy,
        *,
        retry_after_s: float | None = None,
        confirm_s: float = 0.0,
        commit_s: Callable[[float, int], float] | None = None,
        cpu_s: Over = lambda now_s: 0.0,
        backlog: Callable[[float], bool] = lambda now_s: True,
    ) -> None:
        self.gate = Gate(policy, lambda: 0.5)
        self.limits: list[tuple[float, int]] = []
        self._receiver = receiver
        self._retry_after_s = retry_after_s
        self._confirm_s, self._commit_s, self._cpu_s = confirm_s, commit_s, cpu_s
        self._acknowledged: list[float] = []
        self._committing: list[float] = []
        self._backlog = backlog
        self._now_s = 0.0
        self._there = 0
        self._looks_at_s = float("-inf")
        self._cpu_free_at_s = 0.0
        self._events: list[tuple[float, int, str, float]] = []
        self._number = 0
        self._ends: list[tuple[float, bool]] = []

    def run(self, until_s: float) -> "ClosedLoop":
        """Goes on until then."""
        self._send()
        while self._events and self._events[0][0] <= until_s:
            self._now_s, _, kind, sent_s = heapq.heappop(self._events)
            getattr(self, f"_{kind}")(sent_s)
            self._send()
        return self

    def between(self, from_s: float, to_s: float) -> Tally:
        """What came back in that time."""
        ends = [delivered for at_s, delivered in self._ends if from_s <= at_s < to_s]
        return Tally(sum(ends), len(ends) - sum(ends), to_s - from_s)

    def limit_at(self, at_s: float) -> int:
        """The limit that held then."""
        return [limit for since_s, limit in self.limits if since_s <= at_s][-1]

    # --- events ---

    def _send(self) -> None:
        gate = self.gate
        while self._backlog(self._now_s) and gate.permits(self._now_s):
            gate.start()
            takes_s = self._receiver.arrive(self._now_s, self._there)
            if takes_s is REFUSED:
                self._at(self._now_s + REFUSAL_S, "refuse", self._now_s)
            else:
                self._there += 1
                self._at(self._now_s + takes_s, "answer", self._now_s)
        if not self.limits or self.limits[-1][1] != gate.limit:
            self.limits.append((self._now_s, gate.limit))
        if self._looks_at_s <= self._now_s:
            if (opens_s := gate.opens_at_s(self._now_s)) is not None:
                self._look_at(opens_s)
            elif not self._backlog(self._now_s):
                self._look_at(self._now_s + 0.01)

    def _look_at(self, at_s: float) -> None:
        self._looks_at_s = at_s
        self._at(at_s, "look", 0.0)

    def _at(self, at_s: float, kind: str, sent_s: float) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, kind, sent_s))

    def _look(self, _: float) -> None:
        pass

    def _answer(self, sent_s: float) -> None:
        self._there -= 1
        self._cpu_free_at_s = max(self._now_s, self._cpu_free_at_s) + self._cpu_s(self._now_s)
        if self._commit_s is None:
            self._at(self._cpu_free_at_s + self._confirm_s, "confirm", sent_s)
        else:
            self._at(self._cpu_free_at_s, "acknowledge", sent_s)

    def _acknowledge(self, sent_s: float) -> None:
        self._acknowledged.append(sent_s)
        if not self._committing:
            self._commit()

    def _commit(self) -> None:
        assert self._commit_s is not None
        self._committing, self._acknowledged = self._acknowledged, []
        if self._committing:
            self._at(self._now_s + self._commit_s(self._now_s, len(self._committing)), "committed", 0.0)

    def _committed(self, _: float) -> None:
        sent_s = self._committing
        self._commit()
        self._end(sent_s)

    def _confirm(self, sent_s: float) -> None:
        self._end([sent_s])

    def _end(self, sent_s: list[float]) -> None:
        for _ in sent_s:
            self._ends.append((self._now_s, True))
            self.gate.delivered(0)
        self.gate.confirmed(sent_s, self._now_s)

    def _refuse(self, sent_s: float) -> None:
        self._ends.append((self._now_s, False))
        self.gate.end()
        self.gate.throttled(self._now_s, self._retry_after_s, sent_s)
