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

    def all_kinds(self, word: str) -> list[bytes]:
        """One event of each type, with this word in every text of its own that a receiver takes as it comes."""
        pair = {"experience_id": "47Gop5"}
        kinds: dict[str, dict[str, Any]] = {
            "Engagement": {
                "feature": "user_collectible",
                "action": "viewed",
                **pair,
                "metadata": {"card": word},
            },
            "EmailOpened": {**pair, "message_id": word, "campaign_id": word},
            "CaptureEvent": {
                "type": "PHOTO_VIEWED_BY_USER",
                "experience_value": "fifa-cwc-2025",
                "event_value": word,
                "session_id": word,
            },
            "PageVisited": {
                "url": f"https://shop.example/{word}?q={word}",
                "title": word,
                "referrer": None,
                **pair,
            },
            "Identified": {"timezone": "Europe/Berlin", "locale": "de-DE", "traits": {"nickname": word}},
            "Aliased": {"anonymous_id": f"{word}-device", "external_id": self.user_id},
            "DeviceRegistered": {
                "device_id": word,
                "token": f"{word}-token",
                "os": "iOS 18.4",
                "model": "iPhone17,1",
                "app_build": "1",
                "app_version": "1.0",
            },
            "PurchaseConfirmed": {
                "order_id": word,
                "total": 9.5,
                "currency": "EUR",
                "coupons": word,
                "items": [],
            },
            "ProfileUpdated": {"attributes": {"city": word}, "tags": [word]},
            "LoggedIn": {"method": word, "attributes": {"from": word}, "tags": []},
            "CustomEvent": {"name": f"{word} seen", "properties": {"about": word}},
        }
        return [self._event(f"{word}-{kind}", kind, payload) for kind, payload in kinds.items()]

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
