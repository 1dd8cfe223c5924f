"""The receivers' side of the world: the endpoint, the dead-letter topic, and the operator who redrives a letter."""

from collections.abc import Iterable

from consumer.core.claims import KeyState
from consumer.endpoints.outcome import Delivered, Halted, Rejected, Unclear
from consumer.kafka.letters import Unwritten, Written
from consumer.ledger.ledger import Intent
from consumer.types import Origin
from tests.search.book import OVER
from tests.search.edges import Call
from tests.search.ground import hears, token_of
from tests.search.scenario import ROUTE, key_of, once_of
from tests.search.shelf import Shelf
from tests.search.state import NOBODY, Act, Operator, State

ANSWERS = {
    "acknowledge": Delivered(),
    "refuse": Rejected("as documented", 400),
    "halt": Halted("401"),
    "break": Unclear("500"),
    "lose the answer": Unclear("no answer"),
    "time out": Unclear("no answer"),
    "take a part": Unclear("500"),
}


class Receiving(Shelf):
    """Where requests and letters go."""

    def _take(self, state: State, act: Act) -> State:
        (call,) = act.about
        assert isinstance(call, Call)
        state = self._arrive(state, act.slot, call.about)
        slot = state.slots[act.slot]
        return self._put(
            state, act.slot, slot._replace(taken=tuple(sorted((*slot.taken, self.number_of(call)))))
        )

    def _arrive(self, state: State, number: int, intents: Iterable[Intent]) -> State:
        for one in intents:
            state = self.rules.take(state, [one], excused=not self._stands(state, number, one))
        return state

    def _take_late(self, state: State, act: Act) -> State:
        (request,) = act.about
        assert isinstance(request, tuple)
        left = list(state.late)
        left.remove(request)
        return self.rules.take(state._replace(late=tuple(left)), request, excused=True)

    def _answered(self, state: State, act: Act) -> State:
        (call,) = act.about
        assert isinstance(call, Call)
        slot = state.slots[act.slot]
        match act.name:
            case "take a part":
                state = self._arrive(state, act.slot, call.about[:1])
                state = self._lost(state, act.slot, call.about[:1])
            case "lose the answer":
                state = self._lost(state, act.slot, call.about)
            case "time out":
                state = state._replace(late=tuple(sorted((*state.late, call.about), key=repr)))
                state = state._replace(budget=state.budget._replace(late=state.budget.late - 1))
        number = self.number_of(call)
        left = tuple(one for one in slot.taken if one != number)
        state = self._put(state, act.slot, slot._replace(taken=left))
        state = self._tell(state, act.slot, hears(call, ANSWERS[act.name]), call)
        if act.name == "acknowledge":
            kept = self.seen(state, act.slot).unanswered
            self.rules.forgotten(one for one in call.about if one not in kept)
        return state

    def _lost(self, state: State, number: int, intents: Iterable[Intent]) -> State:
        """The answer to these is lost. Only while their assignment lasts does what they hold keep others away."""
        slot = state.slots[number]
        for one in intents:
            had = slot.has[one.partition]
            lasts = had is not None and had.epoch == one.epoch and slot.draining != one.partition
            if lasts and self._stands(state, number, one):
                state = self.rules.lose(state, [one.origin])
            else:
                state = self.rules.excuse(state, [one.origin])
        return state

    def _write(self, state: State, act: Act) -> State:
        (call,) = act.about
        assert isinstance(call, Call)
        if act.name == "fail to write":
            return self._tell(state, act.slot, hears(call, Unwritten("_MSG_TIMED_OUT")), call)
        ((partition, offset),) = call.about
        origin = self.scenario.logs[partition][offset].origin
        state = state._replace(letters=tuple(sorted({*state.letters, origin})))
        state = self.rules.open(state, lambda one: one == origin)
        return self._tell(state, act.slot, hears(call, Written()), call)

    def _redrive(self, state: State, act: Act) -> State:
        """A dead letter is sent again, by a tool that belongs to no assignment; the receiver takes it by now."""
        (origin,) = act.about
        assert isinstance(origin, Origin)
        said = self.scenario.said[origin]
        intent = Intent(key_of(said), *origin, OVER, ROUTE, once_of(said), redrive=True)
        done = self._call(state, NOBODY, Call("reserve", (intent,)), token_of(len(state.slots), 1))
        state = state._replace(store=self.filed(done.store))
        if done.answer[1]:
            return state
        return state._replace(operator=Operator(intent, token_of(len(state.slots), 1), done.owner))

    def _redrive_on(self, state: State, act: Act) -> State:
        operator = state.operator
        assert operator is not None
        if not operator.taken:
            # The record read again takes the reservation for its own: it is the same holder.
            holds = any(row.token == operator.token for row in self.store(state).reserved)
            state = self.rules.take(state, [operator.intent], excused=not holds)
            return state._replace(operator=operator._replace(taken=True))
        done = self._call(state, operator.owner, Call("confirm", (operator.intent,)), 0)
        state = state._replace(store=self.filed(done.store), operator=None)
        assert self.store(state).state_of(operator.intent.slot) is KeyState.CONFIRMED
        return state
