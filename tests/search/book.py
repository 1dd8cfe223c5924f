"""The ledger in a search: the real `MemoryLedger` over a store that is frozen, thawed for one call and frozen again.

Of the clock only what decides is kept: whether a lease or a reservation has lapsed. Epochs are 1 for all that are over
and 2 for the one that stands; tokens and owners are small numbers that nobody else has.
"""

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, NamedTuple, cast
from unittest.mock import patch

from consumer.clock import ManualClock
from consumer.core.claims import Accepted, Holder, KeyState, Once
from consumer.ledger import memory, owner
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_store import MemoryStore, Row, Settled
from consumer.ledger.policy import LedgerPolicy
from consumer.types import Origin, TopicPartition
from tests.search.edges import Call

OVER, STANDS, NEXT = 1, 2, 3
POLICY = LedgerPolicy(reservation_age_s=60.0, lease_s=15.0)
FAR_S = 4_000_000_000
GROUP = "group"


class Reserved(NamedTuple):
    """One row, with its time as the answer to: has it lapsed by age?"""

    slot: bytes
    holder: Holder
    token: int
    owner: int
    aged: bool
    once: Once | None


class Store(NamedTuple):
    """A frozen store."""

    reserved: tuple[Reserved, ...] = ()
    owners: tuple[int, ...] = ()
    """Those whose lease lasts."""
    settled: tuple[tuple[bytes, KeyState, Origin, str], ...] = ()
    letters: tuple[tuple[bytes, Holder], ...] = ()
    windows: tuple[tuple[bytes, Accepted], ...] = ()
    epochs: tuple[TopicPartition, ...] = ()
    """The partitions that have one."""
    positions: tuple[tuple[TopicPartition, int], ...] = ()
    horizons: tuple[tuple[TopicPartition, int], ...] = ()
    """Where there is one."""

    def lives(self, row: Reserved) -> bool:
        return not row.aged and row.owner in self.owners

    def state_of(self, key: bytes) -> KeyState:
        return next((state for slot, state, *_ in self.settled if slot == key), KeyState.FREE)


class Done(NamedTuple):
    """What a call did: the store after it, who its owner is now, and the answer."""

    store: Store
    owner: int
    answer: Any


class Book:
    """All stores that were met, and what each call does to each."""

    def __init__(self) -> None:
        self._done: dict[Hashable, Done] = {}
        self._clock = ManualClock()

    @property
    def calls(self) -> int:
        """How many different calls of different stores were made of the real ledger."""
        return len(self._done)

    def call(self, store: Store, owner_id: int, call: Call, token: int, spare_owner: int) -> Done:
        """Make this call, as this owner; a token or an owner that has to be new is one of these."""
        key = (store, owner_id, call, token, spare_owner)
        done = self._done.get(key)
        if done is None:
            done = self._done[key] = self._call(store, owner_id, call, token, spare_owner)
        return done

    def _call(self, store: Store, owner_id: int, call: Call, token: int, spare_owner: int) -> Done:
        thawed = self._thaw(store)
        with patch.object(owner, "new_owner", lambda: spare_owner):
            ledger = MemoryLedger(thawed, GROUP, POLICY, self._clock)
            ledger._pulse = cast("asyncio.Task[None]", object())  # It is open.
            ledger._swept_s = self._clock.wall_s()
            ledger._owner.id = owner_id
            if owner_id in store.owners:
                ledger._owner.beat(int(self._clock.monotonic_s() * 1000))
            with (
                patch.object(memory, "new_token", lambda: token),
                patch.object(memory, "next_epoch", lambda standing, wall_s: NEXT),
            ):
                answer = _answer(call, _now(_asked(ledger, call)))
        return Done(self._freeze(thawed), ledger._owner.id, answer)

    def _thaw(self, store: Store) -> MemoryStore:
        now_ms = int(self._clock.monotonic_s() * 1000)
        thawed = MemoryStore()
        for row in store.reserved:
            expires_ms = 0 if row.aged else now_ms + int(POLICY.reservation_age_s * 1000)
            thawed.reserve(row.slot, Row(row.holder, row.token, row.owner, expires_ms, row.once))
        thawed.owners = dict.fromkeys(store.owners, now_ms + int(POLICY.lease_s * 1000))
        thawed._settled = {
            slot: Settled(state, *origin, FAR_S, topology) for slot, state, origin, topology in store.settled
        }
        thawed._letters = dict.fromkeys(store.letters, FAR_S)
        for scope, accepted in store.windows:
            thawed._windows.setdefault(scope, {})[accepted] = FAR_S
        thawed.epochs = {(GROUP, one): STANDS for one in store.epochs}
        thawed.positions = {(GROUP, one): offset for one, offset in store.positions}
        thawed.horizons = {(GROUP, one): horizon for one, horizon in store.horizons}
        return thawed

    def _freeze(self, store: MemoryStore) -> Store:
        now_ms = int(self._clock.monotonic_s() * 1000)
        return Store(
            tuple(
                sorted(
                    (
                        Reserved(slot, row.holder, row.token, row.owner, row.expires_ms <= now_ms, row.once)
                        for slot, row in store.reserved.items()
                    ),
                    key=lambda row: row.slot,
                )
            ),
            tuple(sorted(one for one, until_ms in store.owners.items() if until_ms > now_ms)),
            tuple(
                sorted(
                    ((slot, row.state, row.origin, row.topology) for slot, row in store._settled.items()),
                    key=lambda row: row[0],
                )
            ),
            tuple(sorted(store._letters)),
            tuple(
                sorted(
                    ((scope, accepted) for scope, each in store._windows.items() for accepted in each),
                    key=lambda one: (one[0], one[1].at_ms, one[1].holder),
                )
            ),
            tuple(sorted(partition for _, partition in store.epochs)),
            tuple(sorted((partition, offset) for (_, partition), offset in store.positions.items())),
            tuple(sorted((partition, reach) for (_, partition), reach in store.horizons.items() if reach)),
        )


def _asked(ledger: MemoryLedger, call: Call) -> Coroutine[Any, Any, Any]:
    about: Any = dict(call.about) if call.kind in ("advance", "venture") else call.about
    asked: Coroutine[Any, Any, Any] = getattr(ledger, call.kind)(about)
    return asked


def _answer(call: Call, answer: Any) -> Hashable:
    """What the process is told, as a value."""
    match call.kind:
        case "reserve":
            return (answer.token, tuple(sorted(answer.refused.items())))
        case "assign":
            return tuple((one, assigned.position, assigned.horizon) for one, assigned in answer.items())
        case "states":
            return tuple(answer)
    return None


def _now(asked: Coroutine[Any, Any, Any]) -> Any:
    """No call of the ledger in memory waits."""
    try:
        asked.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")
