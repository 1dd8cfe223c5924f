"""Schemas of every kind, and sound data for them, drawn by hypothesis."""

import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.unit.avro.avro_values import varint

Draw = Callable[[st.SearchStrategy[Any]], Any]

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_LOGICAL = (
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("string", "uuid"),
    ("long", "unheard-of"),
)
_DECIMAL = {"logicalType": "decimal", "precision": 9, "scale": 3}
_RANGES = {
    "date": (-700_000, 2_900_000),
    "time-millis": (0, 86_399_999),
    "time-micros": (0, 86_399_999_999),
    "timestamp-millis": (-62_135_596_800_000, 253_402_300_799_999),
    "local-timestamp-millis": (-62_135_596_800_000, 253_402_300_799_999),
    "timestamp-micros": (-62_135_596_800_000_000, 253_402_300_799_999_999),
    "local-timestamp-micros": (-62_135_596_800_000_000, 253_402_300_799_999_999),
}
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70)


class Shapes:
    """Draws one schema. Keeps its named types, so that some are referred to again."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.named: dict[str, Any] = {}

    def record(self, depth: int) -> dict[str, Any]:
        """A record with up to four fields."""
        count = self._draw(st.integers(1, 4))
        types = [self.any(depth - 1) for _ in range(count)]
        fields = [{"name": f"f{index}", "type": one} for index, one in enumerate(types)]
        return self._keep("R", {"type": "record", "fields": fields})

    def any(self, depth: int) -> Any:
        """Any type that is nested at most so deep."""
        leaves = ("primitive", "logical", "decimal", "fixed", "enum", "again")
        kinds = (*leaves, "record", "array", "map", "union") if depth > 0 else leaves
        match self._draw(st.sampled_from(kinds)):
            case "logical":
                kind, logical = self._draw(st.sampled_from(_LOGICAL))
                return {"type": kind, "logicalType": logical}
            case "decimal":
                return {"type": "bytes", **_DECIMAL}
            case "fixed":
                least, extra = self._draw(st.sampled_from(((1, {}), (4, _DECIMAL))))
                return self._keep("F", {"type": "fixed", "size": self._draw(st.integers(least, 6)), **extra})
            case "enum":
                return self._keep("E", {"type": "enum", "symbols": ["A", "B", "C"]})
            case "again" if self.named:
                return self._draw(st.sampled_from(sorted(self.named)))
            case "record":
                return self.record(depth)
            case "array":
                return {"type": "array", "items": self._solid(self.any(depth - 1))}
            case "map":
                return {"type": "map", "values": self.any(depth - 1)}
            case "union":
                return self._union(depth)
        return self._draw(st.sampled_from(_PRIMITIVES))

    def _keep(self, letter: str, definition: dict[str, Any]) -> dict[str, Any]:
        definition["name"] = f"{letter}{len(self.named)}"
        self.named[definition["name"]] = definition
        return definition

    def _solid(self, item: Any) -> Any:
        # The guards refuse arrays of what takes no bytes; a union takes its index.
        return item if isinstance(item, list) else [item]

    def _union(self, depth: int) -> list[Any]:
        """Of branches that Avro lets stand together: each unnamed type once, and no union."""
        width = self._draw(st.sampled_from((1, 2, 2, 3, 20)))
        branches: dict[str, Any] = {}
        for _ in range(width):
            before = dict(self.named)
            one = self.any(depth - 1 if width < 20 else 0)
            kind = (
                one
                if isinstance(one, str)
                else "union"
                if isinstance(one, list)
                else one.get("name", one["type"])
            )
            if kind in branches or kind == "union":
                self.named = before  # with it goes what only it defined
            else:
                branches[kind] = one
        return list(branches.values()) or ["null"]


@st.composite
def schemas(draw: Draw, depth: int = 4) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record schema, and its named types by name."""
    shapes = Shapes(draw)
    schema = shapes.record(depth)
    return schema, shapes.named


def encoded(draw: Draw, schema: Any, named: dict[str, Any]) -> bytes:
    """Sound data: whatever a writer may write that keeps to Avro's specification, blocks with sizes included."""
    if isinstance(schema, list):
        index = draw(st.integers(0, len(schema) - 1))
        return varint(index) + encoded(draw, schema[index], named)
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    kind = schema if isinstance(schema, str) else schema["type"]
    match kind:
        case "record":
            return b"".join(encoded(draw, field["type"], named) for field in schema["fields"])
        case "array":
            return _blocks(draw, lambda: encoded(draw, schema["items"], named))
        case "map":
            return _blocks(draw, lambda: _string(draw) + encoded(draw, schema["values"], named))
        case "enum":
            return varint(draw(st.integers(0, 2)))
    return _scalar(draw, kind, schema if isinstance(schema, dict) else {})


def _scalar(draw: Draw, kind: str, schema: dict[str, Any]) -> bytes:
    logical = schema.get("logicalType")
    if logical == "uuid":
        return _sized(str(draw(st.uuids())).encode())
    if logical == "decimal":
        size = schema.get("size", 4)
        most = min(10**9 - 1, 2 ** (8 * size - 1) - 1)
        raw: bytes = draw(st.integers(-most, most)).to_bytes(size, "big", signed=True)
        return raw if kind == "fixed" else _sized(raw)
    match kind:
        case "null":
            return b""
        case "boolean":
            return bytes([draw(st.sampled_from((0, 1, 1, 7)))])
        case "int" | "long":
            return varint(draw(st.integers(*_RANGES[logical]) if logical in _RANGES else _LONGS))
        case "float":
            return struct.pack("<f", draw(st.floats(width=32)))
        case "double":
            return struct.pack("<d", draw(st.floats()))
        case "fixed":
            return bytes(draw(st.binary(min_size=schema["size"], max_size=schema["size"])))
        case "bytes":
            return _sized(draw(st.binary(max_size=9)))
    return _string(draw)


def _string(draw: Draw) -> bytes:
    text: str = draw(st.sampled_from(("", "a", "ä€😀", "x" * 63, "y" * 64, "é" * 5000)) | st.text(max_size=5))
    return _sized(text.encode(errors="replace"))


def _sized(raw: bytes) -> bytes:
    return varint(len(raw)) + raw


def _blocks(draw: Draw, item: Callable[[], bytes]) -> bytes:
    out = b""
    for _ in range(draw(st.integers(0, 2))):
        items = [item() for _ in range(draw(st.integers(1, 2)))]
        block = b"".join(items)
        sized = draw(st.booleans())
        out += (varint(-len(items)) + varint(len(block)) if sized else varint(len(items))) + block
    return out + varint(0)
