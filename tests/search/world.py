"""What follows what happens: the broker, the receiver, the ledger's store, and which process hears of it."""

from collections.abc import Callable, Iterator

from tests.search.acts import Acts
from tests.search.book import Store
from tests.search.broker import Broker
from tests.search.edges import Call
from tests.search.ground import hears, token_of
from tests.search.scenario import Scenario
from tests.search.state import NOBODY, Act, Arrived, Slot, State
from tests.search.trace import tell

COSTS = {
    "lose the answer": "lose_answer",
    "time out": "lose_answer",
    "take a part": "store_part",
    "break": "break_answer",
    "fail to write": "letter_fails",
}


class World(Broker):
    """The states and what leads from one to the next."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._acts = Acts(scenario, self.number_of)
        self._follow: dict[str, Callable[[State, Act], State]] = {
            "ledger": self._ledger,
            "rehearse": self._rehearsed,
            "take": self._take,
            "write": self._write,
            "fail to write": self._write,
            "timer": self._timer,
            "poll": self._poll,
            "commit": self._commit,
            "broker": self._broker,
            "revoke": self._revoke,
            "steal": self._steal,
            "tell lost": self._tell_lost,
            "assign": self._assign,
            "crash": self._crash,
            "lapse": self._lapse,
            "stall": self._stall,
            "reload": self._reload,
            "take late": self._take_late,
            "flush": self._flush,
            "redrive": self._redrive,
            "redrive on": self._redrive_on,
        }

    def start(self) -> State:
        scenario = self.scenario
        nothing: tuple[None, ...] = (None,) * scenario.partitions
        state = State(
            slots=tuple(Slot(0, 1 + number, nothing) for number in range(scenario.processes)),
            store=self.filed(Store()),
            committed=nothing,
            members=(NOBODY,) * scenario.partitions,
            stands=nothing,
            arrived=(Arrived(),) * len(scenario.events),
            letters=(),
            late=(),
            budget=scenario.budget,
        )
        for partition, owner in enumerate(scenario.owners):
            state = self._assign(state, Act("assign", owner, (partition,)))
            while state.slots[owner].has[partition] is None:
                (call,) = self.seen(state, owner).calls
                state = self._ledger(state, Act("ledger", owner, (call,)))
        return state

    def acts(self, state: State) -> Iterator[Act]:
        return self._acts.of(state, self.automaton.seen, self.store(state).owners)

    def after(self, state: State, act: Act) -> State:
        """Raises Broken where this breaks a rule."""
        if act.name in COSTS:
            state = self._spend(state, COSTS[act.name])
        elif not act.calm and act.name in state.budget._fields:
            state = self._spend(state, act.name)
        elif act.name == "timer" and not act.calm:
            state = self._spend(state, "deadline")
        return self._follow.get(act.name, self._answered)(state, act)

    def quiet(self, state: State) -> bool:
        """All is done, and nothing is left behind."""
        if any(
            (committed or 0) < len(log)
            for committed, log in zip(state.committed, self.scenario.logs, strict=True)
        ):
            return False
        if self.store(state).reserved or state.operator is not None:
            return False
        for number, slot in enumerate(state.slots):
            if slot.draining != NOBODY or slot.commits or slot.taken:
                return False
            seen = self.seen(state, number)
            if seen.calls or seen.timers or seen.due:
                return False
        return all(
            member != NOBODY and state.slots[member].has[partition] is not None
            for partition, member in enumerate(state.members)
        )

    def told(self, state: State, act: Act) -> str:
        """The act in words."""
        if act.name != "ledger":
            return tell(self.scenario, state, act)
        (call,) = act.about
        assert isinstance(call, Call)
        asked = self._translated(state, act.slot, call)
        done = self._call(state, state.slots[act.slot].owner, asked, token_of(act.slot, 99))
        return tell(self.scenario, state, act, done.answer)

    @staticmethod
    def _spend(state: State, name: str) -> State:
        budget = state.budget
        return state._replace(budget=budget._replace(**{name: getattr(budget, name) - 1}))

    def _crash(self, state: State, act: Act) -> State:
        slot = state.slots[act.slot]
        state = self._ends_badly(state, act.slot)
        if state.budget.late:
            sends = [call for call in self.seen(state, act.slot).calls if call.kind == "send"]
            left = [call.about for call in sends if self.number_of(call) not in slot.taken][
                : state.budget.late
            ]
            state = state._replace(
                late=tuple(sorted((*state.late, *left), key=repr)),
                budget=state.budget._replace(late=state.budget.late - len(left)),
            )
        members = tuple(NOBODY if one == act.slot else one for one in state.members)
        stands = tuple(None if one is not None and one[0] == act.slot else one for one in state.stands)
        # It is started again at once: whether it is given anything is the broker's choice.
        again = Slot(0, self._spare_owner(state), (None,) * self.scenario.partitions)
        return self._swept(self._put(state._replace(members=members, stands=stands), act.slot, again))

    def _stall(self, state: State, act: Act) -> State:
        slot = state.slots[act.slot]
        state = self._ends_badly(state, act.slot, untaken=True)
        state = self._lapse(state, Act("lapse", NOBODY, (slot.owner,)))
        return self._tell(state, act.slot, Call("stall", ()))

    def _rehearsed(self, state: State, act: Act) -> State:
        (call,) = act.about
        assert isinstance(call, Call)
        return self._tell(state, act.slot, hears(call, None), call)

    def _timer(self, state: State, act: Act) -> State:
        if not act.calm:
            state = self._put(state, act.slot, state.slots[act.slot]._replace(overdue=True))
        return self._tell(state, act.slot, Call("timer", act.about))

    def _reload(self, state: State, act: Act) -> State:
        return self._tell(state, act.slot, Call("reload", ("v2",)))
