"""What no record can meet is a mistake; what some record may meet is none."""

import pytest

from tests.unit.topology.workshop import Workshop

NEVER = [
    ("where: {path: where.floor, equals: high}", "where.floor is a number, and never 'high'"),
    ("where: {path: who, in: [ada, 5]}", "who is text, and never 5"),
    ("where: {path: where.floor, user_agent: bots}", "where.floor is no text, so no user agent"),
    (
        "where: [{path: who, exists: false}, {path: who, equals: ada}]",
        "can't hold beside the one before it on who: no record passes",
    ),
    (
        "where: [{path: who, in: [ada, bob]}, {path: who, equals: eve}]",
        "can't hold beside the one before it on who: no record passes",
    ),
    (
        "where: {path: who, equals: ada}, unless: {path: who, equals: ada}",
        "leaves out every record that where lets through: the route takes none",
    ),
]
PERHAPS = [
    "where: {path: where.floor, in: [1, 2.5]}",
    "where: [{path: who, equals: ADA}, {path: who, equals: ada, ignore_case: true}]",
    "where: [{path: who, in: [ada, bob]}, {path: who, in: [bob, eve]}]",
    "where: [{path: who, exists: true}, {path: who, equals: ada}]",
    "where: {path: who, equals: ada}, unless: {path: where.shop, equals: north}",
    "unless: {path: who, equals: ada}",
    "where: {path: where.extra.anything, equals: red}",
]


@pytest.mark.parametrize(("when", "text"), NEVER)
def test_a_route_that_no_record_can_meet_is_a_mistake(workshop: Workshop, when: str, text: str) -> None:
    workshop.change("{type: Looked}", f"{{type: Looked, {when}}}")

    assert workshop.mistake()[1] == text


@pytest.mark.parametrize("when", PERHAPS)
def test_a_route_that_some_record_may_meet_is_none(workshop: Workshop, when: str) -> None:
    workshop.change("{type: Looked}", f"{{type: Looked, {when}}}")

    assert len(workshop.load().routes) == 2


@pytest.mark.parametrize(
    ("drop", "key", "text"),
    [
        ("type: Looked", "drop.0", "drops every record of the route: it would send none"),
        ("type: [shop.Looked, Bought]", "drop.0", "drops every record of the route: it would send none"),
        ("type: Bought", "drop.0.type", "is for Bought, and the route takes Looked only"),
    ],
)
def test_a_drop_of_everything_or_of_nothing_is_a_mistake(
    workshop: Workshop, drop: str, key: str, text: str
) -> None:
    line = f"    drop: [{{reason: test, {drop}}}]\n"
    workshop.change("    when: {type: Looked}\n", f"    when: {{type: Looked}}\n{line}")

    assert workshop.mistake() == (f"routes.looked.{key}", text)


def test_a_drop_of_one_of_several_types_is_none(workshop: Workshop) -> None:
    line = "    drop: [{reason: test, type: Bought}]\n"
    workshop.change("    when: {type: Bought}\n", f"    when: {{type: [Bought, Looked]}}\n{line}")

    assert len(workshop.load().routes) == 2
