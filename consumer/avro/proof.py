"""Whether data written with one Avro schema can be read with another, and if not, where and why.

The verdict on each pair of types is Apache Avro's own. What it says of the place is too short for people (a union
"lacks RECORD"), so both schemas are walked down together until the field that is at fault. Beyond Avro's rules, a
changed logical type counts as a fault: the bytes can be read, and mean something else.
"""

import json
import warnings
from collections.abc import Iterator, Sequence

from avro.compatibility import (
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityType,
    lookup_writer_field,
    schema_name_equals,
)
from avro.name import Names
from avro.schema import (
    ArraySchema,
    EnumSchema,
    FixedSchema,
    MapSchema,
    NamedSchema,
    RecordSchema,
    Schema,
    UnionSchema,
    make_avsc_object,
)

from consumer.avro.schemas import SchemaText
from consumer.core.compatibility import pairs_to_prove

_MEANING = ("logicalType", "precision", "scale")


def prove(level: str, versions: Sequence[tuple[str, SchemaText]]) -> list[str]:
    """Why the last of these named versions breaks a compatibility level against those before it; empty if it does not.

    Each text names the reader, the writer and the place. A version that cannot be parsed is such a text as well.
    """
    parsed: list[Schema] = []
    for name, text in versions:
        try:
            parsed.append(parse_avro(text))
        except ValueError as error:
            return [f"{name} {error}"]
    found = []
    for reader, writer in pairs_to_prove(level, len(versions)):
        faults = unreadable(parsed[reader], parsed[writer])
        found += [
            f"{versions[reader][0]} cannot read data of {versions[writer][0]}: {fault}" for fault in faults
        ]
    return found


def unreadable(reader: Schema, writer: Schema) -> list[str]:
    """What in data of `writer` a reader with `reader` cannot read, or would take for something else."""
    return list(dict.fromkeys(_Walk().faults(reader, writer, "")))


def parse_avro(schema: SchemaText) -> Schema:
    """As Apache Avro has it. Raises ValueError, in words, for what is not a schema."""
    names = Names()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it warns of logical types that it does not know, and leaves them out
            for text in schema.references:
                make_avsc_object(json.loads(text), names)
            return make_avsc_object(json.loads(schema.text), names)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except Exception as error:  # of any type: it assumes well-formed schemas
        raise ValueError(f"is not an Avro schema: {error}") from None


class _Walk:
    """One comparison of two schemas; pairs of records met again on the way down are not walked anew."""

    def __init__(self) -> None:
        self._met: set[tuple[int, int]] = set()

    def faults(self, reader: Schema, writer: Schema, place: str) -> Iterator[str]:
        """Each fault with its place, such as `payload.Engagement.feature: …`."""
        match reader, writer:
            case RecordSchema(), RecordSchema() if schema_name_equals(reader, writer):
                if (id(reader), id(writer)) not in self._met:
                    self._met.add((id(reader), id(writer)))
                    yield from self._record(reader, writer, place)
            case ArraySchema(), ArraySchema():
                yield from self.faults(reader.items, writer.items, f"{place}[]")
            case MapSchema(), MapSchema():
                yield from self.faults(reader.values, writer.values, f"{place}{{}}")
            case _, UnionSchema():
                for branch in writer.schemas:
                    yield from self._branch(reader, branch, place)
            case UnionSchema(), _:
                yield from self._branch(reader, writer, place)
            case _:
                yield from _leaf(reader, writer, place)

    def _record(self, reader: RecordSchema, writer: RecordSchema, place: str) -> Iterator[str]:
        for field in reader.fields:
            at = f"{place}.{field.name}" if place else str(field.name)
            written = lookup_writer_field(writer, field)
            if written is not None:
                yield from self.faults(field.type, written.type, at)
            elif not field.has_default:
                yield f"{at}: the reader's field has no default, and the data lacks it"

    def _branch(self, reader: Schema, written: Schema, place: str) -> Iterator[str]:
        """A value of one type, in a union or not, for a reader with a union or not."""
        if not isinstance(reader, UnionSchema):
            yield from self.faults(reader, written, place)
            return
        counterpart = _counterpart(reader, written)
        if counterpart is None:
            yield f"{place}: the reader's union has no branch for {_name(written)}"
        elif isinstance(written, NamedSchema):
            yield from self.faults(
                counterpart, written, f"{place}.{written.name}" if place else str(written.name)
            )
        else:
            yield from self.faults(counterpart, written, place)


def _counterpart(reader: UnionSchema, written: Schema) -> Schema | None:
    """The branch that reads a value: the one of that name, else of that type, else one that it is promoted to."""
    same = [one for one in reader.schemas if one.type == written.type]
    if isinstance(written, NamedSchema):
        return next((one for one in same if schema_name_equals(one, written)), None)
    return next(iter(same), None) or next((one for one in reader.schemas if _compatible(one, written)), None)


def _leaf(reader: Schema, writer: Schema, place: str) -> Iterator[str]:
    """Types without anything below them, or types that do not go together."""
    where = f"{place}: " if place else ""
    if not _compatible(reader, writer):
        yield f"{where}{_clash(reader, writer)}"
    elif (meant := _meaning(reader)) != (written := _meaning(writer)):
        yield f"{where}the data means {_told(written)}, and the reader takes it for {_told(meant)}"


def _clash(reader: Schema, writer: Schema) -> str:
    match reader, writer:
        case EnumSchema(), EnumSchema() if schema_name_equals(reader, writer):
            missing = ", ".join(sorted(set(writer.symbols) - set(reader.symbols)))
            return f"the reader's enum has no default and lacks {missing}"
        case FixedSchema(), FixedSchema() if schema_name_equals(reader, writer):
            return f"the data has {writer.size} bytes, and the reader takes {reader.size}"
        case _:
            return f"the data is {_name(writer)}, and the reader takes {_name(reader)}"


def _compatible(reader: Schema, writer: Schema) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    verdict = checker.get_compatibility(reader, writer)
    return verdict.compatibility is SchemaCompatibilityType.compatible


def _meaning(schema: Schema) -> tuple[object, ...]:
    return tuple(schema.props.get(name) for name in _MEANING)


def _told(meaning: tuple[object, ...]) -> str:
    kind, *digits = meaning
    return f"{kind or 'a plain value'}" + (f" {tuple(digits)}" if kind == "decimal" else "")


def _name(schema: Schema) -> str:
    if isinstance(schema, NamedSchema):
        return f"{schema.type} {schema.name}"
    return str(schema.type)
