"""A ledger on Valkey that is down, slow, full, flushed, restarted or failed over: it fails closed, says what to do, and
goes on by itself; what is lost lets duplicates through, and nothing else.
"""

import asyncio
from collections.abc import Iterable

import pytest
from redis.asyncio.connection import AbstractConnection

from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Duplicate, Fenced, Held, KeyState, Windowed
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition
from tests.brokers.valkey import ValkeyServer
from tests.contract.ledgers.cast import TOPIC, Process, behind, open_of, origin
from tests.contract.ledgers.valkey_hosts import Hosts

IMPATIENT = LedgerPolicy(reservation_age_s=60.0, lease_s=15.0, busy_timeout_s=1.0)
PLACE = TopicPartition(TOPIC, 0)


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


class TestClosed:
    async def test_a_close_as_a_beat_has_just_been_sent_ends(
        self, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client's library loses that very cancellation, and the heartbeat went on for ever."""
        process = await hosts.process(
            hosts.server(), policy=LedgerPolicy(reservation_age_s=60.0, lease_s=0.3)
        )
        send = AbstractConnection._send_packed_command
        closing: list[asyncio.Task[None]] = []
        sent = asyncio.Event()

        async def send_and_close(connection: AbstractConnection, command: Iterable[bytes]) -> None:
            await send(connection, command)
            if not closing:
                closing.append(asyncio.create_task(process.ledger.close()))
                sent.set()

        monkeypatch.setattr(AbstractConnection, "_send_packed_command", send_and_close)
        async with asyncio.timeout(20):
            await sent.wait()
            await closing[0]


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
