"""A mix that makes no sense is refused before anything is produced."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.errors import UsageError
from consumer.sandbox.generator import Mix, Plan


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_of_0_to_1_is_refused_by_its_name(share: float) -> None:
    with pytest.raises(UsageError, match="tombstones"):
        Mix(tombstones=share)


def test_shares_that_add_up_to_more_than_all_records_are_refused() -> None:
    with pytest.raises(UsageError, match="add up"):
        Mix(bots=0.5, machine_opens=0.5)


def test_more_duplicates_than_originals_are_refused() -> None:
    with pytest.raises(UsageError, match="duplicates"):
        Mix(duplicates=0.6)


def test_the_default_mix_is_mostly_deliverable() -> None:
    assert 0.01 < Mix().refused < 0.2


@pytest.mark.parametrize("wrong", [{"count": 0}, {"seed": -1}, {"start_ms": -1}, {"span_ms": 0}])
def test_a_plan_without_records_seed_or_time_is_refused(wrong: dict[str, Any]) -> None:
    good = Plan(count=1, seed=1, schema_id=1, start_ms=1)

    with pytest.raises(UsageError, match=r"count|seed|1970"):
        replace(good, **wrong)


def test_a_plan_that_ends_now_has_no_record_from_the_future() -> None:
    plan = Plan.ending_at(1_770_000_000_000, count=10, seed=1, schema_id=1)

    assert plan.at_ms(0) == 1_770_000_000_000 - 6 * 3_600_000
    assert plan.at_ms(9) < 1_770_000_000_000
