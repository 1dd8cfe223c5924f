"""The protocol searched: each rule in each state, and peace from each. `make test` plays the small scenarios, `make
ci-full` those of `docs/protocol.md` as well. What was found is printed: `pytest -s`."""

import pytest

from tests.search.scenarios import FULL, SMALL
from tests.search.search import Search


@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
def test_no_rule_is_broken_in_any_order_of_events_and_peace_can_be_had_from_each_state(scenario):
    found = Search(scenario).run()

    print(found)
    assert found.quiet


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", FULL, ids=lambda scenario: scenario.name)
def test_no_rule_is_broken_in_the_full_search_and_peace_can_be_had_from_each_state(scenario):
    found = Search(scenario).run()

    print(found)
    assert found.quiet
