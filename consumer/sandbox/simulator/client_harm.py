"""What the Client API accepts with a 204 and then loses, or is harmed by.

Found on the real server: strings that do not fit its columns, nesting that its storage refuses and lone
surrogates are dropped after the answer; empty ids and names are stored and mix up users. Not judged here: an
external_id that differs from an existing one only in case or accent, which no sender can know of.
"""

from typing import Any

import orjson

TEXT_LIMIT = 255
_PHONE_LIMIT = 64
DEPTH_LIMIT = 32
"""Levels of objects and arrays in `data`, itself the first; the server's own limit is about there."""

_IDS = ("external_id", "anonymous_id")
_PROFILE_LIMITS = (("email", TEXT_LIMIT), ("phone", _PHONE_LIMIT), ("locale", TEXT_LIMIT))


def harms_of(operation: str, item: dict[str, Any], *, suspect: bool) -> list[str]:
    """Every reason why an item that passed the validation does harm; empty for a good one.

    suspect: the fast JSON parser refused the body, so that its strings may hold lone surrogates.
    """
    harms: list[str] = []
    _check_names(item, _IDS, harms)
    if item.get("external_id") is None and item.get("anonymous_id") is None:
        harms.append("no id")
    if operation == "events":
        _check_names(item, ("name",), harms)
        if _is_too_deep(item.get("data")):
            harms.append("too deep")
        if item.get("user"):
            _check_profile(item["user"], harms)
    elif operation == "identify":
        _check_profile(item, harms)
    if suspect and _has_lone_surrogate(item):
        harms.append("lone surrogate")
    return harms


def _check_names(item: dict[str, Any], fields: tuple[str, ...], harms: list[str]) -> None:
    for field in fields:
        value = item.get(field)
        if value is None:
            continue
        if not value:
            harms.append(f"empty {field}")
        elif len(value) > TEXT_LIMIT:
            harms.append(f"{field} too long")


def _check_profile(profile: dict[str, Any], harms: list[str]) -> None:
    for field, limit in _PROFILE_LIMITS:
        value = profile.get(field)
        if value is not None and len(value) > limit:
            harms.append(f"{field} too long")
    if _is_too_deep(profile.get("data")):
        harms.append("too deep")


def _is_too_deep(value: Any) -> bool:
    """Level by level instead of recursively: a hostile body must not exhaust the stack."""
    level = [value] if type(value) in (dict, list) else []
    for _ in range(DEPTH_LIMIT):
        if not level:
            return False
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)


def _has_lone_surrogate(item: dict[str, Any]) -> bool:
    """orjson writes no string that is not valid Unicode; the depth that it refuses too is judged apart."""
    try:
        orjson.dumps(item)
    except TypeError as error:
        return "surrogates" in str(error)
    return False
