"""The time zones that there are, by IANA's own list."""

from functools import cache
from importlib import resources
from typing import Any

from consumer.endpoints.checks import BLANK, NOT_TEXT

NOT_A_TIMEZONE = "must be an IANA time zone such as America/Chicago"

_NOWHERE = "factory"
"""In the list, and the zone of a machine that nobody has set up: no receiver has it."""


def iana_timezone(value: Any) -> str | None:
    """A check: the name of a zone or of a link to one, without regard to case, as IANA compares them."""
    if type(value) is not str:
        return NOT_TEXT
    if value.lower() in _names():
        return None
    return NOT_A_TIMEZONE if value and not value.isspace() else BLANK


@cache
def _names() -> frozenset[str]:
    """From the package that carries IANA's data: a machine's own list may be older, without the links, or absent,
    and what is refused must not depend on the machine."""
    names = resources.files("tzdata").joinpath("zones").read_text("utf-8").lower().split()
    return frozenset(names) - {_NOWHERE}
