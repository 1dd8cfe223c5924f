"""Fills `${name}` in keys and values, and spreads mappings that stand under the key `...`."""

import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([a-z_0-9]+)\}")
_SPREAD = "..."


class NotNamed(Exception):
    """There is no value for this placeholder; its text is the name."""


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with every placeholder's value, whose type stays where it stands alone. Raises NotNamed."""
    match template:
        case str():
            return _fill_text(template, values)
        case dict():
            return _fill_mapping(template, values)
        case list():
            return [fill(item, values) for item in template]
        case _:
            return template


def _fill_mapping(template: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for key, value in template.items():
        if key == _SPREAD:
            filled |= fill(value, values)
        else:
            filled[str(fill(key, values))] = fill(value, values)
    return filled


def _fill_text(text: str, values: Mapping[str, Any]) -> Any:
    alone = _PLACEHOLDER.fullmatch(text)
    if alone is not None:
        return _value(alone[1], values)
    return _PLACEHOLDER.sub(lambda found: str(_value(found[1], values)), text)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise NotNamed(name)
    return values[name]
