"""Routes, drops and conditions that no record can ever meet: found before the first one is waited for."""

from collections.abc import Iterator, Sequence
from typing import Any

from consumer.settings.document import Location
from consumer.settings.mistakes import nearest
from consumer.topology.avro_schema import Leaf
from consumer.topology.expression import Computed
from consumer.topology.model import ConditionModel, RouteModel
from consumer.topology.paths import Path, parse_path

Mistake = tuple[Location, str]
_Condition = ConditionModel | Computed

_TEXTS = frozenset({"string", "enum"})
_NUMBERS = frozenset({"int", "long", "float", "double"})
_NAMES = {"string": "text", "boolean": "true or false", "enum": "text"} | dict.fromkeys(_NUMBERS, "a number")


def unreachable(route: RouteModel, types: list[str] | None) -> Iterator[Mistake]:
    """What can never be, by the route alone. types: the names that its records can have, if they are known."""
    where = (route.when and route.when.where) or []
    yield from _contradictions(where)
    if route.when is not None and route.when.unless and _implied(route.when.unless, where):
        yield ("when", "unless"), "leaves out every record that where lets through: the route takes none"
    own = route.when.type if route.when is not None and route.when.type else types
    for position, drop in enumerate(route.drop):
        at: Location = ("drop", position)
        if own is not None and drop.type is not None and not _overlap(own, drop.type):
            text = f"is for {', '.join(drop.type)}, and the route takes {', '.join(map(_short, own))} only"
            yield (*at, "type"), text
        elif _covers(drop.type, own) and not drop.unless and _implied(drop.where or [], where):
            yield at, "drops every record of the route: it would send none"


def against_leaf(condition: ConditionModel, path: Path, leaves: list[Leaf]) -> str | None:
    """Why a condition on a value of these types never holds; None where it may."""
    if not leaves or any(leaf.kind not in _NAMES for leaf in leaves):
        return None
    for value in _values(condition) or ():
        if not any(_fits(value, leaf, condition.ignore_case) for leaf in leaves):
            symbols = {symbol for leaf in leaves for symbol in leaf.symbols}
            if symbols and isinstance(value, str):
                return f"{path} is never {value}" + nearest(value, symbols)
            kinds = sorted({_NAMES[leaf.kind] for leaf in leaves})
            return f"{path} is {' or '.join(kinds)}, and never {_shown(value)}"
    if condition.user_agent is not None and not any(leaf.kind in _TEXTS for leaf in leaves):
        return f"{path} is no text, so no user agent"
    return None


def _contradictions(where: Sequence[_Condition]) -> Iterator[Mistake]:
    """Two conditions on one value that no value meets."""
    for position, condition in enumerate(where):
        for earlier in where[:position]:
            if isinstance(condition, Computed) or isinstance(earlier, Computed):
                continue
            if parse_path(earlier.path).steps == parse_path(condition.path).steps and _exclude(
                earlier, condition
            ):
                text = (
                    f"can't hold beside the one before it on {parse_path(condition.path)}: no record passes"
                )
                yield ("when", "where", position), text
                break


def _exclude(one: ConditionModel, other: ConditionModel) -> bool:
    absent = [condition.exists is False for condition in (one, other)]
    if any(absent):
        return not all(absent)
    values, others = _values(one), _values(other)
    if values is None or others is None:
        return False
    folded = one.ignore_case or other.ignore_case
    return not {_key(value, folded) for value in values} & {_key(value, folded) for value in others}


def _values(condition: ConditionModel) -> list[Any] | None:
    """The only values that pass; None where they are not listed."""
    if condition.in_ is not None:
        return condition.in_
    return None if condition.equals is None else [condition.equals]


def _key(value: Any, folded: bool) -> tuple[bool, Any]:
    return isinstance(value, bool), value.lower() if folded and isinstance(value, str) else value


def _implied(conditions: Sequence[_Condition], where: Sequence[_Condition]) -> bool:
    """Whether all of these hold for whatever meets `where`."""
    return all(condition in where for condition in conditions)


def _covers(some: list[str] | None, own: list[str] | None) -> bool:
    if some is None:
        return True
    return own is not None and all(_overlap([name], some) for name in own)


def _overlap(some: list[str], others: list[str]) -> bool:
    """Names may stand there short or in full."""
    return any(
        one == other or (("." not in one or "." not in other) and _short(one) == _short(other))
        for one in some
        for other in others
    )


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _fits(value: Any, leaf: Leaf, ignore_case: bool) -> bool:
    if isinstance(value, bool):
        return leaf.kind == "boolean"
    if isinstance(value, str):
        if leaf.kind != "enum":
            return leaf.kind == "string"
        return value in leaf.symbols or (
            ignore_case and value.lower() in {symbol.lower() for symbol in leaf.symbols}
        )
    return leaf.kind in _NUMBERS


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
