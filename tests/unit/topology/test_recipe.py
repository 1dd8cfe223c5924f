"""Routes as values: which have a recipe, and what is left to Python."""

from typing import Any

import pytest

from consumer.clock import ManualClock
from consumer.endpoints.client_events import ClientEvents, ClientEventsOptions
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.event_generic import EventGeneric
from consumer.endpoints.user_analytics import UserAnalytics
from consumer.topology.model import RouteModel, TopicModel
from consumer.topology.plan import Route
from consumer.topology.recipe import Recipe, Recipes, recipe_of

CLOCK = ManualClock()
MAP = {"name": "what", "external_id": "who?", "data": {"object": {"event_id": "id"}}}


def route_of(operation: Operation) -> Route:
    return Route("r", "t", "d", operation, ordered=True, types=(), window="")


def recipe(operation: Operation | None = None, **said: Any) -> Recipe | None:
    model = RouteModel.model_validate({"from": "t", "to": "d", "map": MAP, **said})
    return recipe_of(route_of(operation or ClientEvents(CLOCK)), model, "account", None)


def test_a_plain_route_says_its_fields_in_the_order_of_the_body() -> None:
    fields = {"data": {"object": {"a": "b"}}, "external_id": "who?", "name": {"const": "Opened"}}
    made = recipe(map=fields)
    assert made is not None
    assert made.item is not None
    assert [field.name for field in made.item.fields] == ["name", "external_id", "data"]
    assert [field.check for field in made.item.fields] == ["text", "text", "object"]
    assert made.item.fields[0].known == b'"Opened"'
    assert made.item.required == ["name"]


@pytest.mark.parametrize(
    "said",
    [
        {"key": "origin"},
        {"once": {"window": "20m", "by": ["who"]}},
        {"map": {**MAP, "external_id": {"cel": "a", "with": {"a": "who"}}}},
        {"map": {**MAP, "user": {"object": {"email": "who"}}}},
        {"map": {**MAP, "external_id": {"const": ""}}},
        {"map": {**MAP, "external_id": {"const": 5}}},
        {"map": {**MAP, "external_id": {"const": "x" * 256}}},
        {"map": {**MAP, "data": {"const": {"a": 1}}}},
        {"map": {**MAP, "data": {"object": {"a": {"const": [1]}}}}},
        {"map": {**MAP, "name": {"object": {"a": "who"}}}},
        {"map": {**MAP, "name": {"const": "\ud800"}}},
    ],
    ids=lambda said: str(ascii(said))[:60],
)
def test_what_only_python_makes_is_left_to_it(said: dict[str, Any]) -> None:
    made = recipe(**said)
    assert made is not None
    assert made.item is None


@pytest.mark.parametrize(
    "operation", [EventGeneric(CLOCK), ClientEvents(CLOCK, ClientEventsOptions(canonical_ids=True))]
)
def test_an_operation_that_does_more_than_its_rules_say_is_left_to_python(operation: Operation) -> None:
    made = recipe(operation)
    assert made is not None
    assert made.item is None


@pytest.mark.parametrize(
    "test",
    [
        {"path": "a", "matches": "b+"},
        {"path": "a", "equals": 5},
        {"path": "a", "in": ["b", True]},
        {"cel": "a == 'b'", "with": {"a": "a"}},
    ],
)
def test_a_condition_that_is_not_plain_leaves_the_whole_route_to_python(test: dict[str, Any]) -> None:
    assert recipe(when={"where": [test]}) is None
    assert recipe(drop=[{"reason": "bot", "unless": [test]}]) is None


def test_a_type_is_answered_only_where_all_of_its_routes_have_recipes() -> None:
    said: list[dict[str, Any]] = [
        {"when": {"type": "Opened"}},
        {"when": {"type": "Visited", "where": {"path": "a", "matches": "b+"}}},
        {"when": {"type": "Visited"}},
    ]
    sources = [
        (
            route_of(UserAnalytics(CLOCK)),
            RouteModel.model_validate({"from": "t", "to": "d", "map": MAP, **one}),
            "a",
        )
        for one in said
    ]
    recipes = Recipes(TopicModel(), "x.Whole", sources)
    by_type = recipes.by_type({"x.Opened", "x.Visited", "x.Else"})
    assert {name: len(some) for name, some in by_type.items()} == {"x.Opened": 1, "x.Else": 0, None: 0}
    assert recipes.type_at == ("payload",)
