"""A kill at any line of the stream neither loses nor repeats a visit."""

import asyncio
import threading

import pytest

from consumer.errors import StoppedError
from consumer.operations.touchpoint_stream import Scope
from tests.unit.operations.cluster import Cluster, Wire
from tests.unit.operations.fate import Fate, Killed
from tests.unit.operations.stage import expected, stream_of, written
from tests.unit.operations.vendor import Vendor, touchpoint, visit

WIRES: tuple[Wire, ...] = ("lost", "before the claim", "after the reading")


def a_vendor() -> Vendor:
    """Two touchpoints; user-1 scanned one of them three times in one second, across two pages."""
    return Vendor(
        touchpoint(
            "tp-1",
            visit("user-1", "2024-01-01T10:00:00Z"),
            visit("user-1", "2024-01-01T10:00:00Z"),
            visit("user-1", "2024-01-01T10:00:00Z"),
            visit("user-2", "2024-01-02T10:00:00Z"),
        ),
        touchpoint("tp-2", visit("user-2", "2024-01-02T10:00:00Z"), visit("user-1", "2024-01-03T10:00:00Z")),
    )


def people_go_on(vendor: Vendor) -> None:
    """While no process runs: an equal of a known visit, one before all of them, one after."""
    vendor.scans.add(
        "tp-1", [visit("user-1", "2024-01-01T10:00:00Z"), visit("user-3", "2023-01-01T10:00:00Z")]
    )
    vendor.scans.add("tp-2", [visit("user-3", "2025-01-01T10:00:00Z")])


async def lives(vendor: Vendor, cluster: Cluster, fate: Fate | int | None) -> Fate:
    """One process: two rounds, between which people go on scanning; killed at a step, or not."""
    fate = fate if isinstance(fate, Fate) else Fate(fate)
    stream = stream_of(vendor, cluster, fate)
    try:
        await stream.round()
        people_go_on(vendor)
        await stream.round()
        await stream.close()
    except Killed:
        assert fate.dead
    return fate


async def all_steps() -> list[str]:
    return (await lives(a_vendor(), Cluster(), None)).steps


async def test_the_steps_are_every_line_that_touches_the_world() -> None:
    steps = await all_steps()

    assert steps.count("after produce") == 9
    assert steps.count("after commit") == 3
    assert {"before claim", "after claim", "ends", "close", "ask", "begin", "before produce"} <= set(steps)
    assert {"produce on the wire", "before commit", "commit on the wire"} <= set(steps)


@pytest.mark.parametrize("wire", WIRES)
async def test_a_kill_at_any_step_neither_loses_nor_repeats(wire: Wire) -> None:
    for kill_at in range(1, len(await all_steps()) + 1):
        vendor, cluster = a_vendor(), Cluster(wire)
        assert (await lives(vendor, cluster, kill_at)).dead

        await lives(vendor, cluster, None)

        assert written(cluster) == expected(vendor), f"killed at step {kill_at}"


@pytest.mark.parametrize("wire", WIRES)
async def test_a_second_kill_after_the_first_neither_loses_nor_repeats(wire: Wire) -> None:
    steps = await all_steps()
    in_doubt = [number for number, step in enumerate(steps, 1) if step == "commit on the wire"]
    for first in [in_doubt[-1], steps.index("after produce") + 1]:
        for second in range(1, len(steps) + 8, 2):
            vendor, cluster = a_vendor(), Cluster(wire)
            await lives(vendor, cluster, first)
            await lives(vendor, cluster, second)

            await lives(vendor, cluster, None)

            assert written(cluster) == expected(vendor), f"killed at steps {first} and {second}"


async def test_what_arrives_of_a_killed_process_after_the_reading_is_refused() -> None:
    steps = await all_steps()
    vendor, cluster = a_vendor(), Cluster("after the reading")
    await lives(vendor, cluster, steps.index("commit on the wire") + 1)

    await lives(vendor, cluster, None)

    assert cluster.fenced == 1


async def test_a_process_that_stands_still_at_any_step_while_another_works_neither_loses_nor_repeats() -> (
    None
):
    stopped = 0
    for pause_at in range(1, len(await all_steps()) + 1):
        vendor, cluster = a_vendor(), Cluster()

        def another(vendor: Vendor = vendor, cluster: Cluster = cluster) -> None:
            other = lives(Vendor(scans=vendor.scans), cluster, None)
            thread = threading.Thread(target=asyncio.run, args=(other,))
            thread.start()
            thread.join()

        try:
            await lives(vendor, cluster, Fate(pause_at=pause_at, meanwhile=another))
        except StoppedError:
            stopped += 1
        await lives(vendor, cluster, None)

        assert written(cluster) == expected(vendor), f"stood still at step {pause_at}"
    assert stopped > 10, "the other one took over in the middle"


async def test_a_process_that_another_has_taken_over_from_stops_and_repeats_nothing() -> None:
    vendor, cluster = a_vendor(), Cluster()
    first = stream_of(vendor, cluster)
    await first.round()
    people_go_on(vendor)
    await stream_of(vendor, cluster).round()

    with pytest.raises(StoppedError, match="another process writes visits to visits now"):
        await first.round()

    assert written(cluster) == expected(vendor)


async def test_a_later_round_or_process_writes_nothing_where_nothing_is_new() -> None:
    vendor, cluster = a_vendor(), Cluster()
    stream = stream_of(vendor, cluster, full_every=1)
    assert (await stream.round()).written == 6

    assert (await stream.round()).written == 0
    again = await stream_of(vendor, cluster).round()

    assert (again.written, again.known) == (0, 6)


async def test_a_touchpoint_is_the_same_whoever_names_it() -> None:
    vendor, cluster = a_vendor(), Cluster()
    await stream_of(vendor, cluster).round()

    by_name = await stream_of(vendor, cluster, scope=Scope(touchpoints=("tp-1", "tp-2"))).round()

    assert by_name.written == 0
