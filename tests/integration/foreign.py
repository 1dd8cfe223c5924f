"""Somebody else's records: the shop of docs/topology.md, with its own schema, and not one file that ships with us."""

import json
import re
import struct
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer

_ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)[ \t]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def snippet(name: str) -> str:
    """A file of the page, as it stands there."""
    page = (_ROOT / "docs" / "topology.md").read_text("utf-8")
    (text,) = [text for _, named, text in _FENCE.findall(page) if named == name]
    return str(text)


class Shop:
    """A folder with the page's topology for a topic, and its orders as bytes."""

    def __init__(self, folder: Path, topic: str) -> None:
        self.folder = folder
        folder.mkdir()
        self.schema: dict[str, Any] = json.loads(snippet("shop/order.avsc"))
        for file in ("order.avsc", "topics.yaml", "destinations.yaml", "placed.yaml", "expressions.yaml"):
            self.write(file, snippet(f"shop/{file}").replace("shop.orders", topic))

    def write(self, file: str, text: str) -> None:
        """Put a file there at once, as an editor does."""
        draft = self.folder / f".{file}.draft"
        draft.write_text(text, "utf-8")
        draft.replace(self.folder / file)

    def read(self, file: str) -> str:
        return (self.folder / file).read_text("utf-8")

    def order(self, schema_id: int, number: str, *, total: float = 12.5, customer: str = "c-7") -> bytes:
        """A placed order, framed with the id of the schema."""
        record = {
            "order_id": number,
            "placed_at": NOON,
            "customer": {"number": customer, "mail": f"{customer}@example.com", "language": None},
            "browser": None,
            "what": ("shop.Placed", {"total": total, "test": False}),
        }
        out = BytesIO()
        schemaless_writer(out, parse_schema(self.schema), record)
        return struct.pack(">bI", 0, schema_id) + out.getvalue()
