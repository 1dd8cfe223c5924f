"""Avro's binary encoding, compiled from the schema.

The generator has an encoder of its own for two reasons: what the consumer decodes in a demo or a test was
then not written by the library that decodes it, and a user's identifiers, the longest part of most events,
are encoded only once. Source: the Apache Avro 1.12 specification, "Binary Encoding".
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

Encode = Callable[[Any], bytes]
Schema = Any
"""A schema as JSON: a name, a list (a union) or an object."""


class EventEncoder:
    """Encodes the parts of a record one by one, so that a part that returns is encoded once.

    Values are plain: a dict for a record or a map, a list for an array, an int (milliseconds) for a
    timestamp. In a union the value's type chooses the branch; among several records, a tuple (record's
    name, dict) does.
    """

    def __init__(self, schema: Schema) -> None:
        """Raises ValueError where the schema uses what no event needs: bytes, fixed, enum."""
        names: dict[str, Encode] = {}
        self._parts: dict[str, Encode] = {}
        self._defaults: dict[str, bytes] = {}
        for field in schema["fields"]:
            encode = _compile(field["type"], names)
            self._parts[field["name"]] = encode
            if "default" in field:
                self._defaults[field["name"]] = encode(field["default"])

    def part(self, name: str, value: Any) -> bytes:
        """The bytes of one field of the envelope. Raises KeyError or TypeError where the value is wrong."""
        return self._parts[name](value)

    def event(self, parts: Mapping[str, bytes]) -> bytes:
        """The envelope's fields put together, with defaults for those that are absent.

        Raises KeyError where an absent field has no default.
        """
        defaults = self._defaults
        return b"".join([parts[name] if name in parts else defaults[name] for name in self._parts])


def _compile(schema: Schema, names: dict[str, Encode]) -> Encode:
    if isinstance(schema, list):
        return _union(schema, names)
    if isinstance(schema, str):
        encode = _PRIMITIVES.get(schema) or names.get(schema)
        if encode is None:
            raise ValueError(f"the generator can't encode the type {schema}")
        return encode
    match schema["type"]:
        case "record":
            return _record(schema, names)
        case "array":
            return _array(_compile(schema["items"], names))
        case "map":
            return _map(_compile(schema["values"], names))
        case inner:
            return _compile(inner, names)


def _record(schema: Schema, names: dict[str, Encode]) -> Encode:
    fields: list[tuple[str, Encode, bytes | None]] = []
    for field in schema["fields"]:
        encode = _compile(field["type"], names)
        fields.append((field["name"], encode, encode(field["default"]) if "default" in field else None))

    def encode_record(value: Any) -> bytes:
        return b"".join(
            [
                encode(value[name]) if default is None or name in value else default
                for name, encode, default in fields
            ]
        )

    names[schema["name"]] = encode_record
    return encode_record


def _union(branches: list[Schema], names: dict[str, Encode]) -> Encode:
    by_type: dict[type, tuple[bytes, Encode]] = {}
    by_name: dict[str, tuple[bytes, Encode]] = {}
    for index, branch in enumerate(branches):
        entry = (_long(index), _compile(branch, names))
        kind, name = (branch, branch) if isinstance(branch, str) else (branch["type"], branch.get("name"))
        # What is no primitive is the name of a record that was defined before.
        by_type[_PYTHON_TYPES.get(kind, dict)] = entry
        if name is not None:
            by_name[name] = entry

    def encode_union(value: Any) -> bytes:
        if type(value) is tuple:
            name, value = value
            index, encode = by_name[name]
        else:
            index, encode = by_type[type(value)]
        return index + encode(value)

    return encode_union


def _array(encode_item: Encode) -> Encode:
    def encode_array(value: Any) -> bytes:
        if not value:
            return b"\x00"
        return b"".join([_long(len(value)), *map(encode_item, value), b"\x00"])

    return encode_array


def _map(encode_value: Encode) -> Encode:
    def encode_map(value: Any) -> bytes:
        if not value:
            return b"\x00"
        entries = [_string(key) + encode_value(item) for key, item in value.items()]
        return b"".join([_long(len(value)), *entries, b"\x00"])

    return encode_map


def _long(value: int) -> bytes:
    rest = (value << 1) ^ (value >> 63)
    if rest < 0x80:
        return _ONE_BYTE[rest]
    out = bytearray()
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _string(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return (_ONE_BYTE[size << 1] if size < 0x40 else _long(size)) + raw


_ONE_BYTE = [bytes([value]) for value in range(0x80)]

_PRIMITIVES: dict[str, Encode] = {
    "null": lambda value: b"",
    "boolean": lambda value: b"\x01" if value else b"\x00",
    "int": _long,
    "long": _long,
    "float": struct.Struct("<f").pack,
    "double": struct.Struct("<d").pack,
    "string": _string,
}

_PYTHON_TYPES: dict[str, type] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "record": dict,
    "map": dict,
    "array": list,
}
