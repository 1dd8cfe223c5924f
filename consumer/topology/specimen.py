"""A route's constants, tried on the operation itself: an item of them, with invented values for the rest.

So a pair that the vendor has not registered, a name that is too long or a route without any identifier is
found before the first record, by the same rules that records are held to.
"""

from collections.abc import Mapping
from typing import Any

from consumer.endpoints.endpoint import Invalid, Operation
from consumer.topology.expression import Constant, Expression, Nested

_INVENTED = (
    "specimen",
    "2026-04-27T13:35:00Z",
    "+14155552671",
    "UTC",
    1,
    True,
    {"specimen": "specimen"},
    ["specimen"],
)
_JOINED = ("feature", "action")
"""Judged as a pair: a verdict on one counts only where both are constants."""


def fault_of(operation: Operation, fields: Mapping[str, Expression]) -> Invalid | None:
    """What is wrong with the item whatever the records hold; None where nothing is, or nothing is certain."""
    invented: dict[str, int] = {}
    for _ in range(len(_INVENTED) * (len(fields) + 8)):
        item = _item(fields, "", invented)
        verdict = operation.encode(item)
        if not isinstance(verdict, Invalid):
            return None
        field = verdict.field
        if field not in invented:
            return verdict if _is_certain(field, fields) else None
        invented[field] += 1
        if invented[field] == len(_INVENTED):
            return None
    return None


def _item(fields: Mapping[str, Expression], inside: str, invented: dict[str, int]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, expression in fields.items():
        match expression:
            case Constant():
                item[name] = expression.const
            case Nested():
                item[name] = _item(expression.object, f"{inside}{name}.", invented)
            case _:
                item[name] = _INVENTED[invented.setdefault(inside + name, 0)]
    return item


def _is_certain(field: str, fields: Mapping[str, Expression]) -> bool:
    """Whether the field at fault does not depend on what was invented."""
    if field in _JOINED:
        return all(isinstance(fields.get(name), Constant) for name in _JOINED)
    return True
