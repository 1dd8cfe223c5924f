"""Defaults that are none: readers of other languages refuse them, and full compatibility stands on them.

Avro's own library for Python takes any default. Source: the Avro specification, "Complex Types, Records", where
the default of a union has to fit its first branch.
"""

from collections.abc import Iterator

from avro.schema import ArraySchema, EnumSchema, FixedSchema, MapSchema, RecordSchema, Schema, UnionSchema

_RANGES = {"int": 2**31, "long": 2**63}


def wrong_defaults(schema: Schema) -> list[str]:
    """Each default that does not fit its field's type, with its place; in this schema and in all below it."""
    return list(_of(schema, "", set()))


def _of(schema: Schema, place: str, met: set[int]) -> Iterator[str]:
    match schema:
        case RecordSchema() if id(schema) not in met:
            met.add(id(schema))
            for field in schema.fields:
                at = f"{place}.{field.name}" if place else str(field.name)
                if field.has_default and not _fits(field.type, field.default):
                    first = " (its first branch counts)" if isinstance(field.type, UnionSchema) else ""
                    yield f"{at}: its default does not fit its type{first}"
                yield from _of(field.type, at, met)
        case UnionSchema():
            for branch in schema.schemas:
                yield from _of(
                    branch, f"{place}.{branch.name}" if isinstance(branch, RecordSchema) else place, met
                )
        case ArraySchema():
            yield from _of(schema.items, f"{place}[]", met)
        case MapSchema():
            yield from _of(schema.values, f"{place}{{}}", met)


def _fits(schema: Schema, value: object) -> bool:
    match schema:
        case UnionSchema():
            return bool(schema.schemas) and _fits(schema.schemas[0], value)
        case RecordSchema():
            return isinstance(value, dict) and _fits_record(schema, value)
        case EnumSchema():
            return value in schema.symbols
        case ArraySchema():
            return isinstance(value, list) and all(_fits(schema.items, one) for one in value)
        case MapSchema():
            return isinstance(value, dict) and all(_fits(schema.values, one) for one in value.values())
        case FixedSchema():
            return isinstance(value, str) and len(value) == schema.size
        case _:
            return _fits_primitive(str(schema.type), value)


def _fits_record(schema: RecordSchema, value: dict[object, object]) -> bool:
    return all(
        _fits(field.type, value[field.name]) if field.name in value else field.has_default
        for field in schema.fields
    )


def _fits_primitive(kind: str, value: object) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind in _RANGES:
        return isinstance(value, int) and -_RANGES[kind] <= value < _RANGES[kind]
    if kind in ("float", "double"):
        return isinstance(value, int | float)
    return isinstance(value, str)
