"""A ledger file that is locked, full, damaged, gone or not ours: it fails closed, says why, and recovers."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from consumer.errors import ConfigurationError, LedgerUnavailable
from consumer.ledger.ledger import Duplicate, Held, KeyState
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import AGE_S, LEASE_S, TOPIC, Process, World, open_of, origin, until

IMPATIENT = LedgerPolicy(reservation_age_s=AGE_S, lease_s=LEASE_S, busy_timeout_s=0.05)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World("sqlite", tmp_path)
    yield world
    await world.end()


async def assert_nothing_works(process: Process, why: str) -> None:
    """Every call that changes something fails, and says why."""
    record = process.record(90)
    calls = (
        process.ledger.reserve([record]),
        process.ledger.confirm([record]),
        process.ledger.release([Held(record, 1)]),
        process.ledger.bury([Held(record, 1)]),
        process.ledger.advance({TopicPartition(TOPIC, 0): 90}),
        process.ledger.assign([TopicPartition(TOPIC, 0)]),
        process.ledger.starts(TOPIC, {0: 0}),
    )
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, LedgerUnavailable)
        assert why in str(answer)
        assert "ledger.db" in str(answer)


async def confirm_until_it_fails(process: Process, batch: int) -> tuple[int, str]:
    """How many keys were confirmed, from offset 0 on, and why no more were."""
    for confirmed in range(0, 100_000, batch):
        try:
            await process.ledger.confirm([process.record(confirmed + n) for n in range(batch)])
        except LedgerUnavailable as error:
            return confirmed, str(error)
    raise AssertionError("it never failed")


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"x" * 4096)


class TestLocked:
    async def test_it_fails_closed_and_goes_on_when_the_lock_is_gone(self, world: World) -> None:
        process = await world.process(0, policy=IMPATIENT)
        held = await process.take(process.record(1))
        other = sqlite3.connect(world.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await assert_nothing_works(process, "locked")
        with pytest.raises(LedgerUnavailable, match="another process"):
            await process.ledger.confirm([held.intent])
        assert await process.ledger.states([held.intent]) == [(KeyState.RESERVED, origin(1))]
        other.execute("ROLLBACK")
        other.close()
        await process.ledger.confirm([held.intent])
        assert await process.ask(process.record(1)) == Duplicate(origin(1))


class TestBoot:
    """The monotonic clock means nothing across boots; the file outlives them."""

    @pytest.mark.parametrize("change", ["boot = 'another boot'", "beat_ms = beat_ms + 1"])
    async def test_what_an_owner_of_another_boot_held_has_lapsed(self, world: World, change: str) -> None:
        before = await world.process(0)
        await before.take(before.record(1, key="K"))
        await world.crash(before)
        with sqlite3.connect(world.path) as connection:
            connection.execute(f"UPDATE owners SET {change}")
        connection.close()
        after = await world.process(1)
        await after.take(after.record(2, key="K", partition=1))


class TestFull:
    async def test_at_its_size_limit_it_fails_closed_and_keeps_what_it_has(self, world: World) -> None:
        small = LedgerPolicy(reservation_age_s=AGE_S, lease_s=LEASE_S, max_bytes=200_000)
        process = await world.process(0, policy=small)
        confirmed, why = await confirm_until_it_fails(process, 500)
        assert "full: make room" in why
        assert confirmed >= 500
        assert world.path.stat().st_size <= 200_000
        lost = process.record(confirmed)
        assert await process.ledger.states([lost]) == [(KeyState.FREE, None)]
        assert await process.ask(process.record(0)) == Duplicate(origin(0))
        await world.crash(process)
        larger = await world.process(0)
        await larger.ledger.confirm([lost])
        assert await larger.ask(larger.record(confirmed)) == Duplicate(origin(confirmed))

    async def test_it_goes_on_by_itself_when_a_full_disk_has_room_again(self, small_disk: Path) -> None:
        world = World("sqlite", small_disk)
        process = await world.process(0)
        await process.deliver(process.record(50_001))
        ballast = small_disk / "ballast"
        fill(ballast)
        _, why = await confirm_until_it_fails(process, 1)
        assert "full: make room" in why
        ballast.unlink()
        await process.deliver(process.record(50_002))
        both = await process.reserve(process.record(50_001), process.record(50_002))
        assert both.refused == {0: Duplicate(origin(50_001)), 1: Duplicate(origin(50_002))}
        await world.end()

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        """A file system of one mebibyte, where this user may mount one."""
        disk = tmp_path / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a small disk needs the right to mount one")
        yield disk
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


class TestDamaged:
    async def test_a_damaged_page_fails_closed(self, world: World) -> None:
        process = await world.process(0)
        await process.ledger.confirm([process.record(offset) for offset in range(5_000)])
        await world.crash(process)
        with world.path.open("r+b") as file:
            file.seek(2 * 2048)
            file.write(os.urandom(world.path.stat().st_size - 2 * 2048))
        with pytest.raises(LedgerUnavailable, match=r"ledger\.db: it is damaged: stop the consumer"):
            await (await world.process(0)).ledger.confirm([process.record(n) for n in range(5_000)])

    async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(self, world: World) -> None:
        world.path.write_bytes(b"These are my notes, not a ledger." * 100)
        with pytest.raises(LedgerUnavailable, match="name another one"):
            await world.process(0)
        assert world.path.read_bytes().startswith(b"These are my notes")


class TestMoved:
    async def test_a_file_that_is_gone_fails_closed_and_put_back_goes_on(self, world: World) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1))
        elsewhere = world.path.with_name("elsewhere.db")
        world.path.rename(elsewhere)
        await assert_nothing_works(process, "gone: put it back")
        with pytest.raises(LedgerUnavailable):
            await process.ledger.states([])
        assert not world.path.exists()
        elsewhere.rename(world.path)
        assert await process.ask(process.record(1)) == Duplicate(origin(1))
        await process.deliver(process.record(2))

    async def test_a_new_ledger_in_its_place_is_not_taken_for_it(self, world: World) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1))
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (world.path.parent / name).unlink()
        other = await world.process(1)
        await assert_nothing_works(process, "another ledger stands in its place: restart")
        assert await other.ask(other.record(1, partition=1)) is None

    async def test_an_emptied_file_fails_closed(self, world: World) -> None:
        process = await world.process(0)
        await process.deliver(process.record(1))
        world.path.unlink()
        world.path.touch()
        await assert_nothing_works(process, "emptied")

    async def test_a_folder_that_is_missing_is_named_and_may_be_made(self, tmp_path: Path) -> None:
        world = World("sqlite", tmp_path / "later")
        with pytest.raises(LedgerUnavailable, match="see that its folder exists"):
            await world.process(0)
        (tmp_path / "later").mkdir()
        await (await world.process(0)).ledger.states([])
        await world.end()


class TestFormat:
    async def test_a_newer_format_is_refused(self, world: World) -> None:
        await world.crash(await world.process(0))
        with sqlite3.connect(world.path) as connection:
            connection.execute("PRAGMA user_version = 2")
        connection.close()
        with pytest.raises(ConfigurationError, match="has format 2, written by a newer release"):
            await world.process(0)

    async def test_another_programs_file_is_refused_and_left_as_it_is(self, world: World) -> None:
        with sqlite3.connect(world.path) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.close()
        before = world.path.read_bytes()
        with pytest.raises(ConfigurationError, match="another program"):
            await world.process(0)
        assert world.path.read_bytes() == before


class TestSharedTransaction:
    async def test_a_call_that_fails_by_itself_fails_alone(self, world: World) -> None:
        process = await world.process(0)
        held = await process.take(process.record(1))
        no_token = Held(process.record(2), 2**70)  # no store can hold it
        answers = await asyncio.gather(
            process.ledger.confirm([process.record(5)]),
            process.ledger.release([no_token]),
            process.reserve(process.record(3)),
            process.ledger.bury([held]),
            return_exceptions=True,
        )
        assert isinstance(answers[1], OverflowError)
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False, False]
        known = await process.ledger.states([process.record(offset) for offset in (1, 3, 5)])
        assert [state for state, _ in known] == [
            KeyState.DEAD_LETTERED,
            KeyState.RESERVED,
            KeyState.CONFIRMED,
        ]

    async def test_a_source_that_was_new_in_an_undone_transaction_is_written_again(
        self, world: World
    ) -> None:
        process = await world.process(0, policy=IMPATIENT)
        answers = await asyncio.gather(
            process.ledger.confirm([process.record(5, route="a route never seen before")]),
            process.ledger.release([Held(process.record(2), 2**70)]),
            return_exceptions=True,
        )
        assert answers[0] is None
        again = process.record(5, route="a route never seen before")
        assert await process.ledger.states([again]) == [(KeyState.CONFIRMED, origin(5))]

    async def test_a_failed_transaction_leaves_neither_key_nor_window(self, world: World) -> None:
        process = await world.process(0, policy=IMPATIENT)
        other = sqlite3.connect(world.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        record = process.record(1, once=open_of("ann", 0))
        with pytest.raises(LedgerUnavailable):
            await process.ledger.confirm([record])
        other.execute("ROLLBACK")
        other.close()
        await process.take(process.record(2, once=open_of("ann", 1)))
        assert await process.ledger.states([record]) == [(KeyState.FREE, None)]


async def test_expired_rows_leave_the_file(world: World) -> None:
    brisk = LedgerPolicy(reservation_age_s=60.0, lease_s=0.03)
    process = await world.process(0, policy=brisk)
    await process.ledger.confirm([process.record(n, once=open_of(f"user {n}", 0)) for n in range(2_000)])
    await process.ledger.bury([await process.take(process.record(9_000))])
    tables = ("settled", "windows", "letters")
    assert [rows(world, table) for table in tables] == [2_001, 2_000, 1]
    world.clock.advance(brisk.window_keep_s + 3600)
    async with asyncio.timeout(60):
        while any(rows(world, table) for table in tables):
            world.clock.advance(30)
            await process.ledger.advance({})  # a busy process sweeps too
            await asyncio.sleep(0.005)


async def test_owners_that_are_gone_leave_the_file_with_what_they_held(world: World) -> None:
    brisk = LedgerPolicy(reservation_age_s=3_500.0, lease_s=0.03)
    dead = await world.process(0, policy=brisk)
    await dead.take(dead.record(1))
    await world.crash(dead)
    await world.process(1, policy=brisk)
    assert [rows(world, table) for table in ("owners", "reservations")] == [2, 1]
    world.clock.advance(3700)
    await until(lambda: rows(world, "reservations") == 0 and rows(world, "owners") == 1)


def rows(world: World, table: str) -> int:
    connection = sqlite3.connect(world.path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)
