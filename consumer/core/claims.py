"""The values of the two-phase ledger: what a record claims, what stands against it, what it is answered."""

from enum import Enum
from typing import NamedTuple

import msgspec

from consumer.types import Origin


class Once(msgspec.Struct, frozen=True, gc=False):
    """A window's claim: one accepted record of a scope per `length_ms` of event time (None: for ever)."""

    scope: bytes
    at_ms: int
    length_ms: int | None


class Holder(NamedTuple):
    """Who claims: one record on one route. The same process is not the same holder, a redelivery is."""

    origin: Origin
    route: str


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """A reservation whose outcome is open: one slot (see `slot_of`), and the window it took with it, if any.

    `lapsed`: its owner no longer beats, or it is older than any request can be; what it holds may be taken
    over.
    """

    slot: bytes
    holder: Holder
    lapsed: bool
    at_ms: int | None = None
    token: int = 0
    """Another one each time it is reserved, also by the same holder."""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A record that was acknowledged and occupies its window, around `at_ms` of event time."""

    at_ms: int
    holder: Holder


class Duplicate(msgspec.Struct, frozen=True):
    """The key is confirmed: this event has arrived, by `origin`."""

    origin: Origin


class Windowed(msgspec.Struct, frozen=True):
    """An accepted record, `origin`, occupies the window."""

    origin: Origin


class Wait(msgspec.Struct, frozen=True):
    """Another record, `holder`, has the key or window reserved and its outcome is open: ask again.

    While `token` stays the same it is one reservation, which ends with its age or its owner's lease. A holder that
    tries again reserves again.
    """

    holder: Origin
    token: int = 0


class Buried(msgspec.Struct, frozen=True):
    """This very record was dead-lettered by its holder before: it is settled, not sent again."""


class Fenced(msgspec.Struct, frozen=True):
    """The assignment is over: a newer epoch is written for the partition. Counts as notice of loss."""


Refusal = Duplicate | Windowed | Wait | Buried | Fenced


class KeyState(Enum):
    """What the ledger knows of a key."""

    FREE = "free"
    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    DEAD_LETTERED = "dead_lettered"


def slot_of(key: bytes | None, holder: Holder) -> bytes:
    """What a reservation is filed under: the key, or where there is none, who the holder is.

    Without a key a record meets nobody but its own redelivery; it still needs a row, for its window.
    """
    if key is not None:
        return key
    topic, partition, offset = holder.origin
    return f"{topic}\0{partition}\0{offset}\0{holder.route}".encode()
