"""What has to become of a record at a destination: the words of the oracle."""

from dataclasses import dataclass

USER_ANALYTICS = "user-analytics"
CLIENT = "client"
DESTINATIONS = (USER_ANALYTICS, CLIENT)
"""The names that the shipped topology gives the two accounts."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """No route takes it there, or a route drops it: it is never sent, and no letter is written."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver has to have it, once."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open: the receiver has it, or another open of the same scope that lies within the window."""

    scope: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver never has it, and a dead letter says why."""


Fate = Ignored | Accepted | Opened | Refused
