"""What all parts of the world stand on: the processes' automaton, the ledger's stores, and the rules."""

from typing import Any

from consumer.ledger.ledger import Intent
from tests.search.automaton import Automaton
from tests.search.book import Book, Store
from tests.search.edges import Call
from tests.search.process import Seen
from tests.search.rules import Rules
from tests.search.scenario import Scenario
from tests.search.state import Slot, State


class Ground:
    """Looks into states, and lets processes hear of things."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.automaton = Automaton(scenario)
        self.book = Book()
        self.rules = Rules(scenario)
        self._stores: list[Store] = []
        self._store_numbers: dict[Store, int] = {}

    def store(self, state: State) -> Store:
        return self._stores[state.store]

    def filed(self, store: Store) -> int:
        """The store's number."""
        number = self._store_numbers.setdefault(store, len(self._stores))
        if number == len(self._stores):
            self._stores.append(store)
        return number

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
        before = self.automaton.seen[slot.state]
        step = self.automaton.step(slot.state, event)
        slot = slot._replace(state=step.state)
        state = self._put(state, number, slot)
        now = self.automaton.seen[step.state]
        store = self.store(state)
        old = [call for call in before.calls if call != answered]
        for call in now.calls:
            if call.kind == "send" and call not in old:
                self.rules.reserved(
                    state, store, [one for one in call.about if self._stands(state, number, one)]
                )
        wire = {one for call in before.calls if call.kind == "send" for one in call.about}
        done = [one for one in before.unanswered if one not in wire and one not in now.unanswered]
        self.rules.confirmed(state, store, done)
        for told in step.told:
            state = self._told(state, number, told)
        return state

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
