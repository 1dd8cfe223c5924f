"""The ledger's side of the world: what a call does to the store, and when reservations lapse."""

from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

from msgspec.structs import replace

from consumer.ledger.ledger import Held, Intent
from tests.search.book import OVER, STANDS, Done, Store
from tests.search.edges import Call
from tests.search.ground import Ground, hears, token_of, with_
from tests.search.scenario import Scenario
from tests.search.state import Act, State


class Shelf(Ground):
    """Where the ledger stands."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._answers: dict[Hashable, tuple[int, int, Any]] = {}

    def _ledger(self, state: State, act: Act) -> State:
        (call,) = act.about
        assert isinstance(call, Call)
        number, slot = act.slot, state.slots[act.slot]
        alias = self._spare_token(state, number) if call.kind == "reserve" else 0
        owner, store, answer = self._asked(state, number, call, alias)
        before = state
        state = self._swept(self._put(state, number, slot._replace(owner=owner))._replace(store=store))
        state = self._redriven(before, state)
        if call.kind == "confirm":
            self.rules.book(state, self.store(state))
        match call.kind:
            case "assign":
                (where,) = call.about
                epoch = self._spare_epoch(state, number, where.partition)
                state = self._moved(state, number, where.partition, epoch)
                self.rules.claim(state, where.partition, answer[0][1])
                answer = ((where, epoch, *answer[0][1:]),)
            case "reserve":
                granted = (one for index, one in enumerate(call.about) if index not in dict(answer[1]))
                self.rules.fenced(state, (one for one in granted if not self._stands(state, number, one)))
                answer = (alias, answer[1])
        return self._tell(state, number, hears(call, answer), call)

    def _redriven(self, before: State, state: State) -> State:
        """The record read again is the holder of its redrive too, and takes that over: then it may arrive twice."""
        operator = state.operator
        if operator is None or not operator.taken:
            return state
        held, holds = (
            any(row.token == operator.token for row in self.store(one).reserved) for one in (before, state)
        )
        return self.rules.excuse(state, [operator.intent.origin]) if held and not holds else state

    def _asked(self, state: State, number: int, call: Call, alias: int) -> tuple[int, int, Any]:
        """The owner and the store after the call, and the answer."""
        stands: tuple[bool, ...] = ()
        if call.kind == "reserve":
            stands = tuple(map(partial(self._stands, state, number), call.about))
        elif call.kind == "venture":
            stands = tuple(state.stands[one.partition] == (number, epoch) for one, (epoch, _) in call.about)
        operator = None if state.operator is None else state.operator.owner
        owners = tuple(slot.owner for slot in state.slots)
        key = (state.store, owners, operator, number, call, alias, stands)
        known = self._answers.get(key)
        if known is None:
            asked = self._translated(state, number, call)
            done = self._call(state, state.slots[number].owner, asked, token_of(number, alias))
            known = self._answers[key] = (done.owner, self.filed(done.store), done.answer)
        return known

    def _call(self, state: State, owner: int, asked: Call, token: int) -> Done:
        return self.book.call(self.store(state), owner, asked, token, self._spare_owner(state))

    def _spare_owner(self, state: State) -> int:
        store = self.store(state)
        owners = self._living(state) | set(store.owners) | {row.owner for row in store.reserved}
        return next(one for one in range(1, 99) if one not in owners)

    def _living(self, state: State) -> set[int]:
        operator = set() if state.operator is None else {state.operator.owner}
        return {slot.owner for slot in state.slots} | operator

    def _swept(self, state: State) -> State:
        """Without the owners that died and hold nothing: nobody can tell whether their lease lasts."""
        store = self.store(state)
        needed = self._living(state) | {row.owner for row in store.reserved}
        if needed >= set(store.owners):
            return state
        owners = tuple(one for one in store.owners if one in needed)
        return state._replace(store=self.filed(store._replace(owners=owners)))

    def _translated(self, state: State, number: int, call: Call) -> Call:
        """With epochs and tokens as the store has them."""
        match call.kind:
            case "reserve":
                return Call(
                    "reserve",
                    tuple(
                        replace(one, epoch=STANDS if self._stands(state, number, one) else OVER)
                        for one in call.about
                    ),
                )
            case "confirm" | "states":
                return Call(call.kind, tuple(replace(one, epoch=OVER) for one in call.about))
            case "release" | "bury":
                held = (
                    Held(replace(one.intent, epoch=OVER), token_of(number, one.token)) for one in call.about
                )
                return Call(call.kind, tuple(held))
            case "venture":
                return Call(
                    "venture",
                    tuple(
                        (one, (STANDS if state.stands[one.partition] == (number, epoch) else OVER, reach))
                        for one, (epoch, reach) in call.about
                    ),
                )
        return call

    def _spare_token(self, state: State, number: int) -> int:
        seen = self.seen(state, number)
        used = set(seen.tokens) | {row.token - token_of(number, 0) for row in self.store(state).reserved}
        used |= {one.token for call in seen.calls if call.kind in ("release", "bury") for one in call.about}
        return next(one for one in range(1, 99) if one not in used)

    def _spare_epoch(self, state: State, number: int, partition: int) -> int:
        used = set(self.seen(state, number).epochs)
        used |= {
            (one.partition, one.epoch) for call in self.seen(state, number).calls for one in _intents(call)
        }
        had = state.slots[number].has[partition]
        return next(
            one for one in range(1, 99) if (partition, one) not in used and (had is None or had.epoch != one)
        )

    def _moved(self, state: State, number: int, partition: int, epoch: int) -> State:
        """The ledger has a new owner of the partition: what others of it have under way may be done twice."""
        for other in range(len(state.slots)):
            state = self._doubt(state, other, lambda one: one.partition == partition)
        state = self.rules.open(state, lambda origin: origin.partition == partition)
        return state._replace(stands=with_(state.stands, partition, (number, epoch)))

    def _doubt(
        self, state: State, number: int, which: Callable[[Intent], bool], *, untaken: bool = False
    ) -> State:
        """What of these the receiver took, and the process has not confirmed yet, may come again."""
        slot = state.slots[number]
        seen = self.seen(state, number)
        pending = {
            one
            for call in seen.calls
            if call.kind == "send" and self.number_of(call) not in slot.taken and not untaken
            for one in call.about
        }
        return self.rules.excuse(
            state, [one.origin for one in seen.unanswered if one not in pending and which(one)]
        )

    def _lapse(self, state: State, act: Act) -> State:
        store = self.store(state)
        owners = tuple(one for one in store.owners if one != act.about[0])
        return state._replace(store=self.filed(store._replace(owners=owners)))

    def _flush(self, state: State, act: Act) -> State:
        every = [record.origin for log in self.scenario.logs for record in log]
        state = self.rules.excuse(self.rules.excuse(state, every), every)
        return state._replace(store=self.filed(Store()), flushed=True)

    def _ends_badly(self, state: State, number: int, *, untaken: bool = False) -> State:
        """What this process holds may lapse now, whatever became of it."""
        state = self._doubt(state, number, lambda one: True, untaken=untaken)
        mine = {partition for partition, had in enumerate(state.slots[number].has) if had is not None}
        return self.rules.open(state, lambda origin: origin.partition in mine)


def _intents(call: Call) -> Iterator[Intent]:
    for one in call.about:
        if isinstance(one, Intent):
            yield one
        elif isinstance(one, Held):
            yield one.intent
