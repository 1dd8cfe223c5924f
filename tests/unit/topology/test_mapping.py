"""What each form of the mapping language makes of a record."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.unit.topology.workshop import Workshop, refused, sent, visit


def mapped(workshop: Workshop, data: str) -> Any:
    """A plan whose item's `data` has the given fields."""
    workshop.change(
        "          page: payload.page\n", "".join(f"          {line}\n" for line in data.splitlines())
    )
    return workshop.load()


def test_a_path_gives_the_value_it_leads_to(workshop: Workshop) -> None:
    plan = mapped(workshop, "page: payload.page\nshop: where.shop\nid: id")

    assert sent(plan, visit())["data"] == {"page": "/hats", "shop": "north", "id": "e-1"}


def test_a_required_path_without_a_value_is_named_and_nothing_is_sent(workshop: Workshop) -> None:
    plan = mapped(workshop, "floor: where.floor")

    assert refused(plan, visit()) == ("data.floor", "the record has no where.floor")


def test_an_optional_path_without_a_value_is_left_out(workshop: Workshop) -> None:
    plan = mapped(workshop, "page: payload.page\nfloor: where.floor?")

    assert sent(plan, visit())["data"] == {"page": "/hats"}


@pytest.mark.parametrize("absent", [None, {}, "no container", 5, ["where"]])
def test_a_path_through_what_is_no_container_leads_nowhere(workshop: Workshop, absent: object) -> None:
    plan = mapped(workshop, "shop: where.shop")

    assert refused(plan, visit(where=absent)) == ("data.shop", "the record has no where.shop")


def test_false_nought_and_empty_text_are_values(workshop: Workshop) -> None:
    plan = mapped(workshop, "floor: where.floor\nshop: where.shop")

    record = visit(where={"floor": 0, "shop": "", "extra": {}})

    assert sent(plan, record)["data"] == {"floor": 0, "shop": ""}


def test_a_path_goes_through_records_in_unions_and_through_maps(workshop: Workshop) -> None:
    plan = mapped(workshop, "shop: payload.at.shop\ncolour: where.extra.colour")
    record = visit(where={"shop": "north", "floor": None, "extra": {"colour": "red"}})
    record["payload"][1]["at"] = ("shop.Place", {"shop": "south", "floor": None, "extra": {}})

    assert sent(plan, record)["data"] == {"shop": "south", "colour": "red"}


def test_a_path_to_a_whole_record_gives_an_object_without_the_unions_names(workshop: Workshop) -> None:
    plan = mapped(workshop, "all: payload\nplace: where")
    record = visit()
    record["payload"][1]["at"] = ("shop.Place", {"shop": "south", "floor": 2, "extra": {"a": "b"}})

    data = sent(plan, record)["data"]

    assert data["all"] == {
        "page": "/hats",
        "at": {"shop": "south", "floor": 2, "extra": {"a": "b"}},
        "tags": ["new"],
    }
    assert data["place"] == {"shop": "north", "floor": None, "extra": {}}


def test_records_inside_of_lists_lose_the_unions_names_too(workshop: Workshop) -> None:
    plan = mapped(workshop, "tags: payload.tags")
    record = visit()
    record["payload"][1]["tags"] = [("shop.Tag", {"name": "new"}), "old", None]

    assert sent(plan, record)["data"]["tags"] == [{"name": "new"}, "old", None]


def test_a_constant_is_always_the_same(workshop: Workshop) -> None:
    plan = mapped(workshop, "a: {const: text}\nb: {const: 5}\nc: {const: false}\nd: {const: [1, {x: y}]}")

    assert sent(plan, visit())["data"] == {"a": "text", "b": 5, "c": False, "d": [1, {"x": "y"}]}


def test_a_default_stands_in_for_an_absent_value_only(workshop: Workshop) -> None:
    plan = mapped(workshop, "floor: {path: where.floor, default: 0}")

    assert sent(plan, visit())["data"] == {"floor": 0}
    assert sent(plan, visit(where={"shop": "n", "floor": 3}))["data"] == {"floor": 3}


def test_the_long_form_of_an_optional_path_is_the_same_as_the_question_mark(workshop: Workshop) -> None:
    plan = mapped(workshop, "page: payload.page\nfloor: {path: where.floor, optional: true}")

    assert sent(plan, visit())["data"] == {"page": "/hats"}


def test_a_template_fills_paths_into_text(workshop: Workshop) -> None:
    plan = mapped(workshop, 'x: {template: "{where.shop}{payload.page} on {occurred_at} {{{id}}}"}')

    assert sent(plan, visit())["data"] == {"x": "north/hats on 2026-04-27T12:00:00Z {e-1}"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), "2026-01-02T03:04:05.678000Z"),
        (datetime(2026, 1, 2).date(), "2026-01-02"),
    ],
)
def test_a_template_writes_each_scalar_as_its_readers_expect(
    workshop: Workshop, value: object, text: str
) -> None:
    plan = mapped(workshop, 'x: {template: "<{where.floor}>"}')

    assert sent(plan, visit(where={"floor": value}))["data"] == {"x": f"<{text}>"}


def test_a_template_refuses_what_has_no_text(workshop: Workshop) -> None:
    plan = mapped(workshop, 'x: {template: "<{where}>"}')

    assert refused(plan, visit()) == ("data.x", "where is no text, number or time")


def test_a_template_needs_its_paths_unless_they_are_optional(workshop: Workshop) -> None:
    required = mapped(workshop, 'x: {template: "<{where.floor}>"}')
    assert refused(required, visit()) == ("data.x", "the record has no where.floor")

    optional = mapped(workshop, 'x: {template: "<{where.floor?}>"}')
    assert sent(optional, visit())["data"] == {"x": "<>"}


def test_an_object_that_would_be_empty_is_left_out(workshop: Workshop) -> None:
    plan = mapped(
        workshop, "page: payload.page\nplace: {object: {floor: {path: where.floor, optional: true}}}"
    )

    assert sent(plan, visit())["data"] == {"page": "/hats"}


def test_objects_nest_and_name_a_missing_value_in_full(workshop: Workshop) -> None:
    plan = mapped(workshop, "place: {object: {in: {object: {floor: where.floor, kind: {const: shop}}}}}")

    assert sent(plan, visit(where={"floor": 1}))["data"] == {"place": {"in": {"floor": 1, "kind": "shop"}}}
    assert refused(plan, visit()) == ("data.place.in.floor", "the record has no where.floor")


def test_what_the_operation_refuses_is_told_with_its_field(workshop: Workshop) -> None:
    workshop.change("name: {const: Looked}", "name: payload.page")
    record = visit()
    record["payload"][1]["page"] = "x" * 256

    assert refused(workshop.load(), record) == ("name", "is longer than 255 characters")


def test_one_record_never_changes_what_the_next_one_gets(workshop: Workshop) -> None:
    plan = mapped(workshop, "floor: {path: where.floor, default: 0}\nlist: {const: []}")

    sent(plan, visit(where={"floor": 3, "shop": "n"}))

    assert sent(plan, visit())["data"] == {"floor": 0, "list": []}
