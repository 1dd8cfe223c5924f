"""The shared ledger, on Valkey or Redis: for processes on any number of hosts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from secrets import randbelow
from typing import TypeVar

from consumer.clock import Clock
from consumer.core.claims import KeyState, Refusal
from consumer.ledger.ledger import Held, Intent, Reservation
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.unique import new_token
from consumer.ledger.valkey_address import ValkeyAddress
from consumer.ledger.valkey_calls import Calls
from consumer.ledger.valkey_link import Link
from consumer.ledger.valkey_rows import (
    Argument,
    confirm_arguments,
    give_back_arguments,
    holder_of,
    labels_of,
    partitions_arguments,
    positions_key,
    refusal_of,
    reserve_arguments,
    slot_bytes,
    token_bytes,
)
from consumer.ledger.valkey_scripts import ADVANCE, ASSIGN, CONFIRM, GIVE_BACK, LOOK, RESERVE, STARTS, VENTURE
from consumer.types import Assigned, Origin, TopicPartition

T = TypeVar("T")

_CHUNK = 500
"""Records of one script: the server does nothing else meanwhile, and a few milliseconds are little for others."""

_STATES = {b"C": KeyState.CONFIRMED, b"D": KeyState.DEAD_LETTERED}


class ValkeyLedger:
    """See `Ledger`. A chunk of a call is one script, so atomic and one round trip.

    What a call wrote is as durable as the server's append-only file makes it, see `docs/ledger.md`. A call that fails
    may have been done all the same; each may be repeated.
    """

    def __init__(
        self,
        address: ValkeyAddress,
        group: str,
        policy: LedgerPolicy,
        clock: Clock,
        time_of_store: Clock | None = None,
    ) -> None:
        """`time_of_store`: None for the server's own clock; tests hand one in."""
        self._group = group
        self._policy = policy
        self._calls = Calls(Link(address, policy.busy_timeout_s), policy, clock, time_of_store)

    @property
    def advice(self) -> Sequence[str]:
        """See `Ledger.advice`."""
        return self._calls.advice

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """See `Ledger.watch`."""
        self._calls.on_loss = on_loss

    async def open(self) -> None:
        """As `Ledger.open`. Raises LedgerUnavailable, or ConfigurationError where the server may not be used."""
        await self._calls.open()

    async def close(self) -> None:
        await self._calls.close()

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        digits = f"{randbelow(1_000_000):06}"
        [told] = await self._calls.run(ASSIGN, [digits, *partitions_arguments(self._group, partitions)])
        found = zip(partitions, told[::3], told[1::3], told[2::3], strict=True)
        return {
            one: Assigned(int(epoch), None if position == b"" else int(position), int(horizon))
            for one, epoch, position, horizon in found
        }

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        arguments: list[Argument] = [positions_key(self._group, topic)]
        for partition, offset in chosen.items():
            arguments += (partition, offset)
        [standing] = await self._calls.run(STARTS, arguments)
        return {
            int(partition): int(offset)
            for partition, offset in zip(standing[::2], standing[1::2], strict=True)
        }

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        arguments: list[Argument] = []
        for partition, offset in positions.items():
            arguments += (*partitions_arguments(self._group, [partition]), offset)
        await self._calls.run(ADVANCE, arguments)

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        arguments: list[Argument] = []
        for partition, (epoch, horizon) in horizons.items():
            arguments += (*partitions_arguments(self._group, [partition]), epoch, horizon)
        await self._calls.run(VENTURE, arguments)

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        token = new_token()
        age_ms = int(self._policy.reservation_age_s * 1000)
        refused: dict[int, Refusal] = {}
        for first, chunk in _chunks(intents):
            arguments = [token_bytes(token), age_ms, *reserve_arguments(self._group, chunk)]
            found, told = await self._calls.run(RESERVE, arguments)
            labels = labels_of(told)
            for index, why, *who in found:
                refused[first + index] = refusal_of(why, who, chunk[index].once, labels)
        return Reservation(token, refused)

    async def confirm(self, intents: Sequence[Intent]) -> None:
        policy = self._policy
        keep = (policy.key_keep_s, policy.window_keep_s, policy.once_keep_s)
        for _, chunk in _chunks(intents):
            await self._calls.run(CONFIRM, [*keep, *confirm_arguments(chunk)])

    async def release(self, held: Sequence[Held]) -> None:
        for _, chunk in _chunks(held):
            await self._calls.run(GIVE_BACK, ["", *give_back_arguments(chunk)])

    async def bury(self, held: Sequence[Held]) -> None:
        for _, chunk in _chunks(held):
            await self._calls.run(GIVE_BACK, [self._policy.key_keep_s, *give_back_arguments(chunk)])

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        states: list[tuple[KeyState, Origin | None]] = []
        # At least once: it is also asked whether it answers at all.
        for _, chunk in _chunks(intents) if intents else [(0, intents)]:
            known, told = await self._calls.run(LOOK, [b"".join(map(slot_bytes, chunk))])
            labels = labels_of(told)
            for intent, (state, holder, _, other) in zip(chunk, known, strict=True):
                if intent.key is None or not (state or other):
                    states.append((KeyState.FREE, None))
                elif other and state != b"C":
                    states.append((KeyState.RESERVED, holder_of(other, labels).origin))
                else:
                    states.append((_STATES[state], holder_of(holder, labels).origin))
        return states

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        versions: list[str | None] = []
        for _, chunk in _chunks(intents) if intents else [(0, intents)]:
            known, _ = await self._calls.run(LOOK, [b"".join(map(slot_bytes, chunk))])
            for intent, (state, _, version, _) in zip(chunk, known, strict=True):
                versions.append(version.decode() if state and intent.key is not None else None)
        return versions


def _chunks(items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    for first in range(0, len(items), _CHUNK):
        yield first, items[first : first + _CHUNK]
