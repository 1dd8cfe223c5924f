"""Durations and sizes as people write them: `20m`, `500ms`, `512KiB`."""

import re
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)")
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


DURATION_PATTERN = f"^{_DURATION.pattern}$"
SIZE_PATTERN = f"^{_SIZE.pattern}$"


def parse_duration(text: object) -> int:
    """Milliseconds. Raises ValueError, with what to write instead."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("must be a duration such as 500ms, 20s, 20m, 1h or 7d")
    return int(match[1]) * _MS[match[2]]


def parse_size(text: object) -> int:
    """Bytes. Raises ValueError, with what to write instead."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("must be a size such as 800B, 512KiB or 64MiB")
    return int(match[1]) * _BYTES[match[2]]


def show_duration(ms: int) -> str:
    """The shortest exact form: 1200000 is `20m`."""
    return _shown(ms, _MS)


def show_size(size_bytes: int) -> str:
    """The shortest exact form: 524288 is `512KiB`."""
    return _shown(size_bytes, _BYTES)


def _shown(number: int, units: dict[str, int]) -> str:
    fitting = [name for name, unit in units.items() if number >= unit and number % unit == 0]
    name = fitting[-1] if fitting else next(iter(units))
    return f"{number // units[name]}{name}"


DurationMs = Annotated[
    int,
    PlainValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
"""A duration in a file, in the model as milliseconds."""

SizeBytes = Annotated[
    int,
    PlainValidator(parse_size),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
"""A size in a file, in the model as bytes."""
