"""The ledger in memory: for tests and for runs that may forget. It dies with the process."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from consumer.clock import Clock
from consumer.core.claims import Fenced, KeyState, Refusal, Reserved
from consumer.core.reservations import Grant, Known, decide
from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Held, Intent, Reservation
from consumer.ledger.memory_store import MemoryStore, Row
from consumer.ledger.owner import Owner
from consumer.ledger.policy import BUCKET_S, LedgerPolicy, expiry_s
from consumer.ledger.unique import new_token, next_epoch
from consumer.types import Assigned, Origin, TopicPartition


class MemoryLedger:
    """See `Ledger`. Several objects over one `store` are to each other what processes are over one file.

    No call waits for anything, so each is atomic by itself.
    """

    def __init__(self, store: MemoryStore, group: str, policy: LedgerPolicy, clock: Clock) -> None:
        self._store = store
        self._group = group
        self._policy = policy
        self._clock = clock
        self._owner = Owner(policy.lease_s)
        self._pulse: asyncio.Task[None] | None = None
        self._swept_s = 0.0

    @property
    def advice(self) -> Sequence[str]:
        return ()

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """Nobody else can take it away from this process."""

    async def open(self) -> None:
        if self._pulse is None:
            self._beat()
            self._pulse = asyncio.create_task(self._keep_beating(), name="ledger-heartbeat")

    async def close(self) -> None:
        # The owner's row stays and lapses by itself: a request may still be on the wire, and others shall
        # wait for it.
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.gather(self._pulse, return_exceptions=True)
            self._pulse = None

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        self._begin()
        epochs, positions = self._store.epochs, self._store.positions
        answer = {}
        for partition in partitions:
            place = (self._group, partition)
            epochs[place] = next_epoch(epochs.get(place), self._clock.wall_s())
            horizon = self._store.horizons.get(place, 0)
            answer[partition] = Assigned(epochs[place], positions.get(place), horizon)
        return answer

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        self._begin()
        standing = self._store.starts.setdefault((self._group, topic), {})
        for partition, offset in chosen.items():
            standing.setdefault(partition, offset)
        return dict(standing)

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        self._begin()
        standing = self._store.positions
        for partition, offset in positions.items():
            place = (self._group, partition)
            standing[place] = max(offset, standing.get(place, offset))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        self._begin()
        for partition, (epoch, horizon) in horizons.items():
            place = (self._group, partition)
            if self._store.epochs.get(place) == epoch:
                self._store.horizons[place] = horizon

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        now_ms = self._begin()
        token = new_token()
        refused: dict[int, Refusal] = {}
        for index, intent in enumerate(intents):
            refusal = self._reserve_one(intent, token, now_ms)
            if refusal is not None:
                refused[index] = refusal
        return Reservation(token, refused)

    async def confirm(self, intents: Sequence[Intent]) -> None:
        self._begin()
        now_s, policy, store = self._clock.wall_s(), self._policy, self._store
        for intent in intents:
            if intent.key is None and intent.once is None:
                continue  # It claimed nothing, and ends nothing.
            store.end(intent.slot)
            if intent.key is not None:
                until_s = expiry_s(now_s, policy.key_keep_s)
                store.confirm(intent.key, intent.origin, now_s, until_s, intent.topology)
            if intent.once is not None:
                keep_s = policy.once_keep_s if intent.once.length_ms is None else policy.window_keep_s
                store.accept(intent.once, intent.holder, expiry_s(now_s, keep_s))

    async def release(self, held: Sequence[Held]) -> None:
        self._begin()
        for one in held:
            self._give_back(one)

    async def bury(self, held: Sequence[Held]) -> None:
        self._begin()
        expires_s = expiry_s(self._clock.wall_s(), self._policy.key_keep_s)
        for one in held:
            if self._give_back(one):
                self._store.bury(one.intent.slot, one.intent.holder, expires_s, one.intent.topology)

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        self._check_open()
        return [self._state(intent.key) for intent in intents]

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        self._check_open()
        now_s = self._clock.wall_s()
        settled = (None if one.key is None else self._store.settled(one.key, now_s) for one in intents)
        return [None if one is None else one.topology for one in settled]

    def _begin(self) -> int:
        self._check_open()
        return self._beat()

    def _check_open(self) -> None:
        if self._pulse is None:
            raise LedgerUnavailable("the ledger in memory is closed: open it first")

    def _beat(self) -> int:
        now_ms = int(self._clock.monotonic_s() * 1000)
        if self._owner.due(now_ms):
            if self._store.owners.get(self._owner.id, 0) <= now_ms:
                self._owner.replace()
            self._store.owners[self._owner.id] = self._owner.until_ms(now_ms)
            self._owner.beat(now_ms)
            self._sweep(now_ms)
        return now_ms

    def _sweep(self, now_ms: int) -> None:
        now_s = self._clock.wall_s()
        if abs(now_s - self._swept_s) >= BUCKET_S:
            self._swept_s = now_s
            self._store.sweep(now_ms, now_s)

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._policy.lease_s / 3)
            self._beat()

    def _reserve_one(self, intent: Intent, token: int, now_ms: int) -> Refusal | None:
        if not intent.redrive:
            epoch = self._store.epochs.get((self._group, TopicPartition(intent.topic, intent.partition)))
            if epoch is not None and intent.epoch < epoch:
                return Fenced()
        once = intent.once
        if intent.key is None and once is None:
            return None
        verdict = decide(intent.holder, once, self._known(intent, now_ms))
        if not isinstance(verdict, Grant):
            return verdict
        for row in verdict.ended:
            self._store.end(row.slot)
        expires_ms = now_ms + int(self._policy.reservation_age_s * 1000)
        self._store.reserve(intent.slot, Row(intent.holder, token, self._owner.id, expires_ms, once))
        return None

    def _known(self, intent: Intent, now_ms: int) -> Known:
        store, now_s = self._store, self._clock.wall_s()
        slot, once = intent.slot, intent.once
        settled = store.settled(slot, now_s)
        row = store.reserved.get(slot)
        return Known(
            confirmed=settled.origin if settled is not None and settled.state is KeyState.CONFIRMED else None,
            buried=not intent.redrive and store.buried(slot, intent.holder, now_s),
            reserved=None if row is None else self._seen(slot, row, now_ms),
            accepted=() if once is None else store.accepted(once.scope, now_s),
            rivals=()
            if once is None
            else [self._seen(one, store.reserved[one], now_ms) for one in store.rivals.get(once.scope, ())],
        )

    def _seen(self, slot: bytes, row: Row, now_ms: int) -> Reserved:
        at_ms = None if row.once is None else row.once.at_ms
        return Reserved(slot, row.holder, self._lapsed(row, now_ms), at_ms, row.token)

    def _lapsed(self, row: Row, now_ms: int) -> bool:
        return row.expires_ms <= now_ms or self._store.owners.get(row.owner, 0) <= now_ms

    def _give_back(self, one: Held) -> bool:
        """Whether the token held it."""
        row = self._store.reserved.get(one.intent.slot)
        if row is None or row.token != one.token or row.holder != one.intent.holder:
            return False
        self._store.end(one.intent.slot)
        return True

    def _state(self, key: bytes | None) -> tuple[KeyState, Origin | None]:
        if key is None:
            return KeyState.FREE, None
        settled = self._store.settled(key, self._clock.wall_s())
        if settled is not None and settled.state is KeyState.CONFIRMED:
            return KeyState.CONFIRMED, settled.origin
        row = self._store.reserved.get(key)
        if row is not None and not self._lapsed(row, int(self._clock.monotonic_s() * 1000)):
            return KeyState.RESERVED, row.holder.origin
        return (KeyState.FREE, None) if settled is None else (settled.state, settled.origin)
