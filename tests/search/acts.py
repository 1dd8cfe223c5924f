"""What can happen in a state of the world."""

from collections.abc import Callable, Hashable, Iterator

from tests.search.edges import Call
from tests.search.process import Seen
from tests.search.scenario import Scenario
from tests.search.state import NOBODY, Act, Slot, State

LEDGER = frozenset({"assign", "reserve", "confirm", "release", "bury", "states", "advance", "venture"})


class Acts:
    """All that may come next, in one scenario."""

    def __init__(self, scenario: Scenario, number_of: Callable[[Call], int]) -> None:
        self._scenario = scenario
        self._number_of = number_of
        self._known: dict[Hashable, tuple[Act, ...]] = {}
        self._guilty = {origin for origin, said in scenario.said.items() if said.guilty}

    def of(self, state: State, seen: list[Seen], owners: tuple[int, ...]) -> Iterator[Act]:
        """`owners` are those whose lease lasts."""
        for number, slot in enumerate(state.slots):
            busy = tuple(self._busy(state, other, that) for other, that in enumerate(state.slots))
            key = (number, slot, state.budget, state.members, busy)
            acts = self._known.get(key)
            if acts is None:
                acts = self._known[key] = tuple(self._process(state, number, slot, seen[slot.state]))
            yield from acts
        for partition, member in enumerate(state.members):
            if member == NOBODY:
                for number, slot in enumerate(state.slots):
                    if slot.has[partition] is None and not self._busy(state, number, slot):
                        yield Act("assign", number, (partition,))
        living = {slot.owner for slot in state.slots}
        if state.operator is not None:
            living.add(state.operator.owner)
        for owner in owners:
            if owner not in living:
                yield Act("lapse", NOBODY, (owner,))
        yield from self._world(state)

    def _world(self, state: State) -> Iterator[Act]:
        budget = state.budget
        for request in state.late:
            yield Act("take late", NOBODY, (request,), calm=False)
        if budget.flush:
            yield Act("flush", calm=False)
        if state.operator is not None:
            yield Act("redrive on")
        elif budget.redrive:
            for origin in state.letters:
                yield Act("redrive", NOBODY, (origin,), calm=False)

    def _busy(self, state: State, number: int, slot: Slot) -> bool:
        """The owner thread is in a rebalance."""
        return slot.draining != NOBODY or any(
            member == number and slot.has[partition] is None for partition, member in enumerate(state.members)
        )

    def _process(self, state: State, number: int, slot: Slot, seen: Seen) -> Iterator[Act]:
        budget = state.budget
        for call in seen.calls:
            if call.kind in LEDGER:
                yield Act("ledger", number, (call,))
            elif call.kind == "rehearse":
                yield Act("rehearse", number, (call,))
            elif call.kind == "letter":
                yield Act("write", number, (call,))
                if budget.letter_fails:
                    yield Act("fail to write", number, (call,), calm=False)
            else:
                yield from self._request(state, number, slot, call)
        for timer in seen.timers:
            ends = timer.startswith("deadline of Process._leave")
            if not ends or budget.deadline:
                yield Act("timer", number, (timer,), calm=not ends)
        if not self._busy(state, number, slot):
            yield from self._owner(state, number, slot, seen)
        if budget.crash:
            yield Act("crash", number, calm=False)
        if budget.stall:
            yield Act("stall", number, calm=False)
        if budget.reload:
            yield Act("reload", number, calm=False)

    def _request(self, state: State, number: int, slot: Slot, call: Call) -> Iterator[Act]:
        budget = state.budget
        if self._number_of(call) in slot.taken:
            yield Act("acknowledge", number, (call,))
            if budget.lose_answer:
                yield Act("lose the answer", number, (call,), calm=False)
            return
        if any(one.origin in self._guilty for one in call.about):
            yield Act("refuse", number, (call,))
        else:
            yield Act("take", number, (call,))
            if budget.late and budget.lose_answer:
                yield Act("time out", number, (call,), calm=False)
            if budget.store_part and len(call.about) > 1:
                yield Act("take a part", number, (call,), calm=False)
        if budget.break_answer:
            yield Act("break", number, (call,), calm=False)
        if budget.halt:
            yield Act("halt", number, (call,), calm=False)

    def _owner(self, state: State, number: int, slot: Slot, seen: Seen) -> Iterator[Act]:
        """What the owner thread does between two rebalances."""
        if seen.due and not slot.commits:
            yield Act("commit", number)
        if slot.commits:
            yield Act("broker", number)
        for partition, had in enumerate(slot.has):
            if had is None:
                continue
            if state.members[partition] != number:
                yield Act("tell lost", number, (partition,))
                continue
            if had.next < len(self._scenario.logs[partition]):
                yield Act("poll", number, (partition,))
            if state.budget.revoke:
                yield Act("revoke", number, (partition,), calm=False)
            if state.budget.steal:
                for other, that in enumerate(state.slots):
                    if other != number and that.has[partition] is None and not self._busy(state, other, that):
                        yield Act("steal", number, (partition, other), calm=False)
