"""One made-up user."""

from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a user lives."""

    locale: str
    timezone: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class User:
    """A user, with what each event repeats encoded once."""

    key: bytes
    """The record key of all of this user's events."""
    identifiers: dict[str, str | None]
    firstname: str
    lastname: str
    place: Place
    encoded_identifiers: bytes
    encoded_context: bytes
