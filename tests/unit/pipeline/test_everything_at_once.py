"""The books balance at every turn, whatever happens (design rule 11), and once peace returns nothing is lost, left
behind, or doubled without a reason.

At every turn of the loop: consumed and matched are even with what became of them; each delivery ends once; no record is
sent before one of its lane, without a reservation, or after its assignment ended; no commit passes an unsettled record,
goes back, or is ahead of the ledger. See `stage` and `drama`.
"""

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.pipeline.drama import ACTS, Drama
from tests.unit.pipeline.virtual_time import run

CALM = [act for act in ACTS if act not in ("kill", "fence", "ledger_fails", "ledger_slow")]


@settings(max_examples=60)
@example(1, [("say", 28), ("wait", 20), ("kill", 0)])  # killed when a confirmation was due and had not begun
@given(st.integers(0, 2**32), st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1000)), max_size=30))
def test_crashes_fences_stalls_halts_and_refusals_in_any_order(seed, acts):
    async def play() -> None:
        await Drama(seed).play(acts)

    run(play())


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.sampled_from(CALM), st.integers(0, 1000)), max_size=30))
def test_rebalances_with_a_ledger_that_always_answers_double_nothing_that_was_answered(seed, acts):
    async def play() -> None:
        await Drama(seed).play(acts)

    run(play())


@pytest.mark.parametrize("seed", range(5))
def test_a_long_play(seed):
    random = Random(seed)

    async def play() -> None:
        await Drama(seed).play([(random.choice(ACTS), random.randrange(1_000)) for _ in range(150)])

    run(play())
