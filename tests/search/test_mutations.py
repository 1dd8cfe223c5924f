"""A search that finds nothing says something only if it can find: each defence is removed once, and found missing."""

import re

import pytest

from tests.search.mutations import MUTATIONS, Mutation
from tests.search.search import CounterExample, Search

PLACES = {(one.scenario.records, one.scenario.budget): one for one in MUTATIONS}.values()
"""One mutation of each scenario: without any of them it needs to be searched once."""


def _name(mutation: Mutation) -> str:
    return re.sub(r"\W+", "_", mutation.defence)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=_name)
def test_without_one_of_its_defences_the_search_finds_a_counter_example(
    mutation: Mutation,
) -> None:
    with mutation.without(), pytest.raises(CounterExample) as found:
        Search(mutation.scenario).run()

    assert mutation.broken in found.value.what
    assert 1 <= len(found.value.trace) <= 25
    print(f"without: {mutation.defence}\n{found.value}")


@pytest.mark.parametrize("mutation", PLACES, ids=_name)
def test_with_all_of_its_defences_it_finds_none_there(mutation: Mutation) -> None:
    Search(mutation.scenario).run()
