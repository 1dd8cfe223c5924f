"""The shipped schema keeps the rules that schemas/README.md states."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consumer.avro.policy import AvroPolicy
from consumer.avro.schemas import Schema, SchemaText, compile_schema
from consumer.resources import schemas_dir

PAYLOADS = [
    "Engagement", "EmailOpened", "CaptureEvent", "PageVisited", "Identified", "Aliased",
    "DeviceRegistered", "PurchaseConfirmed", "ProfileUpdated", "LoggedIn", "CustomEvent",
]  # fmt: skip
ALWAYS_THERE = {"UserEvent.id", "UserEvent.occurred_at", "UserEvent.payload"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads((schemas_dir() / "user-event.avsc").read_bytes())


def records(schema: Any) -> Iterator[dict[str, Any]]:
    match schema:
        case list():
            for branch in schema:
                yield from records(branch)
        case {"type": "record", "fields": fields}:
            yield schema
            for field in fields:
                yield from records(field["type"])
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from records(inner)


def test_the_payload_is_one_of_the_documented_events(schema: dict[str, Any]) -> None:
    (payload,) = [field for field in schema["fields"] if field["name"] == "payload"]

    assert schema["namespace"] == "so.distinct.events"
    assert [branch["name"] for branch in payload["type"]] == PAYLOADS


def test_everything_is_documented(schema: dict[str, Any]) -> None:
    undocumented = [
        f"{record['name']}.{field['name']}"
        for record in records(schema)
        for field in (*record["fields"], {"name": "", "doc": record.get("doc")})
        if not field.get("doc", "").endswith(".")
    ]

    assert undocumented == []


def test_every_field_can_go_again_but_the_three_that_no_event_is_without(schema: dict[str, Any]) -> None:
    fixed = {
        f"{record['name']}.{field['name']}"
        for record in records(schema)
        for field in record["fields"]
        if "default" not in field
    }

    assert fixed == ALWAYS_THERE


def test_an_optional_field_is_absent_by_default(schema: dict[str, Any]) -> None:
    for record in records(schema):
        for field in record["fields"]:
            if isinstance(field["type"], list) and "null" in field["type"]:
                assert field["default"] is None, field["name"]


def test_the_decoder_accepts_it() -> None:
    text = (schemas_dir() / "user-event.avsc").read_text(encoding="utf-8")

    assert isinstance(compile_schema(SchemaText(text), AvroPolicy()), Schema)
