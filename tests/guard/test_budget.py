"""What does not depend on the clock: the calls that a record costs on its way, and the memory it holds."""

import msgspec
import pytest

from tests.guard.budget import PYTHON, WORKLOADS, WRITE, Allowance, Budget, findings, read
from tests.guard.calls import measure


@pytest.fixture(scope="module")
def budget():
    found = read()
    if found.python != PYTHON:
        pytest.skip(f"the counts are those of Python {found.python}")
    return found


@pytest.fixture(scope="module")
def costs():
    return {name: measure(name) for name in WORKLOADS}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_record_costs_no_more_calls_than_are_written_down(workload, budget, costs):
    found = list(findings(workload, costs[workload], budget))
    assert not found, "\n".join(
        [*found, f"If that is what it has to cost: {WRITE}, and say why in the commit"]
    )


@pytest.mark.usefixtures("budget")  # which skips it where Python counts otherwise
def test_the_cost_of_a_record_is_the_same_in_every_run(costs):
    again = measure("arrays")
    assert again.calls == pytest.approx(costs["arrays"].calls, rel=0.002)
    assert again.blocks == pytest.approx(costs["arrays"].blocks, rel=0.01)


def test_a_stage_that_makes_one_more_call_a_record_is_named(costs):
    cost = costs["arrays"]
    budget = Budget(PYTHON, {"arrays": Allowance(cost.calls, cost.blocks)})
    grown = msgspec.structs.replace(cost, calls={**cost.calls, "settle": cost.calls["settle"] + 1.0})
    (said,) = findings("arrays", grown, budget)
    assert "arrays: settle makes" in said
    assert "+1.0 on the" in said


def test_a_gain_has_to_be_written_down(costs):
    cost = costs["arrays"]
    budget = Budget(PYTHON, {"arrays": Allowance(cost.calls, cost.blocks)})
    cheaper = msgspec.structs.replace(cost, calls={**cost.calls, "route, map, encode": 5.0})
    (said,) = findings("arrays", cheaper, budget)
    assert "keep that" in said
