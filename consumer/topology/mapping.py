"""A route's `map`, written out: from an opened record to the fields of an item."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from consumer.topology.boxes import BoxPlan
from consumer.topology.computed import compile_computed
from consumer.topology.expression import ComputedField, Constant, Expression, Lookup, Nested, Template
from consumer.topology.paths import CONTAINERS, Path, parse_path, plain
from consumer.topology.plan import Unmapped
from consumer.topology.source import Source
from consumer.topology.template import parse_template, text_of

Refuse = Callable[[str, str], Unmapped]
"""From a reason and a field to the answer of the route that is being compiled."""


def mapping_lines(
    fields: Mapping[str, Expression],
    boxes: BoxPlan,
    source: Source,
    refuse: Refuse,
    to: str,
    inside: str = "",
) -> Iterator[str]:
    """Lines that put the fields of an item into `to`, the absent ones left out, or return why there is none.

    Of `map`, or of an object in it: `inside` then is its own name in the item, with a dot at the end. What is always
    there comes first, then what paths give, then what is made of several values: that is the order in the body.
    """
    writer = _Writer(boxes, source, refuse, to, inside)
    known: dict[str, Any] = {}
    spots: list[str] = []
    made: list[str] = []
    for name, expression in fields.items():
        match expression:
            case str():
                spots += writer.path(name, parse_path(expression))
            case Lookup():
                path = parse_path(expression.path)
                optional = expression.may_be_absent or expression.default is not None
                spots += writer.path(name, Path(path.steps, optional))
                if expression.default is not None:
                    known[name] = expression.default
            case Constant():
                known[name] = expression.const
            case Template():
                made += writer.template(name, expression.template)
            case ComputedField():
                made += writer.computed(name, expression)
            case Nested():
                made += writer.nested(name, expression)
    always = ", ".join(f"{name!a}: {source.constant('known', value)}" for name, value in known.items())
    yield f"{to} = {{{always}}}"
    yield from spots
    yield from made


class _Writer:
    """Writes one field at a time."""

    def __init__(self, boxes: BoxPlan, source: Source, refuse: Refuse, to: str, inside: str) -> None:
        self._boxes = boxes
        self._source = source
        self._refuse = refuse
        self._to = to
        self._inside = inside

    def path(self, name: str, path: Path) -> Iterator[str]:
        """The value of a path."""
        yield f"v = {self._source.spot(self._boxes.spot(path))}"
        held = self._source.constant("CONTAINERS", CONTAINERS)
        plainly = f"{self._source.constant('plain', plain)}(v) if v.__class__ in {held} else v"
        if path.optional:
            yield f"if v is not None: {self._field(name)} = {plainly}"
        else:
            yield f"if v is None: return {self._absent(name, path)}"
            yield f"{self._field(name)} = {plainly}"

    def template(self, name: str, template: str) -> Iterator[str]:
        """The text of a template: an absent optional path is an empty text."""
        parts = []
        for part in parse_template(template):
            if isinstance(part, str):
                parts.append(ascii(part))
                continue
            text = self._source.name("t")
            parts.append(text)
            yield f"{text} = {self._source.spot(self._boxes.spot(part))}"
            yield f"if {text}.__class__ is not str:"
            absent = f"{text} = ''" if part.optional else f"return {self._absent(name, part)}"
            yield f"    if {text} is None: {absent}"
            yield "    else:"
            yield f"        {text} = {self._source.constant('text_of', text_of)}({text})"
            no_text = self._unmapped(f"{part} is no text, number or time", name)
            yield f"        if {text} is None: return {no_text}"
        yield f"{self._field(name)} = ''.join(({', '.join(parts)},))"

    def computed(self, name: str, expression: ComputedField) -> Iterator[str]:
        """The value of an expression; one that is null and optional is left out."""
        make = compile_computed(expression, self._boxes, self._refuse, self._inside + name)
        yield f"v = {self._source.constant('compute', make)}(opened)"
        yield f"if v.__class__ is {self._source.constant('Unmapped', Unmapped)}: return v"
        yield f"if v is not None: {self._field(name)} = v"

    def nested(self, name: str, expression: Nested) -> Iterator[str]:
        """An object of fields; one that ends up with none is left out."""
        to, inside = self._source.name("f"), f"{self._inside}{name}."
        yield from mapping_lines(expression.object, self._boxes, self._source, self._refuse, to, inside)
        yield f"if {to}: {self._field(name)} = {to}"

    def _field(self, name: str) -> str:
        return f"{self._to}[{name!a}]"

    def _absent(self, name: str, path: Path) -> str:
        return self._unmapped(f"the record has no {path}", name)

    def _unmapped(self, reason: str, name: str) -> str:
        return self._source.constant("unmapped", self._refuse(reason, self._inside + name))
