"""Expressions of a topology, compiled: from an opened record to a field's value, or to yes or no."""

from collections.abc import Callable, Mapping
from typing import Any

from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.cel_program import Failure, compile_program
from consumer.topology.expression import Computed, ComputedField
from consumer.topology.paths import parse_path
from consumer.topology.plan import Unmapped


class Undecided(Exception):
    """A condition that gives neither true nor false; `reason` holds no values."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def compile_computed(
    expression: ComputedField, boxes: BoxPlan, refuse: Callable[[str, str], Unmapped], field: str
) -> Callable[[Boxes], Any]:
    """A field's value; None where it is null and optional."""
    program = compile_program(expression.cel)
    inputs = [
        (
            name,
            *boxes.spot(path := parse_path(text)),
            None if path.optional else refuse(f"the record has no {path}", field),
        )
        for name, text in expression.with_.items()
    ]
    empty = None if expression.optional else refuse("its expression gives null", field)

    def make(opened: Boxes) -> Any:
        values = {}
        for name, box, key, absent in inputs:
            value = values[name] = opened[box].get(key)
            if value is None and absent is not None:
                return absent
        result = program(values)
        if result.__class__ is Failure:
            return refuse(f"its expression can't be computed: {result.reason}", field)
        return empty if result is None else result

    return make


def compile_computed_test(condition: Computed, boxes: BoxPlan) -> Callable[[Boxes], bool]:
    """Whether it is true. An absent value without a ? passes nothing, as in every condition; raises Undecided."""
    program = compile_program(condition.cel)
    inputs = _inputs(condition.with_, boxes)

    def test(opened: Boxes) -> bool:
        values = {}
        for name, box, key, optional in inputs:
            value = values[name] = opened[box].get(key)
            if value is None and not optional:
                return False
        result = program(values)
        if result is True or result is False:
            return result is True
        reason = result.reason if isinstance(result, Failure) else "it is neither true nor false"
        raise Undecided(f"a condition can't be computed: {reason}")

    return test


def _inputs(paths: Mapping[str, str], boxes: BoxPlan) -> list[tuple[str, int, str, bool]]:
    return [(name, *boxes.spot(path := parse_path(text)), path.optional) for name, text in paths.items()]
