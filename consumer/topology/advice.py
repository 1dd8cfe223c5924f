"""What operations have to say about sound routes to them: what is deprecated, what can't be migrated."""

from collections.abc import Mapping

from consumer.endpoints.endpoint import Advising, Operation
from consumer.topology.expression import Constant, Expression, Lookup
from consumer.topology.model import RouteModel
from consumer.topology.paths import parse_path

Texts = frozenset[str]


def advice_on(routes: Mapping[str, tuple[RouteModel, Operation]]) -> tuple[str, ...]:
    """Notes, each once, with the routes that it is about before it. routes: by name."""
    about: dict[str, list[str]] = {}
    for name, (model, operation) in routes.items():
        if isinstance(operation, Advising):
            for text in operation.advice(known_texts(model)):
                about.setdefault(text, []).append(name)
    return tuple(f"{', '.join(names)}: {text}" for text, names in about.items())


def known_texts(route: RouteModel) -> dict[str, Texts | None]:
    """Of each mapped field the only texts that it can have, by constants and by the route's own conditions."""
    tested = _tested(route)
    return {name: _texts_of(expression, tested) for name, expression in route.map.items()}


def _tested(route: RouteModel) -> dict[tuple[str, ...], Texts]:
    """The texts that `where` leaves for a path."""
    left: dict[tuple[str, ...], Texts] = {}
    for condition in (route.when.where or ()) if route.when else ():
        values = condition.in_ or [condition.equals]
        if condition.ignore_case or not all(isinstance(value, str) for value in values):
            continue
        steps = parse_path(condition.path).steps
        left[steps] = left.get(steps, frozenset(values)) & frozenset(values)
    return left


def _texts_of(expression: Expression, tested: Mapping[tuple[str, ...], Texts]) -> Texts | None:
    match expression:
        case Constant(const=str() as text):
            return frozenset({text})
        case str():
            return tested.get(parse_path(expression).steps)
        case Lookup(default=None):
            return tested.get(parse_path(expression.path).steps)
        case _:
            return None
