"""A route's `map`, compiled: from an opened record to the fields of an item."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from consumer.topology.boxes import Boxes, BoxPlan
from consumer.topology.computed import compile_computed
from consumer.topology.expression import ComputedField, Constant, Expression, Lookup, Nested, Template
from consumer.topology.paths import Path, parse_path, plain
from consumer.topology.plan import Unmapped
from consumer.topology.template import parse_template, text_of

Refuse = Callable[[str, str], Unmapped]
"""From a reason and a field to the answer of the route that is being compiled."""

Fields = dict[str, Any]
Build = Callable[[Boxes], Fields | Unmapped]
"""The fields of an item, the absent ones left out; or why there is none."""

_Spots = tuple[tuple[str, int, str, Unmapped | None], ...]
"""Field, box and name of each path, and the answer if the value is absent and must not be."""

_Made = tuple[tuple[str, Callable[[Boxes], Any]], ...]
"""Field and maker of what is made of several values; a maker gives None for nothing, or Unmapped."""


def compile_mapping(
    fields: Mapping[str, Expression], boxes: BoxPlan, refuse: Refuse, inside: str = ""
) -> Build:
    """Compile `map`, or an object in it: `inside` then is its own name in the item, with a dot at the end."""
    known: Fields = {}
    spots: list[tuple[str, int, str, Unmapped | None]] = []
    made: list[tuple[str, Callable[[Boxes], Any]]] = []
    for name, expression in fields.items():
        field = inside + name
        match expression:
            case str():
                spots.append((name, *_spot(parse_path(expression), boxes, refuse, field)))
            case Lookup():
                path = parse_path(expression.path)
                optional = expression.may_be_absent or expression.default is not None
                spots.append((name, *_spot(Path(path.steps, optional), boxes, refuse, field)))
                if expression.default is not None:
                    known[name] = expression.default
            case Constant():
                known[name] = expression.const
            case Template():
                made.append((name, _compile_template(expression.template, boxes, refuse, field)))
            case ComputedField():
                made.append((name, compile_computed(expression, boxes, refuse, field)))
            case Nested():
                made.append(
                    (name, _none_if_empty(compile_mapping(expression.object, boxes, refuse, field + ".")))
                )
    return _builder(known, tuple(spots), tuple(made))


def _spot(path: Path, boxes: BoxPlan, refuse: Refuse, field: str) -> tuple[int, str, Unmapped | None]:
    return (*boxes.spot(path), None if path.optional else refuse(f"the record has no {path}", field))


def _builder(known: Fields, spots: _Spots, made: _Made) -> Build:
    def build(boxes: Boxes) -> Fields | Unmapped:
        fields = known.copy()
        for name, box, key, unmapped in spots:
            value = boxes[box].get(key)
            if value is None:
                if unmapped is not None:
                    return unmapped
                continue
            fields[name] = value if value.__class__ is str else plain(value)
        for name, make in made:
            value = make(boxes)
            if value.__class__ is Unmapped:
                return value
            if value is not None:
                fields[name] = value
        return fields

    return build


def _none_if_empty(build: Build) -> Callable[[Boxes], Fields | Unmapped | None]:
    return lambda boxes: build(boxes) or None


class _Part(NamedTuple):
    """A path in a template."""

    box: int
    name: str
    absent: Unmapped | None
    no_text: Unmapped


def _compile_template(
    template: str, boxes: BoxPlan, refuse: Refuse, field: str
) -> Callable[[Boxes], str | Unmapped]:
    parts: list[str | _Part] = []
    for part in parse_template(template):
        if isinstance(part, str):
            parts.append(part)
        else:
            no_text = refuse(f"{part} is no text, number or time", field)
            parts.append(_Part(*_spot(part, boxes, refuse, field), no_text))

    def text(opened: Boxes) -> str | Unmapped:
        texts = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = opened[part.box].get(part.name)
            if value is None:
                if part.absent is not None:
                    return part.absent
                continue
            made = value if value.__class__ is str else text_of(value)
            if made is None:
                return part.no_text
            texts.append(made)
        return "".join(texts)

    return text
