"""Schemas that are taken, and schemas that would hurt."""

import json
import time
from typing import Any

import pytest

from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.avro.undecodable import Undecodable
from tests.unit.avro.avro_values import EVENT, record_of


def compiled(schema: Any, *references: Any, **policy: Any) -> Schema | Undecodable:
    texts = tuple(json.dumps(reference) for reference in references)
    return compile_schema(SchemaText(json.dumps(schema), texts), AvroPolicy(**policy))


def nested(levels: int) -> Any:
    schema: Any = "int"
    for level in range(levels):
        schema = record_of(schema, name=f"R{level}")
    return schema


def test_an_ordinary_schema_is_taken_under_its_full_name():
    schema = compiled(EVENT)
    assert isinstance(schema, Schema)
    assert schema.name == "example.v1.UserEvent"


def test_types_of_referred_schemas_are_known():
    address = record_of("string", name="Address")
    person = record_of("Address", {"type": "array", "items": "Address"}, name="Person")
    assert isinstance(compiled(person, address), Schema)
    assert compiled(person) == Undecodable("refused schema: invalid")


@pytest.mark.parametrize(
    "schema",
    [
        record_of(["null", "R"]),
        record_of({"type": "array", "items": "R"}),
        record_of({"type": "map", "values": ["null", record_of("R", name="S")]}),
        record_of("R"),
    ],
)
def test_a_schema_that_contains_itself_is_refused(schema):
    assert compiled(schema) == Undecodable("refused schema: recursive")


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "fixed", "name": "F", "size": 0},
        record_of(name="Empty"),
        record_of("null", record_of({"type": "fixed", "name": "F", "size": 0}, name="S"), name="Hollow"),
    ],
)
def test_an_array_of_items_that_take_no_bytes_is_refused(items):
    schema = record_of({"type": "array", "items": items})
    assert compiled(schema) == Undecodable("refused schema: array items without bytes")


@pytest.mark.parametrize(
    "items",
    [
        {"type": "enum", "name": "E", "symbols": ["A"]},
        ["null"],
        {"type": "array", "items": "int"},
        record_of("null", "boolean", name="S"),
        {"type": "fixed", "name": "F", "size": 1},
    ],
)
def test_an_array_whose_items_take_at_least_a_byte_is_taken(items):
    assert isinstance(compiled(record_of({"type": "array", "items": items})), Schema)


def test_a_map_of_nulls_is_taken_as_its_keys_take_bytes():
    assert isinstance(compiled(record_of({"type": "map", "values": "null"})), Schema)


def test_nesting_is_bounded():
    assert isinstance(compiled(nested(20), max_depth=21), Schema)
    assert compiled(nested(21), max_depth=21) == Undecodable("refused schema: nested too deep")
    assert compiled(nested(150)) == Undecodable("refused schema: nested too deep")


@pytest.mark.parametrize("opening", ["[", '{"type":"array","items":'])
def test_a_text_nested_without_end_is_refused(opening):
    text = opening * 20_000
    assert compile_schema(SchemaText(text), AvroPolicy()) in (
        Undecodable("refused schema: nested too deep"),
        Undecodable("refused schema: invalid"),
    )


def test_nesting_across_names_is_counted_too():
    chain = [record_of("int", name="R0")]
    chain += [record_of(f"R{level}", name=f"R{level + 1}") for level in range(80)]
    *references, top = chain
    assert compiled(top, *references) == Undecodable("refused schema: nested too deep")


def test_a_few_names_that_unfold_to_billions_of_empty_fields_are_refused_at_once():
    chain = [record_of("null", name="R0")]
    chain += [record_of(f"R{level}", f"R{level}", name=f"R{level + 1}") for level in range(40)]
    *references, top = chain
    started_s = time.process_time()
    assert compiled(top, *references) == Undecodable("refused schema: too many empty fields")
    assert time.process_time() - started_s < 1


def test_many_optional_fields_are_not_empty_ones():
    assert isinstance(compiled(record_of(*[["null", "string"]] * 500)), Schema)


def test_decimals_are_bounded():
    def decimal(precision: int) -> Any:
        return record_of({"type": "bytes", "logicalType": "decimal", "precision": precision})

    assert isinstance(compiled(decimal(38)), Schema)
    assert compiled(decimal(1_000_000_000)) == Undecodable("refused schema: decimal too large")
    assert compiled(decimal(0)) == Undecodable("refused schema: invalid")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "5",
        "null",
        '{"type":"what"}',
        '{"type":"record"}',
        '{"type":"record","name":"R","fields":[{"name":"a"}]}',
        '{"type":"record","name":"R","fields":[{"name":"a","type":"Missing"}]}',
        '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":{"type":"int"}}}]}',
        json.dumps(record_of({"type": "fixed", "name": "F", "size": -1})),
        json.dumps(record_of({"type": "fixed", "name": "F", "size": "12"})),
        json.dumps(record_of({"type": "fixed", "name": "F", "size": 2**40})),
        json.dumps(record_of({"type": "enum", "name": "E", "symbols": "AB"})),
        json.dumps({**record_of("int"), "__fastavro_parsed": True}),
        json.dumps({**record_of("int"), "__named_schemas": {}}).replace("__named", "\\u005f_named"),
    ],
)
def test_what_is_no_sound_schema_is_refused(text):
    assert compile_schema(SchemaText(text), AvroPolicy()) == Undecodable("refused schema: invalid")


def test_a_text_above_the_cap_is_refused_references_included():
    reference = record_of("string", name="Address")
    assert compiled(record_of("Address"), reference, max_schema_bytes=100) == Undecodable(
        "refused schema: too large"
    )
