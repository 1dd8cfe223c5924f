"""A hardened schema written out as Python: functions that read its values straight from the bytes.

What comes out for a record of a string and an optional long:

    def read1(b, i):
        n = SMALL_SIZES[b[i]]
        i += 1
        if n < 0: n, i = size_from(b, i - 1)
        j = i + n
        v2 = b[i:j].decode()
        i = j
        n = b[i]
        i += 1
        if n == 0:
            v3 = None
        elif n == 2:
            …
        else: raise LookupError
        v1 = {'id': v2, 'count': v3}
        return v1, i

`b` is the data and `i` the place in it; `n` and `j` are for at once; a value is kept in a variable of its own, v1, v2.

Nothing of a schema becomes source but the names of fields, as literals that `ascii` wrote, and the sizes of fixed
types; everything else that is the schema's is reached through the scope, under names made here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastavro.read import LOGICAL_READERS

from consumer.avro import wire
from consumer.avro.census import branches_of, census, kind_of
from consumer.avro.guards import Parsed
from consumer.avro.lines import indented, long_lines, plain_lines, string_lines

_MOST_TYPES = 1000
"""To write out more takes longer than a tenth of a second, while everything else waits."""

_MOST_INDENTED = 8
"""What is deeper becomes a function of its own: Python takes no more than 20 loops in each other."""

_MOST_COMPARED = 16
"""Branches of a union that are told apart one by one, which is faster than a call for each."""

_INSTANTS = {
    "long-timestamp-millis": wire.instant_from_millis,
    "long-timestamp-micros": wire.instant_from_micros,
}

_SCOPE: Mapping[str, Any] = {
    # Without the builtins: what the source may refer to is what stands here.
    "__builtins__": {"range": range, "LookupError": LookupError, "EOFError": EOFError, "len": len},
    "SMALL_LONGS": wire.SMALL_LONGS,
    "SMALL_SIZES": wire.SMALL_SIZES,
    "long_from": wire.long_from,
    "size_from": wire.size_from,
    "read_double": wire.read_double,
    "read_float": wire.read_float,
}


class Unwritten(Exception):
    """The schema is not one to write out: it is too large, or a field's name is no text."""


