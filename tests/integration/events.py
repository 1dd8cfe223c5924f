"""Events made by hand, for tests that say themselves what happened; encoded by fastavro."""

import struct
from datetime import UTC, datetime
from io import BytesIO

from fastavro import parse_schema, schemaless_writer

from consumer.sandbox.generator import user_event_schema

_SCHEMA = parse_schema(user_event_schema())
_CUSTOM = "so.distinct.events.CustomEvent"
_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Events:
    """Custom events, framed with one schema id of the registry."""

    def __init__(self, schema_id: int) -> None:
        self._frame = struct.pack(">bI", 0, schema_id)

    def custom(self, event_id: str, *, user: str = "user-1", name: str = "Badge Earned") -> bytes:
        """A custom event: it goes to the Client API only."""
        names = {"user_id": user, "email": None, "phone": None, "anonymous_id": None, "external_id": user}
        event = {
            "id": event_id,
            "occurred_at": _NOON,
            "user": names,
            "context": None,
            "payload": (_CUSTOM, {"name": name, "properties": {}}),
        }
        out = BytesIO()
        schemaless_writer(out, _SCHEMA, event)
        return self._frame + out.getvalue()
