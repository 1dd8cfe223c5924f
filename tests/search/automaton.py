"""The process as an automaton that is found out while the search goes on: what the real code does with one event in one
state is asked of it once, and remembered.

States of the world are many, because two processes, the ledger, the broker and the receiver are each somewhere; states
of one process are few. That is what lets the real pipeline be searched: it runs once for each of its own states and
events, and all else is looking up. A state that is needed again is reached by its history, from a new process.
"""

from typing import NamedTuple

from tests.search.edges import Call
from tests.search.fingerprint import look
from tests.search.process import Process, Seen
from tests.search.scenario import Scenario

MOST_LIVE = 1_000
"""So many processes fit into the memory, coroutines and all."""


class Broken(Exception):
    """Something that must always hold does not."""


class Step(NamedTuple):
    """What follows an event: the next state, and what the owner thread was told on the way."""

    state: int
    told: tuple[Call, ...]


class Automaton:
    """States are numbers; 0 is a process that has just started."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.seen: list[Seen] = []
        self.runs = 0
        """How many events the real code was given, those of histories included."""
        self._numbers: dict[bytes, int] = {}
        self._origins: list[tuple[int, Call] | None] = []
        self._steps: dict[tuple[int, Call], Step] = {}
        self._live: dict[int, Process] = {}
        """A process in each of the states that were met last: breadth first, each is soon needed."""
        self._number(Process(scenario), None)

    def step(self, state: int, event: Call) -> Step:
        """Raises Broken where the process breaks what must hold in it."""
        known = self._steps.get((state, event))
        if known is None:
            known = self._steps[state, event] = self._run(state, event)
        return known

    def close(self) -> None:
        """Let go of the processes that are still there."""
        for process in self._live.values():
            process.drop()
        self._live.clear()

    @property
    def steps(self) -> int:
        """How many different events in states were met."""
        return len(self._steps)

    def _run(self, state: int, event: Call) -> Step:
        process = self._reach(state)
        try:
            told = process.do(event)
        except AssertionError as error:
            process.drop()
            raise Broken(str(error)) from error
        self.runs += 1
        known = len(self.seen)
        step = Step(self._number(process, (state, event)), told)
        if step.state == known and len(self._live) < MOST_LIVE:
            self._live[step.state] = process
        else:
            process.drop()
        return step

    def _reach(self, state: int) -> Process:
        """A process in this state, from its start where none is left in it."""
        if (live := self._live.pop(state, None)) is not None:
            return live
        history: list[Call] = []
        at = state
        while (origin := self._origins[at]) is not None:
            at, event = origin
            history.append(event)
        process = Process(self._scenario)
        for event in reversed(history):
            process.do(event)
        self.runs += len(history)
        return process

    def _number(self, process: Process, origin: tuple[int, Call] | None) -> int:
        digest, seen = look(process)
        number = self._numbers.setdefault(digest, len(self.seen))
        if number == len(self.seen):
            self.seen.append(seen)
            self._origins.append(origin)
        return number
