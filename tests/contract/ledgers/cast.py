"""Who acts in the traces: a world with one store and a clock, its processes, and the records they hold."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from unittest.mock import ANY

from consumer.clock import ManualClock
from consumer.ledger.ledger import Held, Intent, Ledger, Once, Refusal, Reservation, Wait
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_store import MemoryStore
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite import SqliteLedger
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress
from consumer.types import Origin, TopicPartition
from tests.brokers.valkey import GivenServer, ValkeyServer

LEASE_S = 300.0
AGE_S = 900.0
POLICY = LedgerPolicy(reservation_age_s=AGE_S, lease_s=LEASE_S)
"""Longer than any test takes, so that only the test's clock lets a lease lapse."""

TOPIC = "user-events"
MINUTE_MS = 60_000
WINDOW_MS = 20 * MINUTE_MS
NOON_MS = 1_800_000_000_000


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def open_of(user: str, at_min: float) -> Once:
    """The claim of an email open: one accepted in 20 minutes for a user."""
    return Once(digest(f"opens of {user}"), NOON_MS + round(at_min * MINUTE_MS), WINDOW_MS)


def ever(order: str) -> Once:
    """The claim of an order's confirmation: one accepted for ever."""
    return Once(digest(f"order {order}"), NOON_MS, None)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a background thread does, for half a minute at most."""
    async with asyncio.timeout(30):
        while True:
            if condition():
                return
            await asyncio.sleep(0.002)


def origin(offset: int, partition: int = 0) -> Origin:
    return Origin(TOPIC, partition, offset)


def behind(holder: Origin) -> Wait:
    """Any reservation of this one."""
    return Wait(holder, ANY)


class Process:
    """One process of the group: a ledger of its own, and the epochs it was assigned."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.epochs: dict[int, int] = {}

    async def assign(self, *partitions: int) -> None:
        """The partitions become this process's; whoever had them is fenced."""
        assigned = await self.ledger.assign([TopicPartition(TOPIC, one) for one in partitions])
        self.epochs.update({one.partition: answer.epoch for one, answer in assigned.items()})

    def record(
        self,
        offset: int,
        *,
        key: str | None = "by offset",
        partition: int = 0,
        once: Once | None = None,
        route: str = "opens",
    ) -> Intent:
        """A record as this process reads it; its key is its own unless one is named, or None: no key."""
        name = f"event {partition}/{offset}" if key == "by offset" else key
        return Intent(
            key=None if name is None else digest(name),
            topic=TOPIC,
            partition=partition,
            offset=offset,
            epoch=self.epochs.get(partition, 0),
            route=route,
            once=once,
        )

    async def reserve(self, *intents: Intent) -> Reservation:
        return await self.ledger.reserve(intents)

    async def ask(self, intent: Intent) -> Refusal | None:
        """What one reserve answers: None where it is granted."""
        return (await self.ledger.reserve([intent])).refused.get(0)

    async def take(self, intent: Intent) -> Held:
        """Reserve what must be free."""
        reservation = await self.ledger.reserve([intent])
        assert reservation.refused == {}
        return Held(intent, reservation.token)

    async def deliver(self, intent: Intent) -> None:
        """Reserve, send, and confirm."""
        await self.take(intent)
        await self.ledger.confirm([intent])


class World:
    """One store and all processes on it. `kind` is memory, sqlite or valkey, which needs a server."""

    def __init__(self, kind: str, folder: Path, server: ValkeyServer | GivenServer | None = None) -> None:
        self.clock = ManualClock()
        self._server = server
        self.path = folder / "ledger.db"
        self._kind = kind
        self._store = MemoryStore()
        self._open: list[Ledger] = []

    def ledger(self, group: str = "group", policy: LedgerPolicy = POLICY) -> Ledger:
        """A ledger that is not open yet."""
        if self._server is not None:
            address = ValkeyAddress.parse(self._server.url, Access())
            return ValkeyLedger(address, group, policy, self.clock, time_of_store=self.clock)
        make: Callable[..., Ledger] = MemoryLedger if self._kind == "memory" else SqliteLedger
        return make(self._store if self._kind == "memory" else self.path, group, policy, self.clock)

    async def process(self, *partitions: int, group: str = "group", policy: LedgerPolicy = POLICY) -> Process:
        """A process that has just started, and was assigned these partitions."""
        process = Process(self.ledger(group, policy))
        await process.ledger.open()
        self._open.append(process.ledger)
        if partitions:
            await process.assign(*partitions)
        return process

    async def crash(self, process: Process) -> None:
        """The process is gone: it gives nothing back and beats no more."""
        await process.ledger.close()

    async def flush(self) -> None:
        """The store loses all it had. Processes on a file that is gone can't go on; start new ones."""
        if self._kind == "memory":
            empty = MemoryStore()
            for table in fields(empty):
                setattr(self._store, table.name, getattr(empty, table.name))
            return
        if self._server is not None:
            self._server.ask("FLUSHDB")
            return
        await self.end()
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.path.parent / name).unlink(missing_ok=True)

    def leases_ms(self) -> list[int]:
        """When the leases of all owners end."""
        if self._kind == "memory":
            return list(self._store.owners.values())
        if self._server is not None:
            return [int(until_ms) for until_ms in self._server.ask("HVALS", "dc1:owners")]
        connection = sqlite3.connect(self.path)
        rows = connection.execute("SELECT until_ms FROM owners").fetchall()
        connection.close()
        return [until_ms for (until_ms,) in rows]

    def lease_lapses(self) -> None:
        """So much time passes that whoever does not beat meanwhile has lapsed."""
        self.clock.advance(LEASE_S + 1)

    async def end(self) -> None:
        for ledger in self._open:
            await ledger.close()
        self._open.clear()
