"""A small topology of somebody else's records, and what the tests do with it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumer.errors import ConfigurationError
from consumer.topology.load import load_plan
from consumer.topology.plan import Matched, Plan, Routed, Unmapped
from consumer.types import Record

SCHEMA = {
    "type": "record",
    "name": "Visit",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "who", "type": ["null", "string"], "default": None},
        {
            "name": "where",
            "type": {
                "type": "record",
                "name": "Place",
                "fields": [
                    {"name": "shop", "type": "string"},
                    {"name": "floor", "type": ["null", "int"]},
                    {"name": "extra", "type": {"type": "map", "values": "string"}},
                ],
            },
        },
        {
            "name": "payload",
            "type": [
                {"type": "record", "name": "Bought", "fields": [{"name": "price", "type": "double"}]},
                {
                    "type": "record",
                    "name": "Looked",
                    "fields": [
                        {"name": "page", "type": "string"},
                        {"name": "at", "type": ["null", "Place"]},
                        {"name": "tags", "type": {"type": "array", "items": "string"}},
                    ],
                },
            ],
        },
    ],
}

FILE = """\
topics:
  visits:
    schema: visit
destinations:
  crm:
    api: client_api
    base_url: https://crm.example
    credential: env:CRM_KEY
  stats:
    api: distinct
    base_url: ${STATS_URL:-https://stats.example}
    credential: env:STATS_KEY
routes:
  looked:
    from: visits
    to: crm/events
    when: {type: Looked}
    map:
      name: {const: Looked}
      external_id: who
      data:
        object:
          page: payload.page
  bought:
    from: visits
    to: stats
    when: {type: Bought}
    map:
      userId: who
      feature: {const: page_visit}
      action: {const: viewed}
      experienceId: where.shop
      capturedAt: occurred_at
"""

KEYS = {"CRM_KEY": "pk_crm", "STATS_KEY": "stats-key"}
NOON = datetime(2026, 4, 27, 12, 0, tzinfo=UTC)


class Workshop:
    """A directory for topology files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("visit.avsc", json.dumps(SCHEMA))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def change(self, old: str, new: str) -> None:
        """The usual file with one thing changed."""
        assert FILE.count(old) == 1, "the text to change must stand in the file once"
        self.write("t.yaml", FILE.replace(old, new))

    def load(self, environment: Mapping[str, str] = KEYS, **options: Any) -> Plan:
        return load_plan(self.folder, environment, **options)

    def findings(self, environment: Mapping[str, str] = KEYS, **options: Any) -> list[str]:
        """The mistakes, file names without their folder."""
        with pytest.raises(ConfigurationError) as caught:
            self.load(environment, **options)
        return [finding.replace(f"{self.folder}/", "") for finding in caught.value.findings]

    def mistake(self) -> tuple[str, str]:
        """Key and text of the only mistake, which must be in the usual file and have a line."""
        (finding,) = self.findings()
        where, key, text = finding.split(": ", 2)
        file, _, line = where.partition(":")
        assert file == "t.yaml"
        assert 1 <= int(line) <= len(FILE.splitlines()) + 1
        return key, text


def line_of(text: str, fragment: str) -> int:
    """The number of the only line that holds the fragment."""
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if fragment in line]
    return number


def visit(kind: str = "Looked", /, **changes: Any) -> dict[str, Any]:
    """A decoded record, as the decoder gives it."""
    payloads: dict[str, dict[str, Any]] = {
        "Looked": {"page": "/hats", "at": None, "tags": ["new"]},
        "Bought": {"price": 12.5},
    }
    return {
        "id": "e-1",
        "occurred_at": NOON,
        "who": "ada",
        "where": {"shop": "north", "floor": None, "extra": {}},
        "payload": (f"shop.{kind}", payloads[kind]),
        **changes,
    }


def record(offset: int = 7, key: bytes | None = b"ada") -> Record:
    return Record("visits", 3, offset, 0, key, b"", None)


def routed(plan: Plan, datum: dict[str, Any], of: Record | None = None) -> list[Routed]:
    return plan.router("visits")(datum, of or record())


def sent(plan: Plan, datum: dict[str, Any], of: Record | None = None) -> dict[str, Any]:
    """The item that the only matching route makes of a record."""
    (answer,) = routed(plan, datum, of)
    assert isinstance(answer, Matched), answer
    item = json.loads(answer.body)
    assert isinstance(item, dict)
    return item


def refused(plan: Plan, datum: dict[str, Any]) -> tuple[str, str]:
    """Field and reason of the only matching route's refusal."""
    (answer,) = routed(plan, datum)
    assert isinstance(answer, Unmapped), answer
    return answer.field, answer.reason
