"""What is asked of the Touchpoint Scanner Metrics, read from the query string."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_DEFAULT_PAGE_SIZE = 50
_VISITS_TYPES = ("TOTAL", "UNIQUE")


class Page(msgspec.Struct, frozen=True):
    """Which items are wanted."""

    offset: int
    page_size: int


class ExperienceQuery(msgspec.Struct, frozen=True):
    """metricsType=EXPERIENCE."""

    experience_id: str
    page: Page


class UserQuery(msgspec.Struct, frozen=True):
    """metricsType=USER."""

    experience_id: str
    user_id: str


class TouchpointQuery(msgspec.Struct, frozen=True):
    """metricsType=TOUCHPOINT."""

    touchpoint_id: str
    experience_id: str | None
    unique: bool
    page: Page


Query = ExperienceQuery | UserQuery | TouchpointQuery


class BadParameter(Exception):
    """Its text is the answer's message."""


def read_query(text: str) -> Query:
    """Raises BadParameter.

    An empty value counts as missing; of a repeated parameter the last one counts. What a type does not use is
    not looked at: the page says that visitsType "has no effect" there.
    """
    values = {name: value for name, value in parse_qsl(text) if value}
    match _required(values, "metricsType"):
        case "EXPERIENCE":
            return ExperienceQuery(_required(values, "experienceId"), _page(values))
        case "USER":
            return UserQuery(_required(values, "experienceId"), _required(values, "userId"))
        case "TOUCHPOINT":
            touchpoint_id = _required(values, "touchpointId")
            visits_type = values.get("visitsType", _VISITS_TYPES[0])
            if visits_type not in _VISITS_TYPES:
                raise _invalid("visitsType")
            return TouchpointQuery(
                touchpoint_id, values.get("experienceId"), visits_type == "UNIQUE", _page(values)
            )
        case _:
            raise _invalid("metricsType")


def _required(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise BadParameter(f"Missing required parameter: {name}")
    return values[name]


def _page(values: Mapping[str, str]) -> Page:
    page_size = _integer(values, "pageSize", _DEFAULT_PAGE_SIZE, least=1)
    return Page(_integer(values, "offset", 0, least=0), page_size)


def _integer(values: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if _INTEGER.fullmatch(text) is None or int(text) < least:
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> BadParameter:
    return BadParameter(f"Invalid parameter: {name}")