class ReaderSource:
    """Gathers the functions for a schema, one line after another, and what they refer to.

    Their time and memory are bounded by the data's bytes, as the guards promise: whatever takes bytes looks at
    `b[i]`, or asks for the end of `b`, before it is read again; nothing is made as long as the data merely says.
    A string that is cut off is shorter than it should be, and `i` is beyond the end from there on.
    """

    def __init__(self, schema: Parsed) -> None:
        """`schema`: the record that is read, as compile_schema hardens it. Raises Unwritten."""
        found = census(schema)
        if found.types > _MOST_TYPES:
            raise Unwritten
        self.scope: dict[str, Any] = dict(_SCOPE)
        self.functions: list[str] = []
        self._uses = found.uses
        self._shared: dict[str, str] = {}
        self._names = 0
        self.entry = self._function(schema)
        """The name of the function that reads the record: (data, start) -> (datum, end)."""

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _constant(self, prefix: str, value: Any) -> str:
        name = self._name(prefix)
        self.scope[name] = value
        return name

    def _function(self, schema: Parsed, *, in_union: bool = False) -> str:
        name, out = self._name("read"), self._name("v")
        body = self._branch(schema, out, 1) if in_union else self._written(schema, out, 1)
        self.functions.append("\n".join([f"def {name}(b, i):", *indented(body), f"    return {out}, i", ""]))
        return name

    # ------------------------------------------------------------------------------ lines that put a value into `to`

    def _value(self, schema: Parsed, to: str, depth: int) -> Iterable[str]:
        """In line, or by a function where it is used twice or would stand too deep."""
        kind = kind_of(schema)
        if kind == "record" and self._uses[schema["name"]] > 1:
            if schema["name"] not in self._shared:
                self._shared[schema["name"]] = self._function(schema)
            return [f"{to}, i = {self._shared[schema['name']]}(b, i)"]
        if depth > _MOST_INDENTED and kind in ("record", "union", "array", "map"):
            return [f"{to}, i = {self._function(schema)}(b, i)"]
        return self._written(schema, to, depth)

    def _written(self, schema: Parsed, to: str, depth: int) -> Iterable[str]:
        match kind_of(schema):
            case "record":
                return self._record(schema, to, depth)
            case "union":
                return self._union(schema, to, depth)
            case "array":
                return self._array(schema, to, depth)
            case "map":
                return self._map(schema, to, depth)
            case "enum":
                symbols = self._constant("symbols", schema["symbols"])
                return [*long_lines(to), f"{to} = {symbols}[{to}]"]
        return self._with_meaning(schema, to)

    def _record(self, schema: Parsed, to: str, depth: int) -> Iterator[str]:
        members = []
        for field in schema["fields"]:
            value = self._name("v")
            yield from self._value(field["type"], value, depth)
            members.append(f"{_literal(field['name'])}: {value}")
        yield f"{to} = {{{', '.join(members)}}}"

    def _union(self, schema: Parsed, to: str, depth: int) -> Iterator[str]:
        branches = branches_of(schema)
        if not 0 < len(branches) <= _MOST_COMPARED:
            yield from long_lines(to)
            yield f"{to}, i = {self._table(branches)}[{to}](b, i)"
            return
        # The index as it is written, in one byte. One that takes more than it needs is left to fastavro.
        yield "n = b[i]"
        yield "i += 1"
        for index, branch in enumerate(branches):
            yield f"{'elif' if index else 'if'} n == {2 * index}:"
            yield from indented(self._branch(branch, to, depth + 1))
        yield "else: raise LookupError"

    def _branch(self, schema: Parsed, to: str, depth: int) -> Iterator[str]:
        yield from self._value(schema, to, depth)
        if kind_of(schema) == "record":
            # By the scope: a name may be half the schema, and stand in a thousand unions.
            yield f"{to} = ({self._constant('name', schema['name'])}, {to})"

    def _table(self, branches: Iterable[Parsed]) -> str:
        """The name of a mapping from index to function, which the source itself makes."""
        functions = [f"{index}: {self._function(one, in_union=True)}" for index, one in enumerate(branches)]
        name = self._name("by_index")
        self.functions.append(f"{name} = {{{', '.join(functions)}}}\n")
        return name

    def _array(self, schema: Parsed, to: str, depth: int) -> Iterator[str]:
        item = self._name("v")
        yield f"{to} = []"
        yield from self._blocks([*self._value(schema["items"], item, depth + 2), f"{to}.append({item})"])

    def _map(self, schema: Parsed, to: str, depth: int) -> Iterator[str]:
        key, value = self._name("v"), self._name("v")
        entry = [
            *string_lines(key),
            *self._value(schema["values"], value, depth + 2),
            f"{to}[{key}] = {value}",
        ]
        yield f"{to} = {{}}"
        yield from self._blocks(entry)

    def _blocks(self, item: Iterable[str]) -> Iterator[str]:
        """Blocks of items until an empty one. A negative count stands for a size in bytes after it."""
        count = self._name("v")
        yield "while True:"
        yield from indented(long_lines(count))
        yield f"    if not {count}: break"
        yield f"    if {count} < 0:"
        yield f"        {count} = -{count}"
        yield from indented(long_lines("n"), 2)
        yield f"    for _ in range({count}):"
        yield from indented(item, 2)

    def _with_meaning(self, schema: Parsed, to: str) -> Iterator[str]:
        """A primitive or fixed, and its logical type where fastavro knows one."""
        yield from plain_lines(schema, to)
        logical = schema.get("logicalType") if isinstance(schema, dict) else None
        meaning = f"{kind_of(schema)}-{logical}"
        if meaning in _INSTANTS:
            yield f"{to} = {self._constant('instant', _INSTANTS[meaning])}({to})"
        elif meaning in LOGICAL_READERS:
            read = self._constant("meaning", LOGICAL_READERS[meaning])
            yield f"{to} = {read}({to}, {self._constant('schema', schema)}, None)"


def _literal(name: Any) -> str:
    # fastavro checks the names of types loosely and those of fields not at all.
    if type(name) is not str:
        raise Unwritten
    return ascii(name)
