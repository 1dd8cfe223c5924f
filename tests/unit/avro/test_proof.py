"""The proof of compatibility: what Avro's rules refuse is told with its place, and a changed meaning as well."""

import json
from typing import Any

import pytest

from consumer.avro.defaults import wrong_defaults
from consumer.avro.proof import parse_avro, prove
from consumer.avro.schemas import SchemaText

FULL = "FULL_TRANSITIVE"
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}


def record(*fields: dict[str, Any], name: str = "Visit") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "shop", "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "Kind", "symbols": list(symbols), **more}


def proven(*schemas: Any, level: str = FULL) -> list[str]:
    """Of the last against those before it, which are called 1, 2 …"""
    texts = [SchemaText(json.dumps(schema)) for schema in schemas]
    return prove(level, [(str(number), text) for number, text in enumerate(texts, 1)])


ID = field("id", "string")


@pytest.mark.parametrize(
    "after",
    [
        record(ID, field("page", "string", default="")),
        record(ID, field("page", ["null", "string"], default=None)),
        {**record(ID), "doc": "Said better."},
        record(field("id", {"type": "string", "avro.java.string": "String"})),
    ],
    ids=["a field with a default", "an optional field", "a doc", "a property that readers ignore"],
)
def test_a_compatible_change_is_proven(after: dict[str, Any]) -> None:
    assert proven(record(ID), after) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (record(ID), record(ID, field("n", "int")), "2 cannot read data of 1: n: the reader's field has no default"),
        (record(ID, field("n", "int")), record(ID), "1 cannot read data of 2: n: the reader's field has no default"),
        (record(field("n", "int")), record(field("n", "long")), "1 cannot read data of 2: n: the data is long"),
        (
            record(field("p", [record(field("x", "int"), name="Looked")])),
            record(field("p", [record(field("x", "string"), name="Looked")])),
            "2 cannot read data of 1: p.Looked.x: the data is int, and the reader takes string",
        ),
        (
            record(field("p", ["null"])),
            record(field("p", ["null", record(ID, name="Bought")])),
            "1 cannot read data of 2: p: the reader's union has no branch for record Bought",
        ),
        (
            record(field("k", enum("a"))),
            record(field("k", enum("a", "b"))),
            "1 cannot read data of 2: k: the reader's enum has no default and lacks b",
        ),
        (
            record(field("f", {"type": "fixed", "name": "F", "size": 2})),
            record(field("f", {"type": "fixed", "name": "F", "size": 3})),
            "2 cannot read data of 1: f: the data has 2 bytes, and the reader takes 3",
        ),
        (
            record(field("l", {"type": "array", "items": record(ID, name="Item")})),
            record(field("l", {"type": "array", "items": record(ID, field("n", "int"), name="Item")})),
            "2 cannot read data of 1: l[].n: the reader's field has no default",
        ),
        (
            record(field("m", {"type": "map", "values": "int"})),
            record(field("m", {"type": "map", "values": "string"})),
            "2 cannot read data of 1: m{}: the data is int, and the reader takes string",
        ),
        (record(ID), record(ID, name="Other"), "2 cannot read data of 1: the data is record Visit"),
        (
            record(field("n", "int")),
            record(field("n", ["null", "int"])),
            "1 cannot read data of 2: n: the data is null",
        ),
    ],
)  # fmt: skip
def test_an_incompatible_change_is_told_with_its_place(
    before: dict[str, Any], after: dict[str, Any], fault: str
) -> None:
    assert any(text.startswith(fault) for text in proven(before, after)), proven(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MILLIS, MICROS),
        (["null", MILLIS], ["null", "long"]),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
            {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1},
        ),
    ],
)
def test_a_changed_meaning_of_the_same_bytes_is_a_fault_although_avro_reads_them(
    before: Any, after: Any
) -> None:
    (first, second) = proven(record(field("t", before)), record(field("t", after)))

    assert first.startswith("2 cannot read data of 1: t: the data means")
    assert second.startswith("1 cannot read data of 2: t: the data means")


def test_all_earlier_versions_count_and_not_only_the_last() -> None:
    first = record(ID, field("n", "int", default=0))
    second = record(ID)
    third = record(ID, field("n", "string", default=""))

    assert proven(second, third) == []
    assert any("cannot read data of 1: n" in text for text in proven(first, second, third))
    assert proven(first, second, third, level="FULL") == []


def test_levels_prove_their_own_direction_only() -> None:
    before, after = record(ID), record(ID, field("n", "int"))

    assert proven(before, after, level="FORWARD") == []
    assert proven(before, after, level="BACKWARD") != []
    assert proven(before, after, level="NONE") == []


def test_an_alias_reads_an_old_name_and_an_old_reader_knows_none() -> None:
    before, after = record(field("page", "string")), record(field("url", "string", aliases=["page"]))

    assert proven(before, after, level="BACKWARD") == []
    assert proven(before, after, level="FORWARD") != []


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = record(ID, field("next", ["null", "shop.Visit"], default=None))

    assert proven(
        tree, record(ID, field("next", ["null", "shop.Visit"], default=None), field("n", "int"))
    ) == ["2 cannot read data of 1: n: the reader's field has no default, and the data lacks it"]


def test_references_are_followed() -> None:
    place = json.dumps(record(field("floor", "int"), name="Place"))
    text = json.dumps(record(field("where", "shop.Place")))
    changed = place.replace('"int"', '"string"')

    same = prove(FULL, [("1", SchemaText(text, (place,))), ("2", SchemaText(text, (place,)))])
    other = prove(FULL, [("1", SchemaText(text, (place,))), ("2", SchemaText(text, (changed,)))])

    assert same == []
    assert "where.floor" in other[0]


@pytest.mark.parametrize("text", ["", "{", '"strng"', '{"type": "record"}', "[" * 5_000])
def test_what_is_no_schema_is_named_and_ends_the_proof(text: str) -> None:
    (told,) = prove(FULL, [("1", SchemaText(json.dumps(record(ID)))), ("mine.avsc", SchemaText(text))])

    assert told.startswith("mine.avsc is ")


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("int", "x"),
        ("int", True),
        ("int", 2**31),
        (["null", "string"], ""),
        (["string", "null"], None),
        (enum("a"), "b"),
        ({"type": "array", "items": "int"}, {}),
        ({"type": "map", "values": "int"}, {"a": "b"}),
        (record(field("x", "int"), name="Inner"), {}),
        ("boolean", 0),
        ("string", 1),
        ({"type": "fixed", "name": "F", "size": 2}, "abc"),
    ],
)
def test_a_default_that_does_not_fit_is_told(kind: Any, default: Any) -> None:
    schema = record(ID, field("here", [record(field("bad", kind, default=default), name="Deep")]))

    (told,) = wrong_defaults(parse_avro(SchemaText(json.dumps(schema))))

    assert told.startswith("here.Deep.bad: its default does not fit its type")


def test_defaults_that_fit_are_no_fault() -> None:
    kinds: list[tuple[Any, Any]] = [
        ("int", -5), ("double", 1), ("boolean", False), ("bytes", "\u00ff"), (["null", "int"], None), (enum("a"), "a"),
        ({"type": "array", "items": "int"}, [1]), ({"type": "map", "values": "string"}, {}), (MILLIS, 0),
        (record(field("x", "int", default=1), name="Inner"), {}),
    ]  # fmt: skip
    schema = record(*(field(f"f{number}", kind, default=value) for number, (kind, value) in enumerate(kinds)))

    assert wrong_defaults(parse_avro(SchemaText(json.dumps(schema)))) == []
