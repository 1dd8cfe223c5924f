"""What an API makes of a request."""

from typing import NamedTuple

import msgspec

from consumer.sandbox.simulator.answer import Answer


class Received(NamedTuple):
    """One accepted item, as the ledger keeps it."""

    operation: str
    event_id: str | None
    """metadata.event_id or data.event_id, put there by the sender so that a receiver can tell a repeat."""
    user: str
    name: str
    time: str | None


class Accepted(msgspec.Struct, frozen=True):
    """Every item of the request takes effect."""

    answer: Answer
    items: list[Received]
    harms: list[str] = []
    """Why items were lost or did harm although the answer says success: one reason each."""


class Refused(msgspec.Struct, frozen=True):
    """Nothing of the request takes effect."""

    answer: Answer
    reason: str
    """Stable enough to count by: without an item's index."""
    operation: str = ""
    guilty: list[str | None] = []
    """The event ids (None: an item without) that caused it; empty where the key or the whole body did."""


Verdict = Accepted | Refused
