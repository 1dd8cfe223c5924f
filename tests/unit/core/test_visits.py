"""Which visits are new."""

import msgspec
import pytest

from consumer.core.visits import KnownVisits, Visit, numbered

ONE = Visit("tp-1", "user-1", 1_704_103_200_000, 1)


def test_equals_are_numbered_each_kind_by_itself():
    another = msgspec.structs.replace(ONE, user_id="user-2")

    found = numbered([ONE, another, ONE, ONE])

    assert [(one.user_id, one.occurrence) for one in found] == [
        ("user-1", 1),
        ("user-2", 1),
        ("user-1", 2),
        ("user-1", 3),
    ]


@pytest.mark.parametrize(
    "change",
    [{"touchpoint_id": "tp-2"}, {"user_id": "user-2"}, {"visited_at_ms": 1}, {"occurrence": 2}],
    ids=lambda change: next(iter(change)),
)
def test_a_visit_that_differs_in_one_of_four_is_another(change):
    known = KnownVisits()
    known.add([ONE])

    assert len(known.new([msgspec.structs.replace(ONE, **change)])) == 1


def test_fields_that_only_describe_make_no_other_visit():
    known = KnownVisits()
    known.add([ONE])

    assert not known.new([msgspec.structs.replace(ONE, touchpoint_name="Renamed", experience_id="47Gop5")])


def test_ids_that_only_together_read_alike_are_different():
    first, second = Visit("a", "bc", 0, 1), Visit("ab", "c", 0, 1)

    assert first.identity() != second.identity()


def test_new_ones_come_once_and_in_the_order_of_time():
    early, late = msgspec.structs.replace(ONE, visited_at_ms=1), msgspec.structs.replace(ONE, visited_at_ms=9)

    assert KnownVisits().new([late, early, late]) == [early, late]
