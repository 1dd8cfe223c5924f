"""All paths that a route asks a record for, each with its place in the file."""

from collections.abc import Iterator, Mapping

from consumer.settings.document import Location
from consumer.topology.expression import Computed, Expression, Lookup, Nested, Template
from consumer.topology.model import ConditionModel, RouteModel, WhenModel
from consumer.topology.paths import Path, parse_path
from consumer.topology.template import parse_template

Used = tuple[Location, Path, list[str] | None]
"""Where it stands, the path, and the types of records that it is for, if it is not for all of the route's."""


def paths_of(route: RouteModel) -> Iterator[Used]:
    """Every path, in the order of the file's keys."""
    for at, path in _of_fields(route.map, ("map",)):
        yield at, path, None
    if route.when is not None:
        yield from _of_when(route.when, ("when",))
    for position, drop in enumerate(route.drop):
        yield from _of_when(drop, ("drop", position))
    if route.key not in ("origin", "none"):
        yield ("key",), parse_path(route.key), None
    if route.once is not None:
        yield ("once", "at"), parse_path(route.once.at), None
        for position, text in enumerate(route.once.by or ()):
            yield ("once", "by", position), parse_path(text), None


def _of_fields(fields: Mapping[str, Expression], at: Location) -> Iterator[tuple[Location, Path]]:
    for name, expression in fields.items():
        match expression:
            case str():
                yield (*at, name), parse_path(expression)
            case Lookup():
                path = parse_path(expression.path)
                optional = path.optional or expression.optional or expression.default is not None
                yield (*at, name, "path"), Path(path.steps, optional)
            case Template():
                for part in parse_template(expression.template):
                    if isinstance(part, Path):
                        yield (*at, name, "template"), part
            case Computed():
                for value, text in expression.with_.items():
                    yield (*at, name, "with", value), parse_path(text)
            case Nested():
                yield from _of_fields(expression.object, (*at, name, "object"))


def _of_when(when: WhenModel, at: Location) -> Iterator[Used]:
    for name, conditions in (("where", when.where), ("unless", when.unless)):
        for position, condition in enumerate(conditions or ()):
            # An absent value only fails the test, so the path has to exist in some records, not in all.
            if isinstance(condition, Computed):
                for value, text in condition.with_.items():
                    path = Path(parse_path(text).steps, True)
                    yield (*at, name, position, "with", value), path, when.type
            else:
                yield (*at, name, position, "path"), Path(_steps(condition), True), when.type


def _steps(condition: ConditionModel) -> tuple[str, ...]:
    return parse_path(condition.path).steps
