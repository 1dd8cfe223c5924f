"""A user whose every name is known to the test, and what that user did."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from consumer.sandbox.generator import user_event_schema

_SCHEMA = parse_schema(user_event_schema())
_NAMESPACE = "so.distinct.events"
_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """By default one whom the receivers know; `schema_id` is the registry's for the shipped schema."""

    schema_id: int
    user_id: str = "user-1"
    email: str | None = None
    phone: str | None = None

    def engaged(self, event_id: str, **metadata: str) -> bytes:
        """A registered pair: it goes to both destinations."""
        payload = {
            "feature": "user_collectible",
            "action": "viewed",
            "experience_id": "47Gop5",
            "metadata": metadata,
        }
        return self._event(event_id, "Engagement", payload)

    def did(self, event_id: str, name: str = "Badge Earned") -> bytes:
        """A custom event: it goes to the Client API only."""
        return self._event(event_id, "CustomEvent", {"name": name, "properties": {}})

    def _event(self, event_id: str, kind: str, payload: dict[str, Any]) -> bytes:
        names = {
            "user_id": self.user_id,
            "email": self.email,
            "phone": self.phone,
            "anonymous_id": None,
            "external_id": self.user_id,
        }
        event = {
            "id": event_id,
            "occurred_at": _NOON,
            "user": names,
            "context": None,
            "payload": (f"{_NAMESPACE}.{kind}", payload),
        }
        out = BytesIO()
        schemaless_writer(out, _SCHEMA, event)
        return struct.pack(">bI", 0, self.schema_id) + out.getvalue()
