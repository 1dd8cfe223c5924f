"""Records that people write by hand, as the decoder would give them: checked against the schema, and through Avro once.

Written as JSON would have it: defaults may be left out, times are ISO 8601 text, a value in a union stands there as it
is, and where several records can stand, the record's name is the only key: `payload: {EmailOpened: {…}}`.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any, NamedTuple

import fastavro

from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import SchemaText, compile_schema
from consumer.avro.undecodable import Undecodable

_RANGES = {"int": 1 << 31, "long": 1 << 63}
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "boolean": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
}


class Misfit(NamedTuple):
    """What of a record does not fit the schema: where (keys and positions), and what should stand there."""

    at: tuple[str | int, ...]
    text: str
    choices: tuple[str, ...] = ()
    """The names that exist there, for a misspelt one."""


class _Unfit(Exception):
    def __init__(self, misfit: Misfit) -> None:
        super().__init__(misfit.text)
        self.misfit = misfit


def specimen(schema: str, value: Any) -> dict[str, Any] | Misfit:
    """The record as a consumer sees it, or the first thing that does not fit. Raises ValueError for no schema."""
    compiled = compile_schema(SchemaText(schema), AvroPolicy())
    if isinstance(compiled, Undecodable):
        raise ValueError(compiled.reason)
    named: dict[str, Any] = {}
    parsed: Any = fastavro.parse_schema(json.loads(schema), named_schemas=named)
    try:
        fitted = _Fitting(named).of(parsed, value, ())
    except _Unfit as unfit:
        return unfit.misfit
    out = BytesIO()
    fastavro.schemaless_writer(out, parsed, fitted)
    out.seek(0)
    datum: Any = fastavro.schemaless_reader(out, compiled.reader, None, True)
    return datum  # type: ignore[no-any-return]


class _Fitting:
    """Walks value and schema together."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named

    def of(self, schema: Any, value: Any, at: tuple[str | int, ...]) -> Any:
        if isinstance(schema, str) and schema in self._named:
            schema = self._named[schema]
        if isinstance(schema, list):
            return self._union(schema, value, at)
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(kind, dict | list):
            return self.of(kind, value, at)
        if isinstance(schema, dict) and schema.get("logicalType") in _TIMES and isinstance(value, str):
            return _time(schema["logicalType"], value, at)
        if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
            return _decimal(value, at)
        match kind:
            case "record" | "error":
                return self._record(schema, value, at)
            case "array":
                items = _expect(value, list, "a list", at)
                return [self.of(schema["items"], item, (*at, n)) for n, item in enumerate(items)]
            case "map":
                members = _expect(value, dict, "a mapping", at)
                return {key: self.of(schema["values"], item, (*at, key)) for key, item in members.items()}
            case "enum":
                if value not in schema["symbols"]:
                    raise _Unfit(Misfit(at, f"is no symbol of {schema['name']}", tuple(schema["symbols"])))
                return value
        return _scalar(kind, value, at)

    def _record(self, schema: Any, value: Any, at: tuple[str | int, ...]) -> dict[str, Any]:
        fields = {field["name"]: field for field in schema["fields"]}
        given = _expect(value, dict, f"a mapping: the record {schema['name']}", at)
        for name in given:
            if name not in fields:
                raise _Unfit(Misfit((*at, name), f"{schema['name']} has no such field", tuple(fields)))
        for name, field in fields.items():
            if name not in given and "default" not in field:
                raise _Unfit(Misfit(at, f"{schema['name']} needs {name}"))
        return {name: self.of(fields[name]["type"], one, (*at, name)) for name, one in given.items()}

    def _union(self, schema: list[Any], value: Any, at: tuple[str | int, ...]) -> Any:
        branches = [branch for branch in schema if branch != "null"]
        if value is None:
            if len(branches) == len(schema):
                raise _Unfit(Misfit(at, "must not be null"))
            return None
        records = {name: branch for branch in branches if (name := self._record_name(branch))}
        if len(records) == 1 and len(branches) == 1:
            return self.of(branches[0], value, at)
        if records and isinstance(value, dict) and len(value) == 1:
            (given,) = value
            for name, branch in records.items():
                if given in (name, name.rpartition(".")[2]):
                    return name, self.of(branch, value[given], (*at, given))
        if len(branches) == 1:
            return self.of(branches[0], value, at)
        for branch in branches:
            if branch not in records.values():
                try:
                    return self.of(branch, value, at)
                except _Unfit:
                    continue
        names = tuple(name.rpartition(".")[2] for name in records)
        given_name = next(iter(value), "") if isinstance(value, dict) else ""
        text = "must be one record by its name, {Name: {…}}" if names else "fits no branch of the union"
        raise _Unfit(Misfit((*at, given_name) if given_name else at, text, names))

    def _record_name(self, branch: Any) -> str:
        definition = self._named.get(branch, {}) if isinstance(branch, str) else branch
        is_record = isinstance(definition, dict) and definition.get("type") in ("record", "error")
        return str(definition["name"]) if is_record else ""


def _scalar(kind: str, value: Any, at: tuple[str | int, ...]) -> Any:
    if kind in ("bytes", "fixed"):
        return str(_expect(value, str, "text", at)).encode()
    types, words = _KINDS[kind] if kind in _KINDS else ((type(None),), "null")
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
        raise _Unfit(Misfit(at, f"must be {words}"))
    if isinstance(value, int) and kind in _RANGES and not -_RANGES[kind] <= value < _RANGES[kind]:
        raise _Unfit(Misfit(at, f"is out of the range of {kind}"))
    return value


def _expect(value: Any, kind: type, words: str, at: tuple[str | int, ...]) -> Any:
    if not isinstance(value, kind):
        raise _Unfit(Misfit(at, f"must be {words}"))
    return value


_TIMES: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "timestamp-millis": (datetime.fromisoformat, "a time with its zone such as 2026-04-27T13:35:00Z"),
    "timestamp-micros": (datetime.fromisoformat, "a time with its zone such as 2026-04-27T13:35:00Z"),
    "local-timestamp-millis": (datetime.fromisoformat, "a time without a zone such as 2026-04-27T13:35:00"),
    "local-timestamp-micros": (datetime.fromisoformat, "a time without a zone such as 2026-04-27T13:35:00"),
    "date": (date.fromisoformat, "a date such as 2026-04-27"),
    "time-millis": (time.fromisoformat, "a time of day such as 13:35:00"),
    "time-micros": (time.fromisoformat, "a time of day such as 13:35:00"),
}


def _time(logical: str, text: str, at: tuple[str | int, ...]) -> Any:
    read, words = _TIMES[logical]
    try:
        value = read(text)
    except ValueError:
        raise _Unfit(Misfit(at, f"must be {words}")) from None
    if isinstance(value, datetime) and (value.tzinfo is None) != logical.startswith("local"):
        raise _Unfit(Misfit(at, f"must be {words}"))
    return value


def _decimal(value: Any, at: tuple[str | int, ...]) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _Unfit(Misfit(at, "must be a decimal number")) from None
