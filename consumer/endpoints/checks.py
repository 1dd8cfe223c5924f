"""What no receiver can take, or takes and then loses: checked before sending. Pure; no check raises.

A check gives None where the value may go, else the reason: a short constant without any part of the value, so
that it may stand in a log, a dead letter's header and a metric label. `Check` is called only with values that
are there.

How values that JSON does not know are sent: an aware datetime as ISO 8601 with `Z` or its offset, a date or a
time of day likewise, a UUID as text, a Decimal as a number with all its digits. Refused: bytes (no agreed
text form), datetimes without a zone (no instant), NaN and infinities (JSON has none), integers beyond 64
bits, any other type.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

Check = Callable[[Any], str | None]

MADE: dict[Check, tuple[str, int]] = {}
"""The checks that were made with a limit: what they ask for (text, object), and it."""

BLANK = "is blank"
"""An empty or white string, an empty object: the field counts as absent, no fault where it is optional."""
NOT_TEXT = "must be a string"
NOT_OBJECT = "must be an object"
NOT_A_NUMBER_ALONE = "must be a number"
NOT_AN_ID = "must be a string or a whole number"
NOT_A_LIST_OF_TEXTS = "must be a list of strings"
NOT_E164 = "must be an E.164 number: + and up to 15 digits, no spaces or dashes"
NOT_A_TIMESTAMP = "must be an ISO 8601 timestamp with seconds and an offset, or Z"
NO_ZONE = "holds a date and time without a zone: give it an offset"
ODD_OFFSET = "holds a time offset that is not whole minutes"
TOO_DEEP = "is nested more than 32 levels deep"
NOT_A_NUMBER = "holds a number that JSON cannot say: NaN or infinite"
TOO_LARGE_A_NUMBER = "holds a number beyond 64 bits: send it as a string"
KEY_NOT_TEXT = "holds an object whose keys are not strings"
BINARY = "holds bytes: map them to a string"
UNKNOWN_TYPE = "holds a type that has no JSON form"
LONE_SURROGATE = "holds text that is not valid Unicode: a lone surrogate"

MAX_DEPTH = 32
"""Levels of nesting of a whole body, its outermost bracket counted: beyond about 32 the Client API answers
204 and loses the record. No page has a limit for Distinct; the same one is kept there, so that recursion here
is bounded."""

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_PLAIN = frozenset({str, bool, type(None), UUID, date, time})
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1
_MAX_EXPONENT = 308
"""A double's: a Decimal beyond it would be read as infinite, or as nought, and stored as that."""


def text(value: Any) -> str | None:
    """A string; how many characters is not documented."""
    if type(value) is not str:
        return NOT_TEXT
    return None if value and not value.isspace() else BLANK


def text_up_to(max_chars: int) -> Check:
    """A string of at most `max_chars` characters (code points, as a VARCHAR counts them)."""
    too_long = f"is longer than {max_chars} characters"

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return NOT_TEXT
        if len(value) > max_chars:
            return too_long
        return None if value and not value.isspace() else BLANK

    MADE[check] = "text", max_chars
    return check


def e164(value: Any) -> str | None:
    """A phone number as ITU-T E.164 writes it: `+14155552671`."""
    if type(value) is not str:
        return NOT_TEXT
    if _E164.fullmatch(value):
        return None
    return NOT_E164 if value and not value.isspace() else BLANK


def timestamp(value: Any) -> str | None:
    """An aware datetime, or text in the extended form of ISO 8601 with seconds and an offset or Z."""
    if type(value) is datetime:
        return _datetime(value)
    if type(value) is not str or not _TIMESTAMP.fullmatch(value):
        return NOT_A_TIMESTAMP
    try:
        datetime.fromisoformat(value)  # knows the calendar: there is no 30 February
    except ValueError:
        return NOT_A_TIMESTAMP
    return None


def number(value: Any) -> str | None:
    """A number that JSON can say, and within 64 bits; no boolean."""
    kind = type(value)
    if kind is int:
        return None if _MIN_INT <= value <= _MAX_INT else TOO_LARGE_A_NUMBER
    if kind is float:
        return None if isfinite(value) else NOT_A_NUMBER
    return _decimal(value) if kind is Decimal else NOT_A_NUMBER_ALONE


def identifier(value: Any) -> str | None:
    """Text or a whole number, as ids come from shops."""
    if type(value) is str:
        return text(value)
    return number(value) if type(value) is int else NOT_AN_ID


def texts(value: Any) -> str | None:
    """A list of strings; empty ones are the receiver's to pass over."""
    if type(value) not in (list, tuple) or not all(type(one) is str for one in value):
        return NOT_A_LIST_OF_TEXTS
    return None if value else BLANK


def json_object(level: int) -> Check:
    """An object on `level` of the body (the outermost bracket is level 1), with all that it holds."""
    levels = MAX_DEPTH - level + 1

    def check(value: Any) -> str | None:
        if type(value) is not dict:
            return NOT_OBJECT
        return _container(value, levels) if value else BLANK

    MADE[check] = "object", levels
    return check


def _container(value: Any, levels: int) -> str | None:
    """A dict, list or tuple that may nest `levels` deep, itself counted: so recursion ends after 32 calls."""
    if levels <= 0:
        return TOO_DEEP
    members = value
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                return KEY_NOT_TEXT
        members = value.values()
    for member in members:
        kind = type(member)
        if kind in _PLAIN or (kind is datetime and member.tzinfo is UTC):  # nearly all; no call for them
            continue
        if kind is int:
            reason = None if _MIN_INT <= member <= _MAX_INT else TOO_LARGE_A_NUMBER
        elif kind is float:
            reason = None if isfinite(member) else NOT_A_NUMBER
        elif kind is dict or kind is list or kind is tuple:
            reason = _container(member, levels - 1)
        else:
            reason = _rare(member)
        if reason is not None:
            return reason
    return None


def _rare(value: Any) -> str | None:
    match value:
        case datetime():
            return _datetime(value) if type(value) is datetime else UNKNOWN_TYPE
        case Decimal():
            return _decimal(value) if type(value) is Decimal else UNKNOWN_TYPE
        case bytes() | bytearray() | memoryview():
            return BINARY
    return UNKNOWN_TYPE


def _datetime(value: datetime) -> str | None:
    if value.tzinfo is UTC:
        return None
    offset = value.utcoffset()
    if offset is None:
        return NO_ZONE
    # The encoder would cut the seconds off the offset, and so move the instant.
    return ODD_OFFSET if offset.seconds % 60 or offset.microseconds else None


def _decimal(value: Decimal) -> str | None:
    if not value.is_finite():
        return NOT_A_NUMBER
    return TOO_LARGE_A_NUMBER if value and abs(value.adjusted()) > _MAX_EXPONENT else None
