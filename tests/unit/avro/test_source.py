"""What a schema can do to the source that is made of it: nothing but its literals."""

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.avro.compiled import compile_reader, generate_reader
from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.source import ReaderSource, Unwritten
from tests.unit.avro.avro_values import record_of, varint

HOSTILE = [
    "'}; import os; {'",
    '"}\nraise SystemExit\n{"',
    "\\'}\r\n    raise SystemExit #",
    "'''",
    "{v1}",
    "__import__('os')",
    "a\x00b",
    "\u2028",
    "\ud800",
    "ä",
    "",
]


def schema_named(name: Any, record: str) -> dict[str, Any]:
    """A hardened schema with this name for fields, and that for a record in a union."""
    inner = {"type": "record", "name": record, "fields": [{"name": name, "type": "int"}]}
    fields = [{"name": name, "type": ["null", inner]}, {"name": "again", "type": ["null", "string", record]}]
    compiled = compile_schema(
        SchemaText(json.dumps({"type": "record", "name": "Top", "fields": fields})), AvroPolicy()
    )
    assert isinstance(compiled, Schema), compiled
    return compiled.reader


def without_texts(schema: dict[str, Any]) -> str:
    """The source's syntax tree, its texts left out."""
    tree = ast.parse("\n".join(ReaderSource(schema).functions))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_field_name_is_a_key_and_nothing_more(name: str) -> None:
    schema = schema_named(name, "Inner")
    datum, _ = generate_reader(schema)(varint(1) + varint(5) + varint(0), 0)
    assert datum == {name: ("Inner", {name: 5}), "again": None}
    assert without_texts(schema) == without_texts(schema_named("plain", "Inner"))


@pytest.mark.parametrize("name", [name for name in HOSTILE if "." not in name])
def test_a_hostile_record_name_is_a_text_and_nothing_more(name: str) -> None:
    schema = schema_named("plain", name)
    datum, _ = generate_reader(schema)(varint(1) + varint(5) + varint(0), 0)
    assert datum == {"plain": (name, {"plain": 5}), "again": None}
    assert without_texts(schema) == without_texts(schema_named("plain", "Inner"))


@given(st.text())
def test_no_name_changes_what_the_source_does(name: str) -> None:
    assert without_texts(schema_named(name, "Inner")) == without_texts(schema_named("plain", "Inner"))


def test_a_long_name_in_many_unions_is_written_once() -> None:
    name = "n" * 10_000
    inner = {"type": "record", "name": name, "fields": [{"name": name, "type": "int"}]}
    schema = record_of(["null", inner], *[["null", name]] * 50)
    compiled = compile_schema(SchemaText(json.dumps(schema)), AvroPolicy())
    assert isinstance(compiled, Schema)
    assert sum(map(len, ReaderSource(compiled.reader).functions)) < 3 * len(name)


def test_the_source_reaches_no_builtin_that_opens_or_imports() -> None:
    scope = ReaderSource(schema_named("plain", "Inner")).scope
    assert sorted(scope["__builtins__"]) == ["EOFError", "LookupError", "len", "range"]


@pytest.mark.parametrize("name", [5, None, ["a"]])
def test_a_field_whose_name_is_no_text_is_left_to_fastavro(name: Any) -> None:
    schema = record_of("int")
    schema["fields"][0]["name"] = name
    compiled = compile_schema(SchemaText(json.dumps(schema)), AvroPolicy())
    assert isinstance(compiled, Schema)
    with pytest.raises(Unwritten):
        generate_reader(compiled.reader)
    if not isinstance(name, list):
        assert compile_reader(compiled.reader)(varint(5), 0) == ({name: 5}, 1)


def test_a_schema_too_large_to_write_out_is_read_by_fastavro() -> None:
    compiled = compile_schema(SchemaText(json.dumps(record_of(*["int"] * 1000))), AvroPolicy())
    assert isinstance(compiled, Schema)
    with pytest.raises(Unwritten):
        generate_reader(compiled.reader)
    datum, end = compile_reader(compiled.reader)(varint(5) * 1000, 0)
    assert (len(datum), end) == (1000, 1000)


def test_what_the_generated_function_refuses_fastavro_reads() -> None:
    compiled = compile_schema(SchemaText(json.dumps(record_of(["null", "int"]))), AvroPolicy())
    assert isinstance(compiled, Schema)
    unusual = b"\x82\x00" + varint(5)  # the union's index in two bytes, where one would do
    with pytest.raises(LookupError):
        generate_reader(compiled.reader)(unusual, 0)
    assert compile_reader(compiled.reader)(unusual, 0) == ({"f0": 5}, 3)
