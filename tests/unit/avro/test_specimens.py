"""Records written by hand become what the decoder would give, or one message where they do not fit."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.avro.specimens import Misfit, specimen

SCHEMA = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 0},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
            "default": "",
        },
        {
            "name": "tier",
            "type": {"type": "enum", "name": "Tier", "symbols": ["BASIC", "GOLD"]},
            "default": "BASIC",
        },
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
        {
            "name": "traits",
            "type": {"type": "map", "values": ["null", "boolean", "long", "string"]},
            "default": {},
        },
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "payload",
            "type": [
                {"type": "record", "name": "Placed", "fields": [{"name": "total", "type": "double"}]},
                {"type": "record", "name": "Viewed", "fields": [{"name": "page", "type": "string"}]},
            ],
        },
    ],
}
PLACED = {"Placed": {"total": 5}}


def made(**changes: Any) -> dict[str, Any] | Misfit:
    return specimen(json.dumps(SCHEMA), {"id": "o-1", "payload": PLACED, "price": "1.50", **changes})


def test_defaults_are_filled_in_and_a_union_tells_its_record() -> None:
    assert made() == {
        "id": "o-1",
        "at": datetime(1970, 1, 1, tzinfo=UTC),
        "day": None,
        "price": Decimal("1.50"),
        "tier": "BASIC",
        "tags": [],
        "traits": {},
        "note": None,
        "payload": ("shop.Placed", {"total": 5.0}),
    }


def test_values_are_those_of_the_schemas_types() -> None:
    record = made(
        at="2026-04-27T13:35:00Z",
        day="2026-04-27",
        tier="GOLD",
        tags=["a"],
        traits={"vip": True, "visits": 3, "name": "Ada", "gone": None},
        payload={"shop.Viewed": {"page": "/"}},
    )

    assert isinstance(record, dict)
    assert record["at"] == datetime(2026, 4, 27, 13, 35, tzinfo=UTC)
    assert record["day"] == date(2026, 4, 27)
    assert record["traits"] == {"vip": True, "visits": 3, "name": "Ada", "gone": None}
    assert record["payload"] == ("shop.Viewed", {"page": "/"})


@pytest.mark.parametrize(
    ("changes", "at", "text"),
    [
        ({"id": 5}, ("id",), "must be text"),
        ({"idd": "x"}, ("idd",), "Order has no such field"),
        ({"at": "yesterday"}, ("at",), "must be a time with its zone such as 2026-04-27T13:35:00Z"),
        ({"at": "2026-04-27T13:35:00"}, ("at",), "must be a time with its zone such as 2026-04-27T13:35:00Z"),
        ({"at": 1 << 63}, ("at",), "is out of the range of long"),
        ({"at": True}, ("at",), "must be a whole number"),
        ({"price": "a lot"}, ("price",), "must be a decimal number"),
        ({"tier": "SILVER"}, ("tier",), "is no symbol of shop.Tier"),
        ({"tags": ["a", 5]}, ("tags", 1), "must be text"),
        ({"note": 5}, ("note",), "must be text"),
        ({"traits": {"a": 1.5}}, ("traits", "a"), "fits no branch of the union"),
        ({"payload": {"Placed": {}}}, ("payload", "Placed"), "shop.Placed needs total"),
        ({"payload": {"Plced": {}}}, ("payload", "Plced"), "must be one record by its name, {Name: {…}}"),
        ({"payload": None}, ("payload",), "must not be null"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    changes: dict[str, Any], at: tuple[str | int, ...], text: str
) -> None:
    misfit = made(**changes)

    assert isinstance(misfit, Misfit)
    assert misfit.at == at
    assert misfit.text.replace("shop.Order", "Order") == text


def test_names_that_exist_come_with_a_misspelt_one() -> None:
    misfit = made(payload={"Plced": {}})

    assert isinstance(misfit, Misfit)
    assert misfit.choices == ("Placed", "Viewed")


def test_a_schema_that_no_consumer_would_read_is_refused() -> None:
    with pytest.raises(ValueError, match="not a record"):
        specimen('"string"', {"a": 1})
