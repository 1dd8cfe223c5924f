"""Conditions, written out: from an opened record to yes or no."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from consumer.topology.bots import LONGEST, is_bot
from consumer.topology.boxes import BoxPlan
from consumer.topology.computed import compile_computed_test
from consumer.topology.expression import Computed
from consumer.topology.model import ConditionModel
from consumer.topology.paths import CONTAINERS, parse_path
from consumer.topology.source import Source
from consumer.topology.template import text_of

_Judge = Callable[[Any], bool]


def all_hold(conditions: Sequence[ConditionModel | Computed], boxes: BoxPlan, source: Source) -> str:
    """The expression that is true where all of them hold. One that is computed raises Undecided where it cannot be."""
    return " and ".join(_test(condition, boxes, source) for condition in conditions)


def _test(condition: ConditionModel | Computed, boxes: BoxPlan, source: Source) -> str:
    if isinstance(condition, Computed):
        return f"{source.constant('holds', compile_computed_test(condition, boxes))}(opened)"
    value = source.spot(boxes.spot(parse_path(condition.path)))
    if condition.exists is not None:
        return f"({value} {'is not' if condition.exists else 'is'} None)"
    if isinstance(condition.equals, bool):
        return f"({value} is {condition.equals})"
    if condition.user_agent is not None:
        bot = source.constant("is_bot", is_bot)
        return f"((v := {value}).__class__ is str and {bot}(v[:{LONGEST}]))"
    values = [condition.equals] if condition.in_ is None else condition.in_
    if condition.ignore_case:
        folded = source.constant("folded", frozenset(value.lower() for value in values))
        return f"((v := {value}).__class__ is str and v.lower() in {folded})"
    judge = _one_of(values) if condition.matches is None else _matches(condition.matches)
    return f"((v := {value}) is not None and {source.constant('judge', judge)}(v))"


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
