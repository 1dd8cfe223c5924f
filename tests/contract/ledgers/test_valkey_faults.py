"""A ledger on Valkey that is down, slow, full, flushed, restarted, failed over or set up wrong: it fails closed, says
what to do, and goes on by itself; what is lost lets duplicates through, and nothing else.

Each test has a server of its own, with its own clock and an append-only file.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from consumer.clock import ManualClock, SystemClock
from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger.ledger import Duplicate, Fenced, Held, KeyState, Ledger, Windowed
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress
from consumer.types import TopicPartition
from tests.brokers.ports import free_ports
from tests.brokers.valkey import LACKING, ValkeyServer, server_binary
from tests.contract.ledgers.cast import TOPIC, Process, behind, open_of, origin
from tests.contract.senders.authority import Authority
from tests.listener import Listener

USUAL = LedgerPolicy(reservation_age_s=60.0, lease_s=15.0)
IMPATIENT = LedgerPolicy(reservation_age_s=60.0, lease_s=15.0, busy_timeout_s=1.0)
PLACE = TopicPartition(TOPIC, 0)


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


@pytest.fixture
async def hosts(tmp_path: Path) -> AsyncIterator[Hosts]:
    if server_binary() is None:
        pytest.skip(LACKING)
    hosts = Hosts(tmp_path)
    yield hosts
    await hosts.end()


async def why_nothing_works(process: Process) -> str:
    """Every call fails, for one and the same reason, which this gives."""
    record = process.record(90)
    calls = (
        process.ledger.reserve([record]),
        process.ledger.confirm([record]),
        process.ledger.release([Held(record, 1)]),
        process.ledger.bury([Held(record, 1)]),
        process.ledger.advance({PLACE: 90}),
        process.ledger.assign([PLACE]),
        process.ledger.starts(TOPIC, {0: 0}),
        process.ledger.states([]),
    )
    reasons = set()
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, LedgerUnavailable)
        reasons.add(str(answer))
    assert len(reasons) == 1, reasons
    return reasons.pop()


async def until_it_answers(process: Process) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await process.ledger.states([])
            except LedgerUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


class TestUnreachable:
    async def test_a_server_that_is_down_fails_closed_and_the_same_process_goes_on(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        reserved = await process.take(process.record(2))
        server.stop()
        why = await why_nothing_works(process)
        assert f"ledger redis://127.0.0.1:{server.port}/0: it cannot be reached: see whether it is up" in why
        server.start()
        await process.ledger.confirm([reserved.intent])
        assert await process.ask(process.record(1)) == Duplicate(origin(1))
        assert await process.ask(process.record(3, key="event 0/2")) == Duplicate(origin(2))
        assert await process.ask(process.record(4, once=open_of("ann", 1))) == Windowed(origin(1))
        assert hosts.alarms == [], "a restart with an append-only file loses nothing"

    async def test_a_connection_that_the_server_closed_is_made_anew_within_the_call(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        for offset in range(3):
            await process.deliver(process.record(offset))
            server.ask("CLIENT", "KILL", "TYPE", "normal")

    async def test_a_server_that_hangs_is_given_up_in_time_and_forgotten_answers_harm_nobody(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0, policy=IMPATIENT)
        server.pause()
        started_s = asyncio.get_running_loop().time()
        try:
            assert "does not answer in time" in await why_nothing_works(process)
            assert asyncio.get_running_loop().time() - started_s < 20
        finally:
            server.go_on()
        await until_it_answers(process)
        await process.assign(0)  # one that was given up may have been taken all the same
        await process.deliver(process.record(7))
        assert await process.ask(process.record(7)) == Duplicate(origin(7))

    async def test_one_that_still_reads_its_data_is_waited_for(self, hosts: Hosts) -> None:
        server = hosts.server("--key-load-delay", "400", "--loading-process-events-interval-bytes", "1024")
        process = await hosts.process(server, 0)
        await process.ledger.confirm([process.record(offset) for offset in range(3_000)])
        server.kill()
        with pytest.raises(LedgerUnavailable):
            await process.ledger.states([])
        server.start()
        await until_it_answers(process)
        assert await process.ask(process.record(2_999)) == Duplicate(origin(2_999))

    async def test_where_nothing_listens_the_start_says_so(self, hosts: Hosts) -> None:
        server = hosts.server()
        server.kill()
        with pytest.raises(LedgerUnavailable, match="cannot be reached: see whether it is up"):
            await hosts.process(server)


class TestRestarted:
    async def test_what_was_confirmed_survives_a_kill_of_the_server(self, hosts: Hosts) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        await process.ledger.bury([await process.take(process.record(2))])
        await process.ledger.advance({PLACE: 3})
        server.kill()
        server.start()
        assert await process.ask(process.record(1)) == Duplicate(origin(1))
        assert await process.ask(process.record(4, once=open_of("ann", 1))) == Windowed(origin(1))
        [(state, _)] = await process.ledger.states([process.record(2)])
        assert state is KeyState.DEAD_LETTERED
        assert (await process.ledger.assign([PLACE]))[PLACE].position == 3
        assert hosts.alarms == []

    async def test_a_kill_in_the_middle_of_batches_leaves_each_record_whole_or_not_there(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        records = [process.record(n, once=open_of(f"user {n}", 0)) for n in range(6_000)]
        told: list[int] = []

        async def confirm() -> None:
            for first in range(0, len(records), 500):
                await process.ledger.confirm(records[first : first + 500])
                told.append(first + 500)

        confirming = asyncio.create_task(confirm())
        async with asyncio.timeout(20):
            while len(told) < 3:  # noqa: ASYNC110 - no event tells of the third
                await asyncio.sleep(0)
        server.kill()
        with pytest.raises(LedgerUnavailable):
            await confirming
        server.start()
        await until_it_answers(process)
        states = [state for state, _ in await process.ledger.states(records)]
        confirmed = [state is KeyState.CONFIRMED for state in states]
        assert all(confirmed[: told[-1]]), "what was answered is there"
        near = [process.record(10_000 + n, once=open_of(f"user {n}", 1)) for n in range(6_000)]
        windowed = (await process.reserve(*near)).refused
        assert [n in windowed for n in range(6_000)] == confirmed, "key and window, or neither"


class TestFlushed:
    async def test_a_flush_is_noticed_and_told_and_the_process_goes_on(self, hosts: Hosts) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        await process.deliver(process.record(1))
        on_the_wire = await process.take(process.record(2))
        server.ask("FLUSHALL")
        await process.ledger.confirm([on_the_wire.intent])
        [alarm] = hosts.alarms
        assert "was flushed, or another one stands in its place" in alarm
        assert await process.ask(process.record(2)) == Duplicate(origin(2))
        assert await process.ask(process.record(1)) is None, "a duplicate, which a flush may cost"
        assert len(hosts.alarms) == 1, "told once"

    async def test_after_a_flush_an_assignment_finds_no_position(self, hosts: Hosts) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        await process.ledger.advance({PLACE: 90})
        server.ask("FLUSHALL")
        assert (await process.ledger.assign([PLACE]))[PLACE].position is None

    async def test_after_a_flush_a_fenced_process_is_fenced_again(self, hosts: Hosts) -> None:
        server = hosts.server()
        old = await hosts.process(server, 0)
        new = await hosts.process(server, 0)
        server.ask("FLUSHALL")
        await new.take(new.record(1))
        assert await old.ask(old.record(2)) == Fenced()

    async def test_what_is_reserved_after_a_flush_is_taken_over_by_nobody(self, hosts: Hosts) -> None:
        server = hosts.server()
        holder, other = await hosts.process(server, 0), await hosts.process(server, 1)
        server.ask("FLUSHALL")
        await holder.take(holder.record(1, key="K"))
        assert await other.ask(other.record(2, key="K", partition=1)) == behind(origin(1))

    async def test_another_ledger_in_its_place_is_noticed(self, hosts: Hosts) -> None:
        server, other = hosts.server(), hosts.server()
        process = await hosts.process(server, 0)
        await hosts.process(other)
        port = server.port
        server.stop()
        other.stop()
        other.port = port
        other.start()
        await until_it_answers(process)
        assert len(hosts.alarms) == 1

    async def test_processes_that_notice_it_at_once_agree_on_one_new_ledger(self, hosts: Hosts) -> None:
        server = hosts.server()
        both = [await hosts.process(server, number) for number in (0, 1)]
        server.ask("FLUSHALL")
        answers = await asyncio.gather(
            *(one.ask(one.record(1, key="K", partition=number)) for number, one in enumerate(both))
        )
        assert [answer is None for answer in answers].count(True) == 1
        assert len(hosts.alarms) == 2, "each process tells its own operator"


class TestFailedOver:
    async def test_a_replica_that_lacks_the_last_writes_costs_duplicates_and_nothing_else(
        self, hosts: Hosts
    ) -> None:
        primary = hosts.server()
        replica = hosts.replica(primary)
        process = await hosts.process(primary, 0)
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        hosts.await_step(primary, replica)
        replica.ask("REPLICAOF", "NO", "ONE")
        await process.deliver(process.record(2))  # the copy never hears of it
        late = await process.take(process.record(3))
        primary.kill()
        self._move(replica, primary.port)

        await until_it_answers(process)
        assert await process.ask(process.record(1)) == Duplicate(origin(1))
        assert await process.ask(process.record(4, once=open_of("ann", 1))) == Windowed(origin(1))
        assert await process.ask(process.record(2)) is None, "a duplicate, if it comes again"
        await process.ledger.confirm([late.intent])
        assert await process.ask(process.record(3)) == Duplicate(origin(3))

    async def test_an_epoch_that_the_copy_lacks_fences_all_the_same(self, hosts: Hosts) -> None:
        primary = hosts.server()
        replica = hosts.replica(primary)
        old = await hosts.process(primary, 0)
        hosts.await_step(primary, replica)
        replica.ask("REPLICAOF", "NO", "ONE")
        new = await hosts.process(primary, 0)
        primary.kill()
        self._move(replica, primary.port)
        await until_it_answers(new)
        await new.take(new.record(1))
        assert await old.ask(old.record(2)) == Fenced()

    async def test_a_primary_that_was_made_a_replica_fails_closed_also_when_it_is_only_looked_at(
        self, hosts: Hosts
    ) -> None:
        server, other = hosts.server(), hosts.server()
        process = await hosts.process(server, 0)
        server.ask("REPLICAOF", "127.0.0.1", other.port)
        why = await why_nothing_works(process)
        assert "it is a replica" in why
        assert "must lead to the primary" in why
        with pytest.raises(LedgerUnavailable, match="it is a replica"):
            await process.ledger.states([])  # which is what readiness asks
        with pytest.raises(LedgerUnavailable, match="it is a replica"):
            await hosts.process(server)
        server.ask("REPLICAOF", "NO", "ONE")
        await process.deliver(process.record(1))

    def _move(self, replica: ValkeyServer, port: int) -> None:
        """The address leads to the promoted one: it listens where the primary did."""
        replica.ask("CONFIG", "SET", "port", port)
        replica.port = port


class TestFull:
    async def test_it_reserves_nothing_more_but_what_was_acknowledged_is_still_confirmed(
        self, hosts: Hosts
    ) -> None:
        server = hosts.server()
        process = await hosts.process(server, 0)
        held = await process.take(process.record(1, once=open_of("ann", 0)))
        given_up = await process.take(process.record(2))
        server.ask("CONFIG", "SET", "maxmemory", "1mb")
        with pytest.raises(LedgerUnavailable, match=r"memory is full \(maxmemory\): give it more.*KEEP_KEYS"):
            await process.reserve(process.record(3))
        refused, confirmed, *_ = await asyncio.gather(
            process.reserve(process.record(3)),
            process.ledger.confirm([held.intent]),  # together with what is refused
            process.ledger.advance({PLACE: 2}),
            process.ledger.release([given_up]),
            return_exceptions=True,
        )
        assert isinstance(refused, LedgerUnavailable)
        assert confirmed is None
        assert await process.ledger.states([held.intent]) == [(KeyState.CONFIRMED, origin(1))]
        assert await process.ledger.states([process.record(3)]) == [(KeyState.FREE, None)]
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await process.deliver(process.record(3))


class TestUnfit:
    @pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
    async def test_a_server_that_may_evict_is_refused(self, hosts: Hosts, policy: str) -> None:
        server = hosts.server("--maxmemory-policy", policy)
        with pytest.raises(ConfigurationError, match=f"maxmemory-policy is {policy}.*set .* noeviction"):
            await hosts.process(server)
        assert server.ask("DBSIZE") == 0, "and nothing was written there"

    async def test_one_that_begins_to_evict_fails_closed_until_it_no_longer_does(self, hosts: Hosts) -> None:
        brisk = LedgerPolicy(reservation_age_s=60.0, lease_s=0.3)
        server = hosts.server()
        process = await hosts.process(server, 0, policy=brisk)
        server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        await self._until(process, lambda why: why is not None and "noeviction" in why)
        server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        await self._until(process, lambda why: why is None)

    async def test_a_node_of_a_cluster_is_refused(self, hosts: Hosts) -> None:
        server = hosts.server("--cluster-enabled", "yes", "--cluster-port", str(free_ports(1)[0]))
        with pytest.raises(ConfigurationError, match="one primary"):
            await hosts.process(server)

    async def test_a_newer_format_is_refused(self, hosts: Hosts) -> None:
        server = hosts.server()
        server.ask("HSET", "dc1:ledger", "format", 2, "id", "abc")
        with pytest.raises(ConfigurationError, match="has format 2, written by a newer release"):
            await hosts.process(server)

    @pytest.mark.parametrize(
        ("options", "advice"),
        [
            (("--appendonly", "no"), "appendonly is off"),
            (("--appendfsync", "no"), "appendfsync is no"),
            (("--appendfsync", "everysec"), None),
        ],
    )
    async def test_what_a_crash_may_cost_is_told(
        self, hosts: Hosts, options: tuple[str, str], advice: str | None
    ) -> None:
        process = await hosts.process(hosts.server(*options))
        told = " ".join(process.ledger.advice)
        assert told == "" if advice is None else advice in told and "duplicates" in told

    async def _until(self, process: Process, fits: Callable[[str | None], bool]) -> None:
        async with asyncio.timeout(20):
            while True:
                why = None
                try:
                    await process.ledger.states([])
                except LedgerUnavailable as error:
                    why = str(error)
                if fits(why):
                    return
                await asyncio.sleep(0.02)


class TestAccess:
    @pytest.fixture
    def guarded(self, hosts: Hosts) -> ValkeyServer:
        return hosts.server("--requirepass", "hunter2-secret")

    async def test_with_the_password_it_works(self, hosts: Hosts, guarded: ValkeyServer) -> None:
        url = guarded.url.replace("//", "//:hunter2-secret@")
        process = await hosts.process(guarded, 0, url=url)
        await process.deliver(process.record(1))

    @pytest.mark.parametrize("user", ["", ":wrong-secret@", "bob:wrong-secret@"])
    async def test_without_it_the_message_names_the_setting_and_no_secret(
        self, hosts: Hosts, guarded: ValkeyServer, user: str
    ) -> None:
        with pytest.raises(LedgerUnavailable, match="LEDGER_PASSWORD") as caught:
            await hosts.process(guarded, url=guarded.url.replace("//", f"//{user}"))
        text = f"{caught.value} {caught.value.__cause__}"
        assert "secret" not in text
        assert "bob" not in str(caught.value)

    async def test_a_user_with_the_rights_that_are_documented_is_enough(self, hosts: Hosts) -> None:
        server = hosts.server()
        rights = ["resetkeys", "~dc1*", "+@all", "-@dangerous", "+info"]
        server.ask("ACL", "SETUSER", "consumer", "on", ">secret", *rights)
        process = await hosts.process(server, 0, url=server.url.replace("//", "//consumer:secret@"))
        await process.deliver(process.record(1, once=open_of("ann", 0)))
        await process.ledger.bury([await process.take(process.record(2))])
        await process.ledger.starts(TOPIC, {0: 1})

    async def test_a_user_with_too_few_is_told_which(self, hosts: Hosts) -> None:
        server = hosts.server()
        server.ask("ACL", "SETUSER", "consumer", "on", ">secret", "resetkeys", "~other", "+@all")
        with pytest.raises(LedgerUnavailable, match=r"allow ~dc1\*"):
            await hosts.process(server, url=server.url.replace("//", "//consumer:secret@"))


class TestTls:
    """The certificate must come from an authority that we trust, and be for the host that we asked for."""

    @asynccontextmanager
    async def _serve(self, server: ValkeyServer, context: ssl.SSLContext) -> AsyncIterator[str]:
        """TLS before the server, which may be built without; gives the URL."""

        async def relay(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
            there, to = await asyncio.open_connection("127.0.0.1", server.port)
            ways = [asyncio.ensure_future(_pump(client, to)), asyncio.ensure_future(_pump(there, back))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for writer in (to, back):
                writer.close()
            await asyncio.gather(*ways, return_exceptions=True)

        front = await Listener(relay).start(ssl=context)
        yield f"rediss://{front.address}/0"
        await front.close()

    async def test_a_server_whose_authority_is_given_is_trusted(self, hosts: Hosts, tmp_path: Path) -> None:
        authority = Authority.create(tmp_path)
        server = hosts.server()
        async with self._serve(server, authority.server_context()) as url:
            access = Access(ca_file=Path(authority.ca_file))
            process = await hosts.process(server, 0, url=url, access=access)
            await process.deliver(process.record(1))
            await process.ledger.close()

    async def test_one_that_nobody_vouches_for_is_not(self, hosts: Hosts, tmp_path: Path) -> None:
        server = hosts.server()
        async with self._serve(server, Authority.create(tmp_path).server_context()) as url:
            with pytest.raises(LedgerUnavailable, match=r"certificate is not trusted .* see LEDGER_CA_FILE"):
                await hosts.process(server, url=url)

    async def test_a_certificate_for_another_host_is_not(self, hosts: Hosts, tmp_path: Path) -> None:
        authority = Authority.create(tmp_path)
        server = hosts.server()
        async with self._serve(server, authority.server_context(ip="127.0.0.2")) as url:
            with pytest.raises(LedgerUnavailable, match="certificate is not trusted for this host"):
                await hosts.process(server, url=url, access=Access(ca_file=Path(authority.ca_file)))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()


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
        dead = await hosts.process(server, 0, policy=brisk)
        await dead.take(dead.record(1, key="K"))
        heir = await hosts.process(server, 1, policy=brisk)
        waiting = heir.record(2, key="K", partition=1)
        await dead.ledger.close()
        assert await heir.ask(waiting) == behind(origin(1))
        async with asyncio.timeout(20):
            while await heir.ask(waiting) is not None:  # noqa: ASYNC110 - the server's clock tells of it
                await asyncio.sleep(0.02)

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
