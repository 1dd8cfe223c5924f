"""A schema's text, parsed once and hardened: what the decoder reads with."""

import json
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any

import fastavro
import msgspec
from fastavro.read import LOGICAL_READERS

from consumer.avro.guards import PRIMITIVES, Parsed, Refusal, check, nested_too_deep
from consumer.avro.policy import AvroPolicy
from consumer.avro.undecodable import NOT_A_RECORD, REFUSED_SCHEMA, Undecodable

_JSON_LEVELS_PER_LEVEL = 4  # a record in a record: an object, "fields", a field; and one to spare
_BOUNDED_DECIMAL = "bounded-decimal"


class SchemaText(msgspec.Struct, frozen=True):
    """A schema as the registry keeps it. `references`: the texts it refers to, each after its own."""

    text: str
    references: tuple[str, ...] = ()


class Schema(msgspec.Struct, frozen=True):
    """A record schema that is safe to read with. `reader` is what compile_reader takes, and fastavro."""

    name: str
    reader: dict[str, Any]


def compile_schema(schema: SchemaText, policy: AvroPolicy) -> Schema | Undecodable:
    """Parse, check and harden. An Undecodable is the verdict on every value of that schema. Never raises."""
    try:
        parsed, named = _parse(schema, policy)
        check(parsed, named, policy)
        reader = _Hardening(named, policy).of(parsed)
    except Refusal as refusal:
        return Undecodable(f"{REFUSED_SCHEMA}{refusal}")
    if not isinstance(reader, dict) or reader["type"] != "record":
        return Undecodable(NOT_A_RECORD)
    # The marks save fastavro from parsing at each value; all names are resolved, so none is looked up.
    return Schema(reader["name"], {**reader, "__fastavro_parsed": True, "__named_schemas": {}})


def _parse(schema: SchemaText, policy: AvroPolicy) -> tuple[Parsed, dict[str, Parsed]]:
    texts: Sequence[str] = (*schema.references, schema.text)
    if sum(map(len, texts)) > policy.max_schema_bytes:
        raise Refusal("too large")
    named: dict[str, Parsed] = {}
    parsed: Parsed = None
    for text in texts:
        try:
            document = json.loads(text, object_hook=_refuse_claims)
            if nested_too_deep(document, _JSON_LEVELS_PER_LEVEL * policy.max_depth):
                raise Refusal("nested too deep")
            parsed = fastavro.parse_schema(document, named_schemas=named)
        except Refusal:
            raise
        except RecursionError:
            raise Refusal("nested too deep") from None
        except Exception:  # of any type: fastavro assumes well-formed schemas
            raise Refusal("invalid") from None
    return parsed, named


def _refuse_claims(schema: dict[str, Any]) -> dict[str, Any]:
    # A schema that says it has been parsed already is believed by fastavro, and skips its checks.
    if "__fastavro_parsed" in schema or "__named_schemas" in schema:
        raise Refusal("invalid")
    return schema


class _Hardening:
    """Writes a parsed schema anew so that fastavro's reader refuses what it otherwise lets pass.

    - Unions and enums become mappings by index. As lists they take a negative index for one from the end, and
      a
      damaged value silently for another; a mapping knows no such key. (The reader only ever indexes them.)
    - Decimals are read by a function of ours, which bounds their bytes and refuses what the schema has no
      digits for.
    - Names are resolved in place, and plain types unwrapped, which also makes reading slightly faster.
    """

    def __init__(self, named: dict[str, Parsed], policy: AvroPolicy) -> None:
        self._named = named
        self._policy = policy
        self._known: dict[str, Parsed] = {}

    def of(self, schema: Parsed) -> Parsed:
        match schema:
            case str():
                return schema if schema in PRIMITIVES else self._of_named(schema)
            case list():
                return {"type": "union", **{index: self.of(branch) for index, branch in enumerate(schema)}}
            case {"type": "record" | "error" | "enum" | "fixed", "name": str(name)}:
                return self._of_named(name)
            case {"type": "array"}:
                return {"type": "array", "items": self.of(schema["items"])}
            case {"type": "map"}:
                return {"type": "map", "values": self.of(schema["values"])}
        return self._of_logical(schema) if "logicalType" in schema else schema["type"]

    def _of_named(self, name: str) -> Parsed:
        if name not in self._known:
            self._known[name] = self._of_definition(name, self._named[name])
        return self._known[name]

    def _of_definition(self, name: str, definition: Parsed) -> Parsed:
        match definition["type"]:
            case "enum":
                return {"type": "enum", "name": name, "symbols": dict(enumerate(definition["symbols"]))}
            case "fixed":
                return self._of_logical(definition)
        fields = [{"name": field["name"], "type": self.of(field["type"])} for field in definition["fields"]]
        return {"type": "record", "name": name, "fields": fields}

    def _of_logical(self, schema: Parsed) -> Parsed:
        if schema.get("logicalType") != "decimal" or schema["type"] not in ("bytes", "fixed"):
            return schema
        precision, scale = schema.get("precision", 0), schema.get("scale", 0)
        if not (isinstance(precision, int) and isinstance(scale, int)):
            raise Refusal("invalid")
        if not 0 <= scale <= precision or precision == 0:
            raise Refusal("invalid")
        if precision > self._policy.max_decimal_digits:
            raise Refusal("decimal too large")
        limit = 10**precision
        return {
            **schema,
            "logicalType": _BOUNDED_DECIMAL,
            "limit": limit,
            # Java pads a fixed decimal to its size; in bytes a sign byte more than needed does no harm.
            "max_bytes": schema.get("size", limit.bit_length() // 8 + 2),
            "exponent": -scale,
            "context": Context(prec=precision),
        }


def _read_decimal(data: bytes, schema: Any, _: object = None) -> Decimal:
    if len(data) > schema["max_bytes"]:
        raise ValueError("the decimal is longer than its precision")
    unscaled = int.from_bytes(data, "big", signed=True)
    if not -schema["limit"] < unscaled < schema["limit"]:
        raise ValueError("the decimal has more digits than its precision")
    return Decimal(unscaled).scaleb(schema["exponent"], schema["context"])


# fastavro's own way of adding a logical type; under a name of ours, so that nobody else's decimals change.
LOGICAL_READERS[f"bytes-{_BOUNDED_DECIMAL}"] = _read_decimal
LOGICAL_READERS[f"fixed-{_BOUNDED_DECIMAL}"] = _read_decimal
