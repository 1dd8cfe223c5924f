"""Schemas that would let a few bytes of data exhaust the process: found when a schema is loaded.

fastavro trusts both the schema and the data. Measured: a self-recursive schema with 5 KB of data ends in
SIGSEGV, and five bytes that declare a huge `array<null>` take all memory.
"""

from typing import Any

import msgspec

from consumer.avro.policy import AvroPolicy

Parsed = Any
"""A schema after fastavro's parse_schema: a name, a list (a union) or a dict; names are full."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class Refusal(Exception):
    """The schema is refused; its text is one of a few stable ones."""


class _Shape(msgspec.Struct, frozen=True):
    """What reading one value of a schema can cost."""

    depth: int
    idle: int
    """How many values are read without using up a byte."""
    takes_bytes: bool


def nested_too_deep(document: Any, levels: int) -> bool:
    """Whether JSON is nested deeper than `levels`. Asked before anything recurses over it."""
    layer = [document]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _inner(outer)]
        if not layer:
            return False
    return True


def _inner(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in values if isinstance(inner, dict | list)]


def check(parsed: Parsed, named: dict[str, Parsed], policy: AvroPolicy) -> None:
    """Raise Refusal if values of this schema could cost more than their bytes. `named`: all named types."""
    shape = _Measure(named, policy).of(parsed)
    if shape.idle > policy.max_idle_fields:
        raise Refusal("too many empty fields")


class _Measure:
    """Measures each named type once: what forty types use twice each would be walked 2⁴⁰ times."""

    def __init__(self, named: dict[str, Parsed], policy: AvroPolicy) -> None:
        self._named = named
        self._policy = policy
        self._known: dict[str, _Shape | None] = {}

    def of(self, schema: Parsed) -> _Shape:
        match schema:
            case str():
                if schema not in PRIMITIVES:
                    return self._of_named(schema)
                return _leaf(takes_bytes=schema != "null")
            case list():
                return self._around([_paid(self.of(branch)) for branch in schema], takes_bytes=True)
            case {"type": "record" | "error" | "enum" | "fixed", "name": str(name)}:
                return self._of_named(name)
            case {"type": "array", "items": items}:
                item = self.of(items)
                if not item.takes_bytes:
                    raise Refusal("array items without bytes")
                return self._around([item], takes_bytes=True)
            case {"type": "map", "values": values}:
                # Unlike an array's, a map's entries always take bytes: their keys.
                return self._around([_paid(self.of(values))], takes_bytes=True)
            case {"type": str(primitive)} if primitive in PRIMITIVES:
                return _leaf(takes_bytes=primitive != "null")
        raise Refusal("invalid")

    def _of_named(self, name: str) -> _Shape:
        if name not in self._known:
            self._known[name] = None  # being measured
            self._known[name] = self._of_definition(self._named.get(name))
        shape = self._known[name]
        if shape is None:
            raise Refusal("recursive")
        return shape

    def _of_definition(self, definition: Parsed) -> _Shape:
        match definition:
            case {"type": "enum", "symbols": list()}:
                return _leaf(takes_bytes=True)
            case {"type": "fixed", "size": int(size)} if 0 <= size <= self._policy.max_value_bytes:
                return _leaf(takes_bytes=size > 0)
            case {"type": "record" | "error", "fields": list(fields)}:
                inner = [self.of(field["type"]) for field in fields]
                return self._around(inner, takes_bytes=any(shape.takes_bytes for shape in inner))
        raise Refusal("invalid")

    def _around(self, inner: list[_Shape], *, takes_bytes: bool) -> _Shape:
        depth = 1 + max((shape.depth for shape in inner), default=0)
        if depth > self._policy.max_depth:
            raise Refusal("nested too deep")
        idle = sum(shape.idle for shape in inner) + (not takes_bytes)
        return _Shape(depth, idle, takes_bytes)


def _leaf(*, takes_bytes: bool) -> _Shape:
    return _Shape(1, 0 if takes_bytes else 1, takes_bytes)


def _paid(shape: _Shape) -> _Shape:
    """As read after a byte of its own: a union's index, a map's key."""
    return _Shape(shape.depth, max(0, shape.idle - 1), takes_bytes=True)
