"""What a ledger promises: two-phase keys and windows, epochs and positions. Every implementation passes one
suite.

The words: an *intent* is one record's wish to be sent by one route. `reserve` answers for each intent of a
call, in order, as if one after the other, and atomically towards other processes. `confirm` makes
acknowledged intents durable. `release` gives back what was not acknowledged. All calls may block the caller's
task, never the event loop; all raise `LedgerUnavailable` when the store cannot answer, and then nothing of
the call may be taken as done.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from consumer.core.claims import (
    Buried,
    Duplicate,
    Fenced,
    Holder,
    KeyState,
    Once,
    Refusal,
    Wait,
    Windowed,
    slot_of,
)
from consumer.types import Assigned, Origin, TopicPartition

__all__ = [
    "Assigned",
    "Buried",
    "Duplicate",
    "Fenced",
    "Held",
    "Intent",
    "KeyState",
    "Ledger",
    "Once",
    "Refusal",
    "Reservation",
    "Wait",
    "Windowed",
]


class Intent(msgspec.Struct, frozen=True, gc=False):
    """One record's wish to be sent by one route.

    `key` is a 16-byte digest of account, route and the event's id, or None where the route opts out of keys.
    `epoch` is the assignment's, as `assign` gave it for (topic, partition). `redrive` is the operator's word
    to send a dead-lettered record again: it passes its own dead letter and, belonging to no assignment, the
    epochs.
    """

    key: bytes | None
    topic: str
    partition: int
    offset: int
    epoch: int
    route: str
    once: Once | None = None
    redrive: bool = False
    topology: str = ""
    """The version of the topology that mapped it; written down with what becomes of it."""

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)

    @property
    def holder(self) -> Holder:
        return Holder(self.origin, self.route)

    @property
    def slot(self) -> bytes:
        """What its reservation is filed under: see `slot_of`."""
        return self.key if self.key is not None else slot_of(None, self.holder)


class Reservation(msgspec.Struct, frozen=True):
    """The answer to one `reserve`: all intents are held by `token`, but those whose index is in `refused`."""

    token: int
    refused: Mapping[int, Refusal]


class Held(msgspec.Struct, frozen=True, gc=False):
    """An intent with the token that it was reserved under."""

    intent: Intent
    token: int


class Ledger(Protocol):
    """See the module's docstring. One object a process and consumer group; safe for one event loop."""

    @property
    def advice(self) -> Sequence[str]:
        """What of the store's own set-up may cost duplicates, for an operator to know; once it is open."""
        ...

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """Call this, with what happened, when the store turns out to have forgotten what it knew while it was open,
        and goes on. One that fails closed then never calls it."""
        ...

    async def open(self) -> None:
        """Open the store, register this process as an owner and keep its heartbeat."""
        ...

    async def close(self) -> None:
        """End the heartbeat and close. What was confirmed is durable before; idempotent."""
        ...

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        """Write a new epoch for each partition: from now on older ones are fenced."""
        ...

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        """Record the first positions of a topic, partition by partition, once for the group: what stands
        wins.

        Gives what stands after the call for the whole topic. With an empty `chosen` it only looks.
        """
        ...

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        """Reserve key and window of each, together or not at all; also renews what the same record holds.

        A refusal changes nothing: what an intent held before, it still holds under the token of then. An
        intent without key and window is granted and leaves no trace. A caller cancelled while it waits may
        hold what it asked for, until its age.
        """
        ...

    async def confirm(self, intents: Sequence[Intent]) -> None:
        """Write keys and windows as accepted, durably, whoever holds them now. Idempotent; needs no token.

        It ends the reservation of the key, whoever holds it. A key that another record confirmed before keeps
        that record's name.
        """
        ...

    async def release(self, held: Sequence[Held]) -> None:
        """Give reservations back; one that `token` no longer holds, or that is confirmed, is left alone."""
        ...

    async def bury(self, held: Sequence[Held]) -> None:
        """As `release`, after a dead letter was acknowledged: the holder's row stays as dead-lettered,
        durably.

        An intent without key and window leaves no row: there was nothing that it could hold.
        """
        ...

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        """What is known of each key, and of which record, read only. FREE where the intent has none.

        A lapsed reservation counts for nothing. Asks the store also when it is
        handed nothing, so that it serves as a probe of its health.
        """
        ...

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        """The version of the topology by which what is settled under each key was mapped, read only; None where nothing
        is, or where the intent has no key."""
        ...

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        """Record positions, durably, before they are committed. A position only rises."""
        ...

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Record (epoch, horizon) of partitions: from now on the records below may be met there, by a process that
        may die of one. `assign` gives it to the next owner. It may also fall: see `Horizon`.

        What is written under another epoch than the one that stands changes nothing. It outlives the process; a
        crash of the machine may lose it.
        """
        ...
