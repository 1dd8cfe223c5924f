"""Paths into a record: `user.email`, with a trailing `?` where the value may be absent."""

import re
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, WithJsonSchema

_STEP = "[A-Za-z0-9_-]+"
NEEDED_PATTERN = rf"{_STEP}(\.{_STEP})*"
PATTERN = rf"{NEEDED_PATTERN}\??"
_PATH = re.compile(PATTERN)
CONTAINERS = frozenset({tuple, dict, list})
"""What a decoded value can be that is no scalar; a tuple is a record inside a union, with its name."""


class Path(msgspec.Struct, frozen=True):
    """Names of fields or of map keys, from the outside in. An absent value and null are the same."""

    steps: tuple[str, ...]
    optional: bool

    @property
    def prefix(self) -> tuple[str, ...]:
        """The way to the record or map that holds the value."""
        return self.steps[:-1]

    @property
    def name(self) -> str:
        """The value's own name."""
        return self.steps[-1]

    def __str__(self) -> str:
        return ".".join(self.steps)


def parse_path(text: str) -> Path:
    """Raises ValueError, with what a path looks like."""
    if _PATH.fullmatch(text) is None:
        raise ValueError("must be a path such as user.email, or user.email? where the value may be absent")
    return Path(tuple(text.removesuffix("?").split(".")), text.endswith("?"))


def plain(value: Any) -> Any:
    """A value without the decoder's (record name, record) pairs, at any depth; a scalar stays as it is."""
    kind = value.__class__
    if kind is dict:
        return {key: plain(member) for key, member in value.items()}
    if kind is tuple:
        return plain(value[1])
    if kind is list:
        return [plain(member) for member in value]
    return value


def _checked(text: str) -> str:
    parse_path(text)
    return text


def _never_absent(text: str) -> str:
    if parse_path(text).optional:
        raise ValueError("must not end in ?: nothing could take the place of an absent value")
    return text


PathText = Annotated[
    str, AfterValidator(_checked), WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$"})
]
"""A path in a file."""

NeededPath = Annotated[
    str, AfterValidator(_never_absent), WithJsonSchema({"type": "string", "pattern": f"^{NEEDED_PATTERN}$"})
]
"""A path in a file whose value must be there."""
