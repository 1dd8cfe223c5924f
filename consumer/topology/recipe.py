"""Routes as values: what native code can apply to a record's bytes, where a route is plain.

A route that is not plain has no recipe, and the records that may be its own go Python's way, as does any record that is
not plain itself: native code gives the answers that the route's function would give, or none. So there is no verdict
here, and no reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from consumer.endpoints import checks, phones
from consumer.endpoints.fields import Rules, as_json
from consumer.endpoints.plain import Pair, Plain
from consumer.topology.bots import LONGEST, is_bot
from consumer.topology.digests import beginning
from consumer.topology.expression import Constant, Expression, Lookup, Nested, Template
from consumer.topology.model import ConditionModel, RouteModel, TopicModel, WhenModel
from consumer.topology.paths import Path, parse_path
from consumer.topology.plan import Dropped, Route
from consumer.topology.route import takes_type
from consumer.topology.template import parse_template

Steps = tuple[str, ...]
"""A path's."""

_CHECKS: Mapping[checks.Check, str] = {
    checks.text: "text",
    checks.timestamp: "timestamp",
    checks.number: "number",
    checks.identifier: "identifier",
}
_ASKED: frozenset[checks.Check] = frozenset({phones.e164})
"""Checks of texts that native code asks Python for."""

_IN_OBJECT = checks.json_object(level=2)
_MOST_TYPES = 1_000


class Test(msgspec.Struct, frozen=True):
    """One test of one value: absent, present, true, false, texts, folded (lower case) or judge."""

    path: Steps
    kind: str
    texts: Sequence[str] = ()
    judge: Callable[[str], bool] | None = None
    longest: int = 0
    """So many characters go to the judge."""


class When(msgspec.Struct, frozen=True):
    """All of `wanted`, and not all of `unless` if there are any."""

    wanted: Sequence[Test]
    unless: Sequence[Test]


class Drops(msgspec.Struct, frozen=True):
    """The records that get this answer. None: all."""

    when: When | None
    answer: Dropped


class Part(msgspec.Struct, frozen=True):
    """Of a template: a literal text, or the one at a path."""

    text: str = ""
    path: Steps | None = None
    optional: bool = False


class FieldRecipe(msgspec.Struct, frozen=True):
    """One field: of a path's value, else `known` JSON, else an object's fields, else a template's parts."""

    name: str
    check: str
    """text, object, timestamp, number, identifier, judge; any: as what lies in an object."""
    limit: int = 0
    judge: Callable[[Any], str | None] | None = None
    path: Steps | None = None
    optional: bool = False
    known: bytes | None = None
    text: str | None = None
    """What `known` says, where it is a text."""
    parts: Sequence[Part] = ()
    fields: Sequence["FieldRecipe"] | None = None


class DigestRecipe(msgspec.Struct, frozen=True):
    """Of the text at a path."""

    path: Steps
    person: bytes
    before: bytes


class OnceRecipe(msgspec.Struct, frozen=True):
    """A window of the record's key."""

    at: Steps
    person: bytes
    before: bytes
    length_ms: int | None


class ItemRecipe(msgspec.Struct, frozen=True):
    """What a route makes of a record."""

    fields: Sequence[FieldRecipe]
    required: Sequence[str]
    any_of: Sequence[str]
    pair: Pair | None
    max_bytes: int
    key: DigestRecipe | None
    once: OnceRecipe | None


class Recipe(msgspec.Struct, frozen=True):
    """A route for records of one type. `item` None: the records that it does not pass over or drop are for Python."""

    route: Route
    when: When | None
    drops: Sequence[Drops]
    item: ItemRecipe | None


class Recipes(msgspec.Struct, frozen=True):
    """Of all routes from a topic."""

    topic: TopicModel
    whole_type: str | None
    sources: Sequence[tuple[Route, RouteModel, str]]
    """Each with its destination's account."""

    @property
    def type_at(self) -> Steps | None:
        """Where the union lies whose branch is a record's type."""
        return None if self.topic.payload_field is None else parse_path(self.topic.payload_field).steps

    def by_type(self, names: Iterable[str]) -> dict[str | None, list[Recipe]]:
        """For each type whose routes all have recipes: these. None: a record that tells no type."""
        chosen: dict[str | None, list[Recipe]] = {}
        for name in (*sorted(names)[:_MOST_TYPES], None):
            type_name = self.whole_type if name is None else name
            recipes = [
                recipe_of(route, model, account, type_name)
                for route, model, account in self.sources
                if takes_type(model.when, type_name)
            ]
            plain = [recipe for recipe in recipes if recipe is not None]
            if len(plain) == len(recipes):
                chosen[name] = plain
        return chosen


class _NotPlainError(Exception):
    """Something of the route is for Python alone."""


