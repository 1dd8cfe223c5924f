"""How far the owner before may have read: what the next one is told, so that a record that kills is met with care."""

import sqlite3

import pytest

from consumer.types import TopicPartition
from tests.contract.ledgers.cast import TOPIC, Process, World

PLACE = TopicPartition(TOPIC, 0)


async def told(world: World, group: str = "group") -> int:
    """The horizon that the next owner is given."""
    process = await world.process(group=group)
    return (await process.ledger.assign([PLACE]))[PLACE].horizon


async def ventured(world: World, horizon: int) -> Process:
    process = await world.process(0)
    await process.ledger.venture({PLACE: (process.epochs[0], horizon)})
    return process


async def test_a_partition_that_nobody_had_before_has_no_horizon(world: World) -> None:
    assert await told(world) == 0


async def test_the_next_owner_is_told_how_far_a_crashed_one_may_have_read(world: World) -> None:
    await world.crash(await ventured(world, 20_000))
    assert await told(world) == 20_000


async def test_it_stands_until_somebody_sets_another(world: World) -> None:
    await ventured(world, 20_000)
    assert await told(world) == 20_000
    assert await told(world) == 20_000


async def test_who_leaves_in_good_order_takes_it_back(world: World) -> None:
    process = await ventured(world, 20_000)
    await process.ledger.venture({PLACE: (process.epochs[0], 0)})
    assert await told(world) == 0


async def test_a_fenced_process_that_leaves_does_not_take_back_its_successors(world: World) -> None:
    old = await ventured(world, 20_000)
    new = await world.process(0)
    await new.ledger.venture({PLACE: (new.epochs[0], 30_000)})
    await old.ledger.venture({PLACE: (old.epochs[0], 0)})
    assert await told(world) == 30_000


async def test_a_partition_that_was_never_assigned_takes_none(world: World) -> None:
    process = await world.process()
    await process.ledger.venture({PLACE: (0, 20_000)})
    assert await told(world) == 0


async def test_it_is_a_groups_and_a_partitions_own(world: World) -> None:
    await ventured(world, 20_000)
    assert await told(world, group="replay") == 0
    other = TopicPartition(TOPIC, 1)
    process = await world.process()
    assert (await process.ledger.assign([other]))[other].horizon == 0


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_a_file_of_a_release_that_knew_no_horizons_gets_them_and_stays_readable_there(
    world: World,
) -> None:
    before = await world.process(0)
    await before.ledger.advance({PLACE: 7})
    await world.crash(before)
    connection = sqlite3.connect(world.path)
    connection.execute("DROP TABLE horizons")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    await ventured(world, 20_000)
    assert await told(world) == 20_000
    connection = sqlite3.connect(world.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("SELECT position FROM partitions").fetchall() == [(7,)]
    connection.close()
