"""Text with paths in braces: `{payload.feature}/{id}`."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from consumer.topology.paths import Path, parse_path

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


def parse_template(text: str) -> list[str | Path]:
    """Its literal texts and paths, in order. Raises ValueError for a wrong brace or path, or for none."""
    parts: list[str | Path] = []
    for match in _PART.finditer(text):
        found = match[0]
        if match[1] is not None:
            parts.append(parse_path(match[1]))
        elif found in ("{", "}"):
            raise ValueError(
                f"has a single {found}: paths stand in {{braces}}, and a brace itself is written twice"
            )
        else:
            parts.append(found[0] if found in ("{{", "}}") else found)
    if not any(isinstance(part, Path) for part in parts):
        raise ValueError("has no path in braces: for text that is always the same, write {const: …}")
    return parts


def text_of(value: Any) -> str | None:
    """A scalar as text: times in ISO 8601 (UTC with `Z`), booleans in lower case; None for anything else."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is datetime and value.tzinfo is UTC:
        return str(value.isoformat().replace("+00:00", "Z"))
    if kind in (datetime, date, time):
        return str(value.isoformat())
    if kind in (int, float, UUID, Decimal):
        return str(value)
    return None
