"""What the Client API demands of each operation's body, and the exact text of its first objection.

The server validates in a fixed order and shows only the first finding: "at least one id" before the missing
properties, these before superfluous ones, and types last, in the order of the declaration. Only a wrong type
names its place, such as `3/name`.
"""

import functools
import re
import zoneinfo
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Json = Any
"""A decoded JSON value."""

_ABSENT = object()
_SHAPE_OF_A_TIMEZONE = re.compile(r"[a-z][a-z0-9_+-]*(/[a-z0-9_+-]+)*")


class Objection(msgspec.Struct, frozen=True):
    """The first finding: what the answer says, and the same without an item's index, for counting."""

    text: str
    reason: str


class Property(msgspec.Struct, frozen=True):
    """One declared property of an object."""

    name: str
    kind: Literal["string", "object"] = "string"
    nullable: bool = True
    schema: "ObjectSchema | None" = None
    accepts: Callable[[str], bool] | None = None
    complaint: str = ""


class ObjectSchema(msgspec.Struct, frozen=True):
    """One object: which properties it must have, may have, and of which type they are."""

    properties: tuple[Property, ...]
    required: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    closed: bool = False

    def objection(self, value: Json, path: str = "") -> Objection | None:
        """The first thing wrong with a value, or None."""
        if type(value) is not dict:
            return wrong_type(path, "object")
        if self.any_of and not any(name in value for name in self.any_of):
            return missing(self.any_of[0])
        for name in self.required:
            if name not in value:
                return missing(name)
        if self.closed and not value.keys() <= {declared.name for declared in self.properties}:
            return _objection("Must NOT have additional properties")
        for declared in self.properties:
            found = value.get(declared.name, _ABSENT)
            if found is _ABSENT or (found is None and declared.nullable):
                continue
            objection = _objection_to_property(declared, found, path)
            if objection is not None:
                return objection
        return None


def _objection_to_property(declared: Property, found: Json, path: str) -> Objection | None:
    if declared.kind == "string":
        if type(found) is not str:
            return wrong_type(_join(path, declared.name), "string")
        if declared.accepts is not None and not declared.accepts(found):
            return _objection(declared.complaint)
        return None
    if type(found) is not dict:
        return wrong_type(_join(path, declared.name), "object")
    return (
        declared.schema.objection(found, _join(path, declared.name)) if declared.schema is not None else None
    )


def wrong_type(path: str, kind: str) -> Objection:
    """The article is the server's own: it says "a array" and "a object"."""
    text = f"The value of `{path}` must be a {kind}."
    return Objection(text, re.sub(r"`[0-9]+", "`*", text))


def missing(name: str) -> Objection:
    """A required property is not there."""
    return _objection(f"Must have required property '{name}'")


EMPTY_ARRAY = Objection("Must NOT have fewer than 1 items", "Must NOT have fewer than 1 items")


def _objection(text: str) -> Objection:
    return Objection(text, text)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


@functools.cache
def _known_timezones() -> frozenset[str]:
    return frozenset(name.lower() for name in zoneinfo.available_timezones())


def _is_timezone(value: str) -> bool:
    """Names have no case; on a machine without a time zone database only their shape is checked."""
    known = _known_timezones()
    return value.lower() in known if known else _SHAPE_OF_A_TIMEZONE.fullmatch(value.lower()) is not None


_EITHER_ID = ("anonymous_id", "external_id")
_IDS = (Property("anonymous_id"), Property("external_id"))
_TIMEZONE = Property(
    "timezone", accepts=_is_timezone, complaint="The timezone value must be in the IANA format."
)
_DEVICE_STRINGS = ("device_id", "os", "model", "app_build", "app_version")

ALIAS = ObjectSchema(
    properties=(Property("anonymous_id", nullable=False), Property("external_id", nullable=False)),
    required=("external_id", "anonymous_id"),
)
IDENTIFY = ObjectSchema(
    properties=(
        *_IDS,
        Property("email"),
        Property("phone"),
        _TIMEZONE,
        Property("locale"),
        Property("data", kind="object"),
    ),
    any_of=_EITHER_ID,
    closed=True,
)
DEVICE = ObjectSchema(
    properties=(
        *_IDS,
        Property("device_id", nullable=False),
        Property("token"),
        Property("os", nullable=False),
        Property("os_version", nullable=False),
        Property("model", nullable=False),
        Property("app_build", nullable=False),
        Property("app_version", nullable=False),
    ),
    required=_DEVICE_STRINGS,
    any_of=_EITHER_ID,
)
_EVENT_USER = ObjectSchema(
    properties=(
        Property("email"),
        Property("phone"),
        Property("timezone"),
        Property("locale"),
        Property("data", kind="object"),
    )
)
EVENT = ObjectSchema(
    properties=(
        Property("name", nullable=False),
        *_IDS,
        Property("data", kind="object"),
        Property("user", kind="object", schema=_EVENT_USER),
    ),
    required=("name",),
    any_of=_EITHER_ID,
)
