"""What the generator encodes, an Avro library reads back."""

from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.sandbox.generator.encoder import EventEncoder

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Thing",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "count", "type": "long"},
        {"name": "ratio", "type": "double"},
        {"name": "half", "type": "float"},
        {"name": "text", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "texts", "type": {"type": "array", "items": "string"}},
        {
            "name": "values",
            "type": {"type": "map", "values": ["null", "string", "boolean", "long", "double"]},
        },
        {
            "name": "either",
            "type": [
                {"type": "record", "name": "Left", "fields": [{"name": "n", "type": "int", "default": 3}]},
                {"type": "record", "name": "Right", "fields": [{"name": "s", "type": ["null", "string"]}]},
            ],
        },
        {"name": "again", "type": ["null", "Left"], "default": None},
        {"name": "late", "type": "string", "default": "as ever"},
    ],
}
PARSED = fastavro.parse_schema(SCHEMA)

LONGS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=300)
THINGS = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "count": LONGS,
        "ratio": st.floats(allow_nan=False),
        "half": st.floats(allow_nan=False, width=32),
        "text": TEXTS,
        "at": st.integers(0, 4_000_000_000_000),
        "texts": st.lists(TEXTS, max_size=5),
        "values": st.dictionaries(
            TEXTS, st.none() | TEXTS | st.booleans() | LONGS | st.floats(allow_nan=False), max_size=5
        ),
        "either": st.tuples(st.just("Left"), st.fixed_dictionaries({"n": st.integers(-(2**31), 2**31 - 1)}))
        | st.tuples(st.just("Right"), st.fixed_dictionaries({"s": st.none() | TEXTS})),
        "again": st.none() | st.fixed_dictionaries({"n": st.integers(-(2**31), 2**31 - 1)}),
    }
)


def read(raw: bytes) -> dict[str, Any]:
    body = BytesIO(raw)
    value: Any = fastavro.schemaless_reader(body, PARSED, None, return_record_name=True)
    assert not body.read()
    return value


@given(THINGS)
def test_what_is_encoded_is_read_back(thing: dict[str, Any]) -> None:
    encoder = EventEncoder(SCHEMA)

    value = read(encoder.event({name: encoder.part(name, field) for name, field in thing.items()}))

    assert round(value.pop("at").timestamp() * 1000) == thing.pop("at")
    again = value.pop("again")
    assert (again[1] if again else None) == thing.pop("again")
    assert value.pop("late") == "as ever"
    assert value == thing
    assert [type(item) for item in value["values"].values()] == [type(v) for v in thing["values"].values()]


def test_a_field_that_is_absent_inside_a_record_has_its_default() -> None:
    encoder = EventEncoder(SCHEMA)
    parts: dict[str, Any] = {
        "flag": True, "count": 1, "ratio": 0.5, "half": 0.5, "text": "", "at": 0, "texts": [], "values": {},
    }  # fmt: skip

    value = read(
        encoder.event(
            {name: encoder.part(name, field) for name, field in parts.items()}
            | {"either": encoder.part("either", ("Left", {}))}
        )
    )

    assert value["either"] == ("Left", {"n": 3})
    assert value["again"] is None


def test_an_event_without_a_field_that_has_no_default_is_refused() -> None:
    with pytest.raises(KeyError, match="flag"):
        EventEncoder(SCHEMA).event({})


def test_a_schema_with_types_that_no_event_has_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        EventEncoder({"type": "record", "name": "B", "fields": [{"name": "b", "type": "bytes"}]})
