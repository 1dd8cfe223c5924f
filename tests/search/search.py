"""Breadth first through all states of a world: each rule in each state, and peace from each."""

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from tests.search.automaton import Broken
from tests.search.scenario import Scenario
from tests.search.state import Act, State
from tests.search.world import World


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    scenario: Scenario
    states: int
    transitions: int
    depth: int
    quiet: int
    process_states: int
    process_steps: int
    stores: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.scenario.name}: {self.states:,} states, {self.transitions:,} transitions, depth {self.depth}, "
            f"{self.quiet:,} quiet; {self.process_states:,} states of a process, {self.process_steps:,} steps of the "
            f"real code, {self.stores:,} ledgers; {self.seconds:.0f} s"
        )


class CounterExample(AssertionError):
    """A rule is broken; the shortest way there is in the text."""

    def __init__(self, what: str, trace: list[str]) -> None:
        lines = [f"{number:3}. {line}" for number, line in enumerate(trace, 1)]
        super().__init__("\n".join([what, *lines]))
        self.what = what
        self.trace = trace


class Search:
    """One search. States are numbered in the order in which they are met, and told apart by 64 bits of their hash; only
    those that are still to be expanded are kept whole."""

    def __init__(self, scenario: Scenario, most: int = 50_000_000) -> None:
        self._scenario = scenario
        self._most = most
        self.world = World(scenario)
        self._numbers: dict[int, int] = {}
        self._border: deque[State] = deque()
        self._parents = array("i")
        self._depths = array("H")
        self._quiet: list[int] = []
        self._sources, self._targets = array("I"), array("I")
        """The calm transitions: peace has no others."""
        self._transitions = 0

    def run(self) -> Found:
        """Raises CounterExample."""
        try:
            return self._run()
        finally:
            self.world.automaton.close()

    def _run(self) -> Found:
        started_s = perf_counter()
        self._add(self.world.start(), -1)
        number = 0
        while self._border:
            self._expand(number, self._border.popleft())
            number += 1
            assert number < self._most, f"more than {self._most:,} states"
        self._peace()
        automaton = self.world.automaton
        return Found(
            self._scenario,
            len(self._numbers),
            self._transitions,
            max(self._depths),
            len(self._quiet),
            len(automaton.seen),
            automaton.steps,
            self.world.stores,
            perf_counter() - started_s,
        )

    def _expand(self, number: int, state: State) -> None:
        world = self.world
        for act in world.acts(state):
            try:
                after = world.after(state, act)
            except Broken as broken:
                trace = [*self._trace(number), world.told(state, act)]
                raise CounterExample(str(broken), trace) from broken
            self._transitions += 1
            target = self._add(after, number)
            if act.calm and target != number:
                self._sources.append(number)
                self._targets.append(target)

    def _add(self, state: State, parent: int) -> int:
        digest = hash(state)
        number = self._numbers.setdefault(digest, len(self._numbers))
        if number == len(self._parents):
            self._border.append(state)
            self._parents.append(parent)
            self._depths.append(self._depths[parent] + 1 if parent >= 0 else 0)
            if self.world.quiet(state):
                self._quiet.append(number)
        return number

    # --- peace ---

    def _peace(self) -> None:
        """From each state a quiet one can be reached without any trouble."""
        reached = bytearray(len(self._numbers))
        before = self._backwards()
        border = list(self._quiet)
        for number in border:
            reached[number] = 1
        while border:
            number = border.pop()
            for source in before(number):
                if not reached[source]:
                    reached[source] = 1
                    border.append(source)
        stuck = reached.find(0)
        if stuck >= 0:
            raise CounterExample(
                "it never comes to rest, however well all goes from here on", self._trace(stuck)
            )

    def _backwards(self) -> Callable[[int], Iterator[int]]:
        """The sources of each state's calm transitions, as slices of one array."""
        counts = array("I", bytes(4 * (len(self._numbers) + 1)))
        for target in self._targets:
            counts[target + 1] += 1
        for number in range(len(self._numbers)):
            counts[number + 1] += counts[number]
        places = array("I", counts)
        sources = array("I", bytes(4 * len(self._sources)))
        for source, target in zip(self._sources, self._targets, strict=True):
            sources[places[target]] = source
            places[target] += 1

        def of(number: int) -> Iterator[int]:
            return iter(sources[counts[number] : counts[number + 1]])

        return of

    # --- the way to a state ---

    def _trace(self, number: int) -> list[str]:
        """What happened on the shortest way, played again from the start."""
        way = [number]
        while self._parents[way[-1]] >= 0:
            way.append(self._parents[way[-1]])
        state, lines = self.world.start(), []
        for wanted in reversed(way[:-1]):
            act, after = next(self._leading(state, wanted))
            lines.append(self.world.told(state, act))
            state = after
        return lines

    def _leading(self, state: State, wanted: int) -> Iterator[tuple[Act, State]]:
        for act in self.world.acts(state):
            with suppress(Broken):
                after = self.world.after(state, act)
                if self._numbers.get(hash(after)) == wanted:
                    yield act, after
