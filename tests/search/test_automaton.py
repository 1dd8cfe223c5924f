"""What the search remembers of a process is what the process does: states that count as one behave as one."""

from random import Random

import pytest

from tests.search.automaton import Automaton
from tests.search.edges import Call
from tests.search.fingerprint import look
from tests.search.process import Process
from tests.search.scenario import Budget, Said, Scenario
from tests.search.state import Act, State
from tests.search.world import World

RECORDS = (
    Said(0, "A", "ann"),
    Said(0, "B", "bob", guilty=True),
    Said(0, "C", "ann", minute=0),
    Said(1, "A", "cat"),
    Said(1, "D", "cat", minute=10),
    Said(1, "E", "dan"),
)
TROUBLE = Budget(3, 3, 3, 3, 3, 2, 3, 2, 2, 2, 0, 1, 1, 2)


class Shadowed(World):
    """A real process goes along with each of the automaton's, by the same events, and is never looked up."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.shadows = [Process(scenario) for _ in range(scenario.processes)]
        self.compared = 0

    def _tell(self, state: State, number: int, event: Call, answered: Call | None = None) -> State:
        told = self.shadows[number].do(event)
        step = self.automaton.step(state.slots[number].state, event)
        assert told == step.told
        assert look(self.shadows[number])[1] == self.automaton.seen[step.state]
        self.compared += 1
        return super()._tell(state, number, event, answered)

    def _crash(self, state: State, act: Act) -> State:
        self.shadows[act.slot].drop()
        self.shadows[act.slot] = Process(self.scenario)
        return super()._crash(state, act)


def walk(scenario: Scenario, automaton: Automaton, random: Random) -> int:
    """Let anything happen, one after the other; gives how often the two were compared."""
    world = Shadowed(scenario)
    world.automaton = automaton
    try:
        state = world.start()
        for _ in range(60):
            acts = list(world.acts(state))
            if not acts:
                break
            state = world.after(state, random.choice(acts))
    finally:
        for shadow in world.shadows:
            shadow.drop()
    return world.compared


@pytest.mark.parametrize("max_items", [1, 2])
def test_what_is_remembered_of_a_process_is_what_a_process_does_that_went_all_the_way(max_items: int) -> None:
    scenario = Scenario("walks", RECORDS, TROUBLE, max_items=max_items, chunk=max_items)
    automaton = World(scenario).automaton  # All walks share what they learn: that is what is tested.
    compared = 0
    for seed in range(25):
        compared += walk(scenario, automaton, Random(seed))
    automaton.close()

    assert compared > 500
    assert len(automaton.seen) < compared, "no state was ever met again"
