"""Time on Valkey: leases go by a clock of the ledger's own, and what is kept has an end."""

import asyncio
import time

from consumer.clock import ManualClock
from consumer.ledger.ledger import KeyState
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress
from tests.contract.ledgers.cast import Process, behind, open_of, origin
from tests.contract.ledgers.valkey_hosts import USUAL, Hosts


class TestClocks:
    """Its own clock, which goes by the server's but never back, nor far at once."""

    async def test_a_servers_calendar_moved_by_an_hour_lapses_no_lease_and_prolongs_none(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        for jump_ms in (3_600_000, -3_600_000):
            holder = await hosts.process(server, 0)
            await holder.take(holder.record(1, key=f"K{jump_ms}"))
            # As if it had been an hour earlier, or later, when the ledger last looked.
            wall_ms = int(server.ask("HGET", "dc1:clock", "wall"))
            server.ask("HSET", "dc1:clock", "wall", wall_ms - jump_ms)
            other = await hosts.process(server, 1)
            waiting = other.record(2, key=f"K{jump_ms}", partition=1)
            assert await other.ask(waiting) == behind(origin(1))
            now_ms = int(server.ask("HGET", "dc1:clock", "now"))
            leases = [int(until_ms) - now_ms for until_ms in server.ask("HVALS", "dc1:owners")]
            assert max(leases) <= USUAL.lease_s * 1000

    async def test_what_a_killed_process_held_is_free_after_its_lease(self, hosts: Hosts) -> None:
        brisk = LedgerPolicy(reservation_age_s=60.0, lease_s=0.4)
        server = hosts.server()
        heir = await hosts.process(server, 1, policy=brisk)
        waiting = heir.record(2, key="K", partition=1)
        before_s = time.monotonic()
        dead = await hosts.process(server, 0, policy=brisk)
        await dead.take(dead.record(1, key="K"))
        await dead.ledger.close()
        async with asyncio.timeout(20):
            while (why := await heir.ask(waiting)) is not None:
                assert why == behind(origin(1))
                await asyncio.sleep(0.02)
        # Both go by the one clock of this machine; to a millisecond.
        assert time.monotonic() - before_s >= brisk.lease_s - 0.002

    async def test_a_process_that_missed_its_lease_is_another_owner_for_all_calls_of_a_batch(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        clock = ManualClock()
        ledger = ValkeyLedger(
            ValkeyAddress.parse(server.url, Access()), "group", USUAL, clock, time_of_store=clock
        )
        await ledger.open()
        stalled = Process(ledger)
        clock.advance(60)
        answers = await asyncio.gather(*(stalled.reserve(stalled.record(n, key=f"K{n}")) for n in range(3)))
        assert [answer.refused for answer in answers] == [{}, {}, {}]
        states = await ledger.states([stalled.record(n, key=f"K{n}") for n in range(3)])
        assert [state for state, _ in states] == [KeyState.RESERVED] * 3
        await ledger.close()


async def test_what_is_kept_has_an_end_in_the_store_itself(hosts: Hosts) -> None:
    server = hosts.server()
    process = await hosts.process(server, 0)
    await process.deliver(process.record(1, once=open_of("ann", 0)))
    await process.ledger.bury([await process.take(process.record(2))])
    await process.take(process.record(3, once=open_of("bob", 0)))
    lasting = {b"dc1:ledger", b"dc1:owners", b"dc1:clock", b"dc1:sources", b"dc1:labels", b"dc1:topologies"}
    kept = {key[:4]: server.ask("TTL", key) for key in server.ask("KEYS", "*") if not _lasts(key, lasting)}
    hour_s, day_s = 3600, 86_400
    assert set(kept) == {b"dc1s", b"dc1w", b"dc1l", b"dc1r", b"dc1v"}
    for prefix in (b"dc1s", b"dc1l"):
        assert day_s - 60 <= kept[prefix] <= day_s + hour_s
    assert 2 * day_s - 60 <= kept[b"dc1w"] <= 2 * day_s + hour_s
    assert min(kept.values()) > 0


def _lasts(key: bytes, lasting: set[bytes]) -> bool:
    return key in lasting or key == b"dc1:versions" or key.startswith(b"dc1p")


async def test_a_scope_that_lives_on_loses_what_has_expired(hosts: Hosts) -> None:
    server = hosts.server()
    clock = ManualClock()
    address = ValkeyAddress.parse(server.url, Access())
    ledger = ValkeyLedger(address, "group", USUAL, clock, time_of_store=clock)
    await ledger.open()
    process = Process(ledger)
    await ledger.confirm([process.record(n, once=open_of("ann", n * 30)) for n in range(50)])
    clock.advance(USUAL.window_keep_s + 3600)
    later = [process.record(100 + n, once=open_of("ann", (100 + n) * 30)) for n in range(200)]
    await ledger.confirm(later)
    [left] = [server.ask("ZCARD", key) for key in server.ask("KEYS", "dc1w*")]
    assert left <= 210
    await ledger.close()
