"""Servers of a test's own, each with its own clock and an append-only file, and the processes on them."""

import time
from pathlib import Path

from consumer.clock import SystemClock
from consumer.ledger.ledger import Ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress
from tests.brokers.valkey import ValkeyServer
from tests.contract.ledgers.cast import Process

USUAL = LedgerPolicy(reservation_age_s=60.0, lease_s=15.0, busy_timeout_s=20.0)
"""Patient: what is not about waiting must not fail where the machine is slow."""


class Hosts:
    """Servers and the processes on them; all are ended with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[ValkeyServer] = []
        self._open: list[Ledger] = []
        self.alarms: list[str] = []

    def server(self, *options: str) -> ValkeyServer:
        server = ValkeyServer(self._folder / f"server-{len(self._servers)}", *options).start()
        self._servers.append(server)
        return server

    def replica(self, primary: ValkeyServer) -> ValkeyServer:
        """A copy that follows it, in step by now."""
        primary.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        replica = self.server("--replicaof", f"127.0.0.1 {primary.port}")
        self.await_step(primary, replica)
        return replica

    def await_step(self, primary: ValkeyServer, replica: ValkeyServer) -> None:
        """Wait until the copy has all."""
        deadline_s = time.monotonic() + 20
        while True:
            _, _, _, state, offset = replica.ask("ROLE")
            if state == b"connected" and offset == primary.ask("ROLE")[1]:
                return
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    async def process(
        self,
        server: ValkeyServer,
        *partitions: int,
        policy: LedgerPolicy = USUAL,
        url: str | None = None,
        access: Access | None = None,
    ) -> Process:
        address = ValkeyAddress.parse(url or server.url, access or Access())
        ledger = ValkeyLedger(address, "group", policy, SystemClock())
        ledger.watch(self.alarms.append)
        await ledger.open()
        self._open.append(ledger)
        process = Process(ledger)
        if partitions:
            await process.assign(*partitions)
        return process

    async def end(self) -> None:
        for ledger in self._open:
            await ledger.close()
        for server in self._servers:
            server.kill()
