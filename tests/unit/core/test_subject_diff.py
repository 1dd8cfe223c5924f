"""What a plan changes of a subject: the schema only after its proof, the level in the order that a registry takes."""

import pytest

from consumer.core.changes import RegisterSchema, SetCompatibility
from consumer.core.cluster import FoundSubject, WantedSubject
from consumer.core.compatibility import LEVELS, is_weaker, pairs_to_prove
from consumer.core.subject_diff import diff_subject, level_in_force

TEXT = '"string"'


def wanted(level: str | None = "FULL_TRANSITIVE") -> WantedSubject:
    return WantedSubject("events-value", TEXT, level)


def found(versions: int = 2, holds: int | None = None, level: str | None = None) -> FoundSubject:
    return FoundSubject(dict.fromkeys(range(1, versions + 1)), holds, level, "BACKWARD")


def test_a_new_subject_is_registered_and_then_given_its_level() -> None:
    changes = diff_subject(wanted(), found(versions=0), [])

    assert changes.changes == (
        RegisterSchema("events-value", 0, TEXT),
        SetCompatibility("events-value", "BACKWARD (the registry's)", "FULL_TRANSITIVE"),
    )


def test_a_known_subject_gets_its_level_first_so_that_it_judges_the_new_schema() -> None:
    changes = diff_subject(wanted(), found(), [])

    assert [type(change) for change in changes.changes] == [SetCompatibility, RegisterSchema]


def test_what_is_there_is_left_alone() -> None:
    changes = diff_subject(wanted(), found(holds=2, level="FULL_TRANSITIVE"), [])

    assert (changes.changes, changes.refusals, changes.warnings, changes.same) == ((), (), (), 2)


def test_a_level_that_nobody_claims_stays() -> None:
    changes = diff_subject(wanted(level=None), found(holds=2, level="NONE"), [])

    assert changes.changes == ()
    assert level_in_force(wanted(level=None), found(level="NONE")) == "NONE"
    assert level_in_force(wanted(level=None), found()) == "BACKWARD"


def test_a_schema_that_is_not_proven_is_refused_with_its_level() -> None:
    changes = diff_subject(wanted(), found(), ["the new schema cannot read data of version 1: floor: …"])

    assert changes.changes == ()
    assert [one.text for one in changes.refusals] == [
        "the new schema cannot read data of version 1: floor: …"
    ]


def test_a_weaker_promise_and_a_file_behind_the_registry_are_told() -> None:
    weaker = diff_subject(wanted("BACKWARD"), found(holds=2, level="FULL"), [])
    behind = diff_subject(wanted(None), found(holds=1), [])

    assert "promises less than FULL" in weaker.warnings[0].text
    assert "version 1, and the latest is 2" in behind.warnings[0].text


@pytest.mark.parametrize(
    ("level", "pairs"),
    [
        ("NONE", []),
        ("BACKWARD", [(2, 1)]),
        ("BACKWARD_TRANSITIVE", [(2, 0), (2, 1)]),
        ("FORWARD", [(1, 2)]),
        ("FORWARD_TRANSITIVE", [(0, 2), (1, 2)]),
        ("FULL", [(2, 1), (1, 2)]),
        ("FULL_TRANSITIVE", [(2, 0), (2, 1), (0, 2), (1, 2)]),
    ],
)
def test_each_level_demands_the_pairs_that_its_name_says(level: str, pairs: list[tuple[int, int]]) -> None:
    assert pairs_to_prove(level, 3) == pairs
    assert pairs_to_prove(level, 1) == []


def test_full_transitive_is_weaker_than_nothing_and_none_weaker_than_all_others() -> None:
    assert not any(is_weaker("FULL_TRANSITIVE", than) for than in LEVELS)
    assert all(is_weaker("NONE", than) for than in LEVELS if than != "NONE")
    assert is_weaker("FORWARD", "BACKWARD")
    assert not is_weaker("FULL", "FORWARD")
