"""What all parts of the world stand on: the processes' automaton, the ledger's stores, and the rules."""

from typing import Any, NamedTuple

from consumer.ledger.ledger import Intent
from tests.search.automaton import Automaton
from tests.search.book import Book, Store
from tests.search.edges import Call
from tests.search.process import Seen
from tests.search.rules import Rules
from tests.search.scenario import Scenario
from tests.search.state import Slot, State


class Heard(NamedTuple):
    """What follows from what a process hears, as the world needs it."""

    state: int
    told: tuple[Call, ...]
    sends: tuple[Intent, ...]
    """What it put on the wire."""
    done: tuple[Intent, ...]
    """What was acknowledged before, and that it is done with."""


class Ground:
    """Looks into states, and lets processes hear of things."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.automaton = Automaton(scenario)
        self.book = Book()
        self.rules = Rules(scenario)
        self._stores: list[Store] = []
        self._store_numbers: dict[Store, int] = {}
        self._calls: dict[Call, int] = {}
        self._heard: dict[tuple[int, Call], Heard] = {}

    def store(self, state: State) -> Store:
        return self._stores[state.store]

    def filed(self, store: Store) -> int:
        """The store's number."""
        number = self._store_numbers.setdefault(store, len(self._stores))
        if number == len(self._stores):
            self._stores.append(store)
        return number

    def number_of(self, call: Call) -> int:
        """A number for a call, so that states are small."""
        return self._calls.setdefault(call, len(self._calls))

    @property
    def stores(self) -> int:
        return len(self._stores)

    def seen(self, state: State, number: int) -> Seen:
        return self.automaton.seen[state.slots[number].state]

    def _stands(self, state: State, number: int, one: Intent) -> bool:
        return state.stands[one.partition] == (number, one.epoch)

    @staticmethod
    def _put(state: State, number: int, slot: Slot) -> State:
        return state._replace(slots=with_(state.slots, number, slot))

    def _tell(self, state: State, number: int, event: Call, answered: Call | None = None) -> State:
        """Let a process know, and do what it tells its owner thread."""
        slot = state.slots[number]
        heard = self._heard.get((slot.state, event))
        if heard is None:
            heard = self._heard[slot.state, event] = self._hear(slot.state, event, answered)
        state = self._put(state, number, slot._replace(state=heard.state))
        if heard.sends:
            standing = [one for one in heard.sends if self._stands(state, number, one)]
            self.rules.reserved(state, self.store(state), standing)
        if heard.done:
            self.rules.confirmed(state, self.store(state), heard.done)
        for told in heard.told:
            state = self._told(state, number, told)
        return state

    def _hear(self, at: int, event: Call, answered: Call | None) -> Heard:
        before = self.automaton.seen[at]
        step = self.automaton.step(at, event)
        now = self.automaton.seen[step.state]
        old = [call for call in before.calls if call != answered]
        sends = [call for call in now.calls if call.kind == "send" and call not in old]
        wire = {one for call in before.calls if call.kind == "send" for one in call.about}
        done = [one for one in before.unanswered if one not in wire and one not in now.unanswered]
        return Heard(step.state, step.told, tuple(one for call in sends for one in call.about), tuple(done))

    def _told(self, state: State, number: int, told: Call) -> State:
        """Do what a process told its owner thread."""
        raise NotImplementedError


def hears(call: Call, answer: Any) -> Call:
    """The event of a process whose call is answered."""
    return Call("answer", (call, answer))


def token_of(number: int, alias: int) -> int:
    """A process's token as the store has it."""
    return number * 100 + alias


def with_(many: tuple[Any, ...], index: int, one: Any) -> tuple[Any, ...]:
    """The same, but for one place."""
    return (*many[:index], one, *many[index + 1 :])
