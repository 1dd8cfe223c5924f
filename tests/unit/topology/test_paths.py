"""Paths: their grammar, and that walking them by boxes gives what a plain walk gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.topology.boxes import BoxPlan
from consumer.topology.paths import Path, parse_path, plain

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(NAMES, inner, max_size=3)
        | st.lists(inner, max_size=3)
        | st.tuples(st.just("some.Record"), st.dictionaries(NAMES, inner, max_size=3))
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda steps: Path(tuple(steps), False))


def walk(record: dict[str, Any], path: Path) -> Any:
    """What a path means, said in the plainest way."""
    value: Any = record
    for step in path.steps:
        if isinstance(value, tuple):
            value = value[1]
        value = value.get(step) if isinstance(value, dict) else None
    return value


@given(RECORDS, st.lists(PATHS, min_size=1, max_size=6))
def test_boxes_give_each_path_the_value_that_a_plain_walk_gives(
    record: dict[str, Any], paths: list[Path]
) -> None:
    boxes = BoxPlan()
    spots = [boxes.spot(path) for path in paths]
    opened = boxes.opener()(record)

    assert [opened[box].get(name) for box, name in spots] == [walk(record, path) for path in paths]


@given(RECORDS, st.lists(PATHS, min_size=1, max_size=6))
def test_a_container_is_opened_once_however_many_paths_lead_through_it(
    record: dict[str, Any], paths: list[Path]
) -> None:
    boxes = BoxPlan()
    for path in paths:
        boxes.spot(path)

    prefixes = {path.steps[:length] for path in paths for length in range(len(path.steps))}
    assert len(boxes.opener()(record)) == len(prefixes)


@given(RECORDS)
def test_opening_a_record_does_not_change_it(record: dict[str, Any]) -> None:
    boxes = BoxPlan()
    boxes.spot(parse_path("a.b.c"))
    before = repr(record)

    boxes.opener()(record)

    assert repr(record) == before


@given(VALUES)
def test_a_plain_value_holds_no_pairs_and_nothing_else_has_changed(value: Any) -> None:
    def without(kept: Any) -> Any:
        match kept:
            case tuple():
                return without(kept[1])
            case dict():
                return {key: without(member) for key, member in kept.items()}
            case list():
                return [without(member) for member in kept]
        return kept

    assert plain(value) == without(value)
    assert "some.Record" not in repr(plain(value))


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True), min_size=1, max_size=4), st.booleans())
def test_a_path_is_its_names_with_dots_between(names: list[str], optional: bool) -> None:
    path = parse_path(".".join(names) + ("?" if optional else ""))

    assert path == Path(tuple(names), optional)
    assert str(path) == ".".join(names)


@pytest.mark.parametrize(
    "text", ["", "?", ".", "a.", ".a", "a..b", "a b", "a??", "a?.b", "$a", "a\n", "é", "a[0]"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a path such as user\.email"):
        parse_path(text)
