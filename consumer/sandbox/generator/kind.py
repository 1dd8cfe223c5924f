"""What a generated record is there to try."""

from enum import StrEnum


class Kind(StrEnum):
    """The one thing that is special about a record. Mix says how many there are of each."""

    PLAIN = "plain"
    DUPLICATE = "duplicate"
    OPEN_INSIDE = "open_inside_window"
    OPEN_LAST_MOMENT = "open_at_19_59_999"
    OPEN_AT_EDGE = "open_at_20_00_000"
    OPEN_OUTSIDE = "open_outside_window"
    REPEATED_ORDER = "repeated_order"
    LATE = "late"
    BOT = "bot"
    MACHINE_OPEN = "machine_open"
    NULL_KEY = "null_key"
    UNKNOWN_USER = "unknown_user"
    INVALID_PHONE = "invalid_phone"
    UNREGISTERED_PAIR = "unregistered_pair"
    UNKNOWN_EXPERIENCE = "unknown_experience"
    LONG_NAME = "long_name"
    WRONG_MAGIC = "wrong_magic"
    UNKNOWN_SCHEMA = "unknown_schema"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    EMPTY_VALUE = "empty_value"
    TOMBSTONE = "tombstone"

    @property
    def is_undecodable(self) -> bool:
        """Whether the value is there, but is no event."""
        return self in _UNDECODABLE

    @property
    def is_event(self) -> bool:
        """Whether the value decodes to an event with an id."""
        return self is not Kind.TOMBSTONE and self not in _UNDECODABLE


REPEATED_OPENS = (Kind.OPEN_INSIDE, Kind.OPEN_LAST_MOMENT, Kind.OPEN_AT_EDGE, Kind.OPEN_OUTSIDE)

_UNDECODABLE = frozenset(
    {Kind.WRONG_MAGIC, Kind.UNKNOWN_SCHEMA, Kind.TRUNCATED, Kind.TRAILING_BYTES, Kind.EMPTY_VALUE}
)
