"""Conditions, compiled: from an opened record to yes or no."""

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from consumer.topology.bots import LONGEST, is_bot
from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.computed import compile_computed_test
from consumer.topology.expression import Computed
from consumer.topology.model import ConditionModel
from consumer.topology.paths import CONTAINERS, parse_path
from consumer.topology.template import text_of

Test = Callable[[Boxes], bool]
_Judge = Callable[[Any], bool]


def compile_all(conditions: Sequence[ConditionModel | Computed], boxes: BoxPlan) -> Test:
    """Whether all of them hold. One that is computed raises Undecided where it cannot be."""
    return reduce(_both, (_compile(condition, boxes) for condition in conditions))


def _both(first: Test, second: Test) -> Test:
    return lambda opened: first(opened) and second(opened)


def _compile(condition: ConditionModel | Computed, boxes: BoxPlan) -> Test:
    if isinstance(condition, Computed):
        return compile_computed_test(condition, boxes)
    box, name = boxes.spot(parse_path(condition.path))
    if condition.exists is not None:
        expected = condition.exists
        return lambda opened: (opened[box].get(name) is not None) is expected
    if isinstance(condition.equals, bool):
        truth = condition.equals
        return lambda opened: opened[box].get(name) is truth
    if condition.user_agent is not None:
        return _bot_test(box, name)
    values = [condition.equals] if condition.in_ is None else condition.in_
    if condition.ignore_case:
        return _text_test(box, name, values)
    judge = _one_of(values) if condition.matches is None else _matches(condition.matches)

    def test(opened: Boxes) -> bool:
        value = opened[box].get(name)
        return value is not None and judge(value)

    return test


def _bot_test(box: int, name: str) -> Test:
    def test(opened: Boxes) -> bool:
        value = opened[box].get(name)
        return value.__class__ is str and is_bot(value[:LONGEST])

    return test


def _text_test(box: int, name: str, values: list[Any]) -> Test:
    folded = frozenset(value.lower() for value in values)

    def test(opened: Boxes) -> bool:
        value = opened[box].get(name)
        return value.__class__ is str and value.lower() in folded

    return test


def _matches(pattern: str) -> _Judge:
    fullmatch = re.compile(pattern).fullmatch

    def judge(value: Any) -> bool:
        text = text_of(value)
        return text is not None and fullmatch(text) is not None

    return judge


def _one_of(values: list[Any]) -> _Judge:
    # To Python 1 equals True, to the writer of a topology it does not.
    truths = frozenset(value for value in values if value.__class__ is bool)
    others = frozenset(value for value in values if value.__class__ is not bool)

    def judge(value: Any) -> bool:
        if value.__class__ is bool:
            return value in truths
        return value.__class__ not in CONTAINERS and value in others

    return judge
