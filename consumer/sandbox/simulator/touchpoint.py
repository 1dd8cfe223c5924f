"""Touchpoints and their scans, as plain data: a simulator is configured with them."""

import re
from datetime import datetime

import msgspec

_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


class Visit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scan."""

    user_id: str
    timestamp_utc: str
    """ISO 8601 with a Z, such as 2024-01-01T10:00:00Z; told as it is written here."""

    def __post_init__(self) -> None:
        if not self.user_id:
            raise ValueError("a visit's user_id must not be empty")
        if _UTC.fullmatch(self.timestamp_utc) is None:
            raise ValueError("a visit's timestamp_utc must look like 2024-01-01T10:00:00Z")
        self.at()

    def at(self) -> datetime:
        """The moment, for ordering: as texts, fractions of a second would come before the second itself."""
        return datetime.fromisoformat(self.timestamp_utc)


class Touchpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place to scan, within one experience."""

    id: str
    name: str
    value: str
    experience_id: str
    visits: tuple[Visit, ...] = ()

    def __post_init__(self) -> None:
        if not self.id or not self.experience_id:
            raise ValueError("a touchpoint needs an id and an experience_id")


def _visit(user_id: str, timestamp_utc: str) -> Visit:
    return Visit(user_id=user_id, timestamp_utc=timestamp_utc)


DOCUMENTED_TOUCHPOINTS = (
    Touchpoint(
        id="tp-1",
        name="Entry Scan",
        value="entry_scan",
        experience_id="47Gop5",
        visits=(
            _visit("user-1", "2024-01-01T10:00:00Z"),
            _visit("user-2", "2024-01-02T10:00:00Z"),
            _visit("user-1", "2024-01-03T10:00:00Z"),
        ),
    ),
    Touchpoint(
        id="tp-2",
        name="Exit Scan",
        value="exit_scan",
        experience_id="47Gop5",
        visits=(_visit("user-2", "2024-01-02T11:00:00Z"),),
    ),
)
"""What the answers on the page "Touchpoint Scanner Metrics" show."""