def recipe_of(route: Route, model: RouteModel, account: str, type_name: str | None) -> Recipe | None:
    """The recipe of a route for records of one type; None where not even its conditions are plain."""
    drops = [drop for drop in model.drop if takes_type(drop, type_name)]
    try:
        return Recipe(
            route,
            _when(model.when),
            [Drops(_when(drop), Dropped(route, drop.reason)) for drop in drops],
            _item(route, model, account),
        )
    except _NotPlainError:
        return None


def _item(route: Route, model: RouteModel, account: str) -> ItemRecipe | None:
    item = route.operation.plain_item() if isinstance(route.operation, Plain) else None
    if item is None:
        return None
    try:
        return ItemRecipe(
            fields=_fields(model.map, item.rules),
            required=sorted(item.rules.required),
            any_of=sorted(item.any_of),
            pair=item.pair,
            max_bytes=item.max_bytes,
            key=_key(model.key, account, route.id),
            once=_once(model, account),
        )
    except (_NotPlainError, UnicodeEncodeError):
        return None


def _key(text: str, account: str, route_id: str) -> DigestRecipe | None:
    if text == "none":
        return None
    if text == "origin":
        raise _NotPlainError
    return DigestRecipe(parse_path(text).steps, b"key", beginning((account, route_id, "id")))


def _once(model: RouteModel, account: str) -> OnceRecipe | None:
    once = model.once
    if once is None:
        return None
    if once.by is not None:
        raise _NotPlainError
    length = "ever" if once.window is None else str(once.window)
    before = beginning((account, length, once.name or "", "(user)"))
    return OnceRecipe(parse_path(once.at).steps, b"once", before, once.window)


def _when(model: WhenModel | None) -> When | None:
    if model is None or not (model.where or model.unless):
        return None
    return When(list(map(_test, model.where or ())), list(map(_test, model.unless or ())))


def _test(condition: Any) -> Test:
    if not isinstance(condition, ConditionModel) or condition.matches is not None:
        raise _NotPlainError
    steps = parse_path(condition.path).steps
    if condition.exists is not None:
        return Test(steps, "present" if condition.exists else "absent")
    if isinstance(condition.equals, bool):
        return Test(steps, "true" if condition.equals else "false")
    if condition.user_agent is not None:
        return Test(steps, "judge", judge=is_bot, longest=LONGEST)
    values = [condition.equals] if condition.in_ is None else condition.in_
    if not all(type(value) is str for value in values):
        raise _NotPlainError
    if condition.ignore_case:
        return Test(steps, "folded", [value.lower() for value in values])
    return Test(steps, "texts", values)


def _fields(fields: Mapping[str, Expression], rules: Rules | None) -> list[FieldRecipe]:
    """In the order in which `mapping_lines` puts them: what is known, what paths give, what is made."""
    known: list[FieldRecipe] = []
    found: list[FieldRecipe] = []
    made: list[FieldRecipe] = []
    for name, expression in fields.items():
        kind, limit, judge = _check(name, rules)
        match expression:
            case str():
                path = parse_path(expression)
                found.append(FieldRecipe(name, kind, limit, judge, path.steps, path.optional))
            case Lookup(default=None):
                path = parse_path(expression.path)
                found.append(FieldRecipe(name, kind, limit, judge, path.steps, expression.may_be_absent))
            case Lookup():
                steps, default = parse_path(expression.path).steps, expression.default
                json = _known(name, default, rules)
                known.append(FieldRecipe(name, kind, limit, judge, steps, True, json))
            case Constant():
                value = expression.const
                text = value if type(value) is str else None
                known.append(
                    FieldRecipe(name, kind, limit, judge, known=_known(name, value, rules), text=text)
                )
            case Template():
                made.append(FieldRecipe(name, kind, limit, judge, parts=list(_parts(expression.template))))
            case Nested():
                if rules is not None and kind != "object":
                    raise _NotPlainError
                made.append(FieldRecipe(name, kind, limit, fields=_fields(expression.object, None)))
            case _:
                raise _NotPlainError
    return [*known, *found, *made]


def _check(name: str, rules: Rules | None) -> tuple[str, int, Callable[[Any], str | None] | None]:
    """`rules`: of the item; None within an object."""
    if rules is None:
        return "any", 0, None
    check = rules.check_of(name)
    if check is None:
        raise _NotPlainError
    if check in _ASKED:
        return "judge", 0, check
    if check in checks.MADE:
        return *checks.MADE[check], None
    if check in _CHECKS:
        return _CHECKS[check], 0, None
    raise _NotPlainError


def _known(name: str, value: Any, rules: Rules | None) -> bytes:
    """The JSON of a value that every item has: a single one that may go."""
    check = _IN_OBJECT if rules is None else rules.check_of(name)
    reason = "" if check is None else check({name: value} if rules is None else value)
    if isinstance(value, dict | list) or reason is not None:
        raise _NotPlainError
    return as_json(value)


def _parts(template: str) -> Iterator[Part]:
    for part in parse_template(template):
        yield Part(path=part.steps, optional=part.optional) if isinstance(part, Path) else Part(part)
