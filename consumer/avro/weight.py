"""How much memory a value takes once it is read: a byte of data can become thousands of objects.

Measured: a hundred kilobytes, each an item of an array of sixty records in each other, take 1.1 GB and 25 seconds. The
schema alone says how bad it can be; only a value that is large enough for that to matter is walked, without building
anything, until it is through or found too heavy.

The sizes are CPython's, rounded up; strings count as if they held an emoji, which makes every character four bytes.
"""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from consumer.avro.census import branches_of, kind_of
from consumer.avro.guards import Parsed
from consumer.avro.wire import long_from

_DICT, _ENTRY = 200, 60
_LIST, _SLOT = 72, 8
_EMPTY_MAP, _MAP, _MAP_ENTRY = 80, 232, 100
_NAMED = 72
"""The tuple around a record in a union."""
_TEXT, _BYTES, _CHARACTER = 56, 40, 4
_LOGICAL = 120
"""What a date, a decimal or a UUID takes beside what it is made of."""
_SIZES = {"null": 0, "boolean": 0, "enum": 0, "int": 32, "long": 32, "float": 24, "double": 24}
_WIDTHS = {"null": 0, "boolean": 1, "float": 4, "double": 8}


class _Bound(NamedTuple):
    """What a value of a schema can take: at least `least` bytes of data; `ratio` bytes of memory for each of them, or,
    where it takes no data, `base` bytes."""

    least: int
    base: float
    ratio: float


class Weight:
    """Of one hardened schema's values."""

    def __init__(self, schema: Parsed) -> None:
        self._schema = schema
        self._known: dict[str, _Bound] = {}
        bound = self._bound(schema)
        self.ratio = max(1.0, bound.ratio, bound.base)
        """The bytes of memory that a byte of data can take at most."""

    def exceeds(self, data: bytes, start: int, limit_bytes: float) -> bool:
        """Whether the value takes more, as far as it can be read. Costs time in proportion to the limit at most."""
        try:
            _Scales(data, start, limit_bytes).put(self._schema)
        except _TooHeavyError:
            return True
        except (LookupError, ValueError):
            return False  # damaged: it is read up to here and no further
        return False

    def _bound(self, schema: Parsed) -> _Bound:
        kind = kind_of(schema)
        if kind == "record":
            name = schema["name"]
            if name not in self._known:
                self._known[name] = self._of_record(schema)
            return self._known[name]
        if kind == "union":
            return self._of_union(schema)
        if kind == "array":
            return _Bound(1, 0, max(_LIST, self._bound(schema["items"]).ratio + _SLOT))
        if kind == "map":
            value = self._bound(schema["values"])
            entry = (_MAP_ENTRY + _TEXT + (0 if value.least else value.base)) / (1 + value.least)
            # One with an entry takes three bytes at least: a count, a key, an end.
            return _Bound(1, 0, max(_EMPTY_MAP, _MAP / 3 + entry + value.ratio))
        size, width = _leaf_sizes(schema, kind)
        return _Bound(width, size, size / width if width else 0)

    def _of_record(self, schema: Parsed) -> _Bound:
        fields = [self._bound(field["type"]) for field in schema["fields"]]
        least = sum(field.least for field in fields)
        base = _DICT + _ENTRY * len(fields) + sum(field.base for field in fields if not field.least)
        ratio = base / least + max(field.ratio for field in fields) if least else 0
        return _Bound(least, base, ratio)

    def _of_union(self, schema: Parsed) -> _Bound:
        branches = [
            (self._bound(one), _NAMED if kind_of(one) == "record" else 0) for one in branches_of(schema)
        ]
        least = 1 + min((one.least for one, _ in branches), default=0)
        ratio = (
            max((one.ratio if one.least else one.base) + around for one, around in branches)
            if branches
            else 0
        )
        return _Bound(least, 0, ratio)


def walk(schema: Parsed, data: bytes, start: int) -> None:
    """Walk over one value of a hardened schema. Raises LookupError or ValueError where it is damaged, among it a number
    of more than 64 bits."""
    _Scales(data, start, inf).put(schema)


def _leaf_sizes(schema: Parsed, kind: str) -> tuple[int, int]:
    """The memory that the smallest one takes, and its data."""
    size, width = _SIZES.get(kind, _TEXT if kind == "string" else _BYTES), _WIDTHS.get(kind, 1)
    if kind == "fixed":
        size, width = _BYTES + schema["size"], schema["size"]
    return size + (_LOGICAL if isinstance(schema, dict) and "logicalType" in schema else 0), width


class _TooHeavyError(Exception):
    """Beyond the limit."""


class _Scales:
    """Walks over one value. Raises LookupError or ValueError where it is damaged."""

    def __init__(self, data: bytes, start: int, limit_bytes: float) -> None:
        self._data = data
        self._at = start
        self._left = limit_bytes

    def put(self, schema: Parsed) -> None:
        match kind_of(schema):
            case "record":
                self._take(_DICT + _ENTRY * len(schema["fields"]))
                for field in schema["fields"]:
                    if field["type"] != "null":
                        self.put(field["type"])
            case "union":
                branch = schema[self._long()]
                self._take(_NAMED if kind_of(branch) == "record" else 0)
                self.put(branch)
            case "array":
                self._take(_LIST)
                for _ in self._blocks():
                    self._take(_SLOT)
                    self.put(schema["items"])
            case "map":
                self._take(_EMPTY_MAP)
                whole = _MAP - _EMPTY_MAP
                for _ in self._blocks():
                    self._take(_MAP_ENTRY + whole)
                    whole = 0
                    self._text(_TEXT, _CHARACTER)
                    self.put(schema["values"])
            case kind:
                self._leaf(schema, kind)

    def _leaf(self, schema: Parsed, kind: str) -> None:
        size, width = _leaf_sizes(schema, kind)
        if kind == "string":
            self._text(size, _CHARACTER)
        elif kind == "bytes":
            self._text(size, 1)
        elif kind in ("int", "long", "enum"):
            self._take(size)
            self._long()
        else:
            self._take(size)
            self._skip(width)

    def _blocks(self) -> Iterator[None]:
        while count := self._long():
            if count < 0:
                self._long()
            for _ in range(abs(count)):
                yield

    def _text(self, size: int, each: int) -> None:
        length = self._long()
        if length < 0:
            raise ValueError("the size is negative")
        self._take(size + each * min(length, len(self._data)))
        self._skip(length)

    def _long(self) -> int:
        number, self._at = long_from(self._data, self._at)
        return number

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > len(self._data):
            raise LookupError("the data breaks off")

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooHeavyError
