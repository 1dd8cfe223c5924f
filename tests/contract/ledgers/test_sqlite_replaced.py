"""A ledger file that something else takes the place of while it is in use, or whose disk turns read-only: nothing is
done, each message says what to do, and with the file back it goes on."""

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from consumer.errors import LedgerUnavailable
from consumer.ledger import sqlite_schema
from consumer.ledger.ledger import Duplicate, Held
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import TOPIC, Process, World, origin


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World("sqlite", tmp_path)
    yield world
    await world.end()


async def why_nothing_works(process: Process) -> set[str]:
    """Every call that changes something fails; for which reasons."""
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
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, LedgerUnavailable) for answer in answers), answers
    return set(map(str, answers))


def text_file(path: Path) -> None:
    path.write_text("These are my notes, not a ledger.\n" * 100)


def other_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def newer_release(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id = {sqlite_schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 2")
    connection.close()


@pytest.mark.parametrize(
    ("put", "says"),
    [
        (text_file, "it is damaged or no ledger: stop the consumer, move the file away or name another one"),
        (other_program, "an SQLite file of another program: name another file in LEDGER_URL"),
        (newer_release, "written by a newer release; this one reads up to format 1: run the newer release"),
        (Path.touch, "the file was emptied: restart the consumer and accept a new ledger"),
        (Path.mkdir, "it can't be opened: see that its folder exists, that this user may write there"),
    ],
)
async def test_what_takes_its_place_is_neither_used_nor_changed_and_the_message_says_what_to_do(
    world: World, put: Callable[[Path], None], says: str
) -> None:
    process = await world.process(0)
    await process.deliver(process.record(1))
    aside = world.path.with_name("aside.db")
    for end in ("", "-wal", "-shm"):
        world.path.with_name(world.path.name + end).rename(aside.with_name(aside.name + end))
    put(world.path)
    before = world.path.read_bytes() if world.path.is_file() else b""

    [why] = await why_nothing_works(process)

    assert says in why
    assert why.startswith(f"ledger {world.path}: ")
    assert (world.path.read_bytes() if world.path.is_file() else b"") == before
    shutil.rmtree(world.path) if world.path.is_dir() else world.path.unlink()
    for end in ("", "-wal", "-shm"):
        aside.with_name(aside.name + end).rename(world.path.with_name(world.path.name + end))
    assert await process.ask(process.record(1)) == Duplicate(origin(1))
    await process.deliver(process.record(2))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a read-only disk needs the right to mount one")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(disk: Path, how: str) -> bool:
    """Whether the file system is now so. An open file that is written keeps it from turning read-only at once."""
    done = subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], capture_output=True)
    return done.returncode == 0


async def test_on_a_disk_that_has_turned_read_only_a_start_says_so_and_works_once_it_has_not(
    disk: Path,
) -> None:
    world = World("sqlite", disk)
    before = await world.process(0)
    await before.deliver(before.record(1))
    await world.crash(before)
    assert remount(disk, "ro")

    with pytest.raises(LedgerUnavailable, match=r"can't be (written|opened): .*mounted read-only") as caught:
        await world.process(0)

    assert str(world.path) in str(caught.value)
    assert remount(disk, "rw")
    after = await world.process(0)
    assert await after.ask(after.record(1)) == Duplicate(origin(1))
    await world.end()
