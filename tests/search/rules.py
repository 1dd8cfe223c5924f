"""The rules of the design as checks of what happens; each raises Broken with the rule's number."""

from collections.abc import Callable, Iterable

from consumer.core.claims import KeyState, Once
from consumer.core.windows import near
from consumer.ledger.ledger import Intent
from consumer.types import Origin, Record
from tests.search.automaton import Broken
from tests.search.book import Store
from tests.search.scenario import Budget, Scenario, key_of, once_of, place
from tests.search.state import Arrived, State

ENOUGH = 2
"""More excuses than that are never used up."""


class Rules:
    """The checks, for one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.index = {event: number for number, event in enumerate(scenario.events)}
        self._once: dict[int, Once | None] = {self.index[one.event]: once_of(one) for one in scenario.records}

    def event(self, origin: Origin) -> int:
        return self.index[self._scenario.said[origin].event]

    # --- rules 2 and 3: at the receiver ---

    def take(self, state: State, intents: Iterable[Intent], *, excused: bool) -> State:
        """The receiver takes these, in their order."""
        for one in intents:
            state = self._take(state, one.origin, excused)
        return state

    def _take(self, state: State, origin: Origin, excused: bool) -> State:
        number = self.event(origin)
        if excused:
            state = self.excuse(state, [origin])
        mine = state.arrived[number]
        if mine.taken:
            if origin in mine.lost:
                left = list(mine.lost)
                left.remove(origin)
                return _put(state, number, mine._replace(lost=tuple(left)))
            if not mine.excused:
                raise Broken(f"rule 2: {self.name(origin)} arrives once more, which nothing excuses")
            return _put(state, number, mine._replace(excused=mine.excused - 1))
        self._ordered(state, origin)
        state = _put(state, number, mine._replace(taken=True))
        return self._windowed(state, number, origin)

    def _ordered(self, state: State, origin: Origin) -> None:
        log = self._scenario.logs[origin.partition]
        for record in log[: origin.offset]:
            if record.key == log[origin.offset].key and not self.settled(state, record):
                raise Broken(
                    f"rule 3: {self.name(origin)} arrives before {self.name(record.origin)} of its lane"
                )

    def _windowed(self, state: State, number: int, origin: Origin) -> State:
        once = self._once[number]
        rivals = [
            other
            for other, that in self._once.items()
            if once is not None and that is not None and other != number and near(once, that.at_ms)
        ]
        for other in rivals:
            if state.arrived[other].taken:
                for one in (other, number):
                    if (had := state.arrived[one]).excused:
                        return _put(state, one, had._replace(excused=had.excused - 1))
                raise Broken(f"rule 2: {self.name(origin)} is the second open in its window")
        return state

    def excuse(self, state: State, origins: Iterable[Origin]) -> State:
        """A repeat of each of these cannot be held against anybody."""
        for origin in origins:
            number = self.event(origin)
            had = state.arrived[number]
            state = _put(state, number, had._replace(excused=min(ENOUGH, had.excused + 1)))
        return state

    def lose(self, state: State, origins: Iterable[Origin]) -> State:
        """These were taken, and their process never hears of it."""
        for origin in origins:
            number = self.event(origin)
            had = state.arrived[number]
            state = _put(state, number, had._replace(lost=tuple(sorted((*had.lost, origin)))))
        return state

    def open(self, state: State, which: Callable[[Origin], bool]) -> State:
        """What these hold ends, or may: where an answer was lost, any record of the event may now be the repeat."""
        for number, had in enumerate(state.arrived):
            ended = [origin for origin in had.lost if which(origin)]
            if ended:
                lost = tuple(origin for origin in had.lost if not which(origin))
                excused = min(ENOUGH, had.excused + len(ended))
                state = _put(state, number, Arrived(had.taken, excused, lost))
        return state

    def fenced(self, state: State, granted: Iterable[Intent]) -> None:
        """These were reserved under an assignment that is over."""
        for one in granted:
            if not state.flushed:
                raise Broken(f"rule 2: {self.name(one.origin)} is granted to a process that is fenced")

    def drained(self, unanswered: Iterable[Intent]) -> None:
        """A drain ended in time; these are on the wire, or acknowledged and not confirmed."""
        for one in unanswered:
            raise Broken(f"rule 8: the drain is over in time, and {self.name(one.origin)} has no answer yet")

    def given_back(self, held: Iterable[Origin]) -> None:
        """A drain ended in time, and the process that leaves still holds these."""
        for origin in held:
            raise Broken(f"rule 8: the drain is over in time, and {self.name(origin)} is still reserved")

    # --- rule 2: before the send, and after the acknowledgement ---

    def reserved(self, state: State, store: Store, intents: Iterable[Intent]) -> None:
        """These are being sent, under an assignment that stands."""
        if state.flushed:
            return
        held = {(row.slot, row.holder) for row in store.reserved}
        for one in intents:
            if one.origin in state.letters and not self._trouble(state):
                raise Broken(
                    f"rule 2: {self.name(one.origin)} is sent again after its dead letter was settled"
                )
            # What another confirmed meanwhile ended the reservation: the request still goes.
            if (one.slot, one.holder) not in held and store.state_of(one.slot) is not KeyState.CONFIRMED:
                raise Broken(f"rule 2: {self.name(one.origin)} is sent without a reservation")

    def _trouble(self, state: State) -> bool:
        """Whether anything happened that may come between a letter and its row in the ledger."""
        spent = zip(Budget._fields, self._scenario.budget, state.budget, strict=True)
        return any(before != now for name, before, now in spent if name not in ("revoke", "reload", "halt"))

    def confirmed(self, state: State, store: Store, intents: Iterable[Intent]) -> None:
        """The process is done with these, which were acknowledged."""
        if state.flushed:
            return
        for one in intents:
            if store.state_of(one.slot) is not KeyState.CONFIRMED:
                raise Broken(
                    f"rules 2 and 5: {self.name(one.origin)} was acknowledged and is not confirmed in the ledger"
                )

    def forgotten(self, intents: Iterable[Intent]) -> None:
        """These were acknowledged just now, and the process does not go on to confirm them."""
        for one in intents:
            raise Broken(f"rules 2 and 5: {self.name(one.origin)} is acknowledged, and nobody confirms it")

    def book(self, state: State, store: Store) -> None:
        """Nothing is confirmed that never arrived."""
        for slot, kept, origin, _ in store.settled:
            if kept is KeyState.CONFIRMED and not state.arrived[self.event(origin)].taken:
                raise Broken(f"rule 2: {self.name(origin)} is confirmed and never arrived ({slot.hex()[:4]})")

    # --- a record that kills ---

    def met(self, state: State, store: Store, partition: int, offset: int) -> None:
        """The partition's owner decodes this record, and may die of it."""
        if not state.flushed and dict(store.horizons).get(place(partition), 0) <= offset:
            name = self.name(self._scenario.logs[partition][offset].origin)
            raise Broken(f"killers: {name} is decoded, and the ledger does not know that it may be met")

    # --- rules 1 and 9: at the broker ---

    def commit(self, state: State, store: Store, partition: int, offset: int) -> None:
        """The broker takes this commit."""
        standing = state.committed[partition] or 0
        if offset < standing:
            raise Broken(
                f"rule 5: the committed offset of p{partition} goes back from {standing} to {offset}"
            )
        for record in self._scenario.logs[partition][:offset]:
            if not self.settled(state, record):
                name = self.name(record.origin)
                raise Broken(
                    f"rule 1: p{partition} is committed to {offset}, past {name}, which is not settled"
                )
            self._remembered(state, store, record)
        position = dict(store.positions).get(place(partition), 0)
        if not state.flushed and position < offset:
            raise Broken(f"rule 9: p{partition} is committed to {offset} and the ledger is at {position}")

    def _remembered(self, state: State, store: Store, record: Record) -> None:
        said = self._scenario.said[record.origin]
        if state.flushed or record.origin in state.letters:
            return
        once = once_of(said)
        occupied = once is not None and any(near(once, one.at_ms) for _, one in store.windows)
        if store.state_of(key_of(said)) is not KeyState.CONFIRMED and not occupied:
            raise Broken(
                f"rule 2: {self.name(record.origin)} is committed before it is confirmed in the ledger"
            )

    def claim(self, state: State, partition: int, position: int | None) -> None:
        """A process takes the partition over, and the ledger knows this position."""
        committed = state.committed[partition]
        if not state.flushed and committed is not None and (position is None or position < committed):
            raise Broken(f"rule 9: the broker has p{partition} at {committed}, the ledger at {position}")

    def settled(self, state: State, record: Record) -> bool:
        """Whether this record needs nobody any more: its event arrived, it has a letter, or its window is used."""
        if record.origin in state.letters:
            return True
        number = self.event(record.origin)
        if state.arrived[number].taken:
            return True
        once = self._once[number]
        return once is not None and any(
            state.arrived[other].taken and near(once, that.at_ms)
            for other, that in self._once.items()
            if that is not None
        )

    def name(self, origin: Origin) -> str:
        return f"{self._scenario.said[origin].event} (p{origin.partition}@{origin.offset})"


def _put(state: State, number: int, what: Arrived) -> State:
    arrived = state.arrived
    return state._replace(arrived=(*arrived[:number], what, *arrived[number + 1 :]))
