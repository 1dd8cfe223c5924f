"""Many ends of waits on one timer."""

import asyncio

import pytest

from consumer.http.deadlines import Deadlines
from tests.unit.pipeline.virtual_time import in_virtual_time, loop


class Due:
    """What became due, and when."""

    def __init__(self) -> None:
        self.began_s = loop().time()
        self.seen: list[tuple[str, float]] = []

    def __call__(self, name: str) -> None:
        self.seen.append((name, round(loop().time() - self.began_s, 2)))


@in_virtual_time
async def test_each_is_due_at_its_own_time_in_whatever_order_they_were_set():
    due = Due()
    deadlines = Deadlines(due)
    for name, after_s in (("c", 9.0), ("a", 1.0), ("b", 4.0)):
        deadlines.set(name, loop().time() + after_s)

    await asyncio.sleep(20.0)

    assert due.seen == [("a", 1.0), ("b", 4.0), ("c", 9.0)]


@in_virtual_time
async def test_what_is_cleared_is_never_due_and_what_is_set_again_only_then():
    due = Due()
    deadlines = Deadlines(due)
    deadlines.set("cleared", loop().time() + 1.0)
    deadlines.set("moved", loop().time() + 1.0)
    deadlines.clear("cleared")
    deadlines.set("moved", loop().time() + 3.0)

    await asyncio.sleep(20.0)

    assert due.seen == [("moved", 3.0)]


@in_virtual_time
async def test_one_that_is_set_again_when_it_is_due_is_due_again():
    due = Due()

    def again(name: str) -> None:
        due(name)
        if len(due.seen) < 3:
            deadlines.set(name, loop().time() + 2.0)

    deadlines = Deadlines(again)
    deadlines.set("a", loop().time() + 1.0)

    await asyncio.sleep(20.0)

    assert [at_s for _, at_s in due.seen] == pytest.approx([1.0, 3.0, 5.0], abs=0.05)


@in_virtual_time
async def test_one_that_is_set_again_when_it_is_due_does_not_delay_the_others():
    due = Due()

    def again(name: str) -> None:
        due(name)
        if name == "a" and len(due.seen) == 1:
            deadlines.set("a", loop().time() + 6.0)

    deadlines = Deadlines(again)
    deadlines.set("a", loop().time() + 1.0)
    deadlines.set("b", loop().time() + 2.0)

    await asyncio.sleep(20.0)

    assert due.seen == [("a", 1.0), ("b", 2.0), ("a", 7.0)]


@in_virtual_time
async def test_what_is_set_long_after_the_last_one_was_due_is_due_too():
    due = Due()
    deadlines = Deadlines(due)
    deadlines.set("a", loop().time() + 1.0)
    await asyncio.sleep(5.0)
    deadlines.set("b", loop().time() + 1.0)

    await asyncio.sleep(5.0)

    assert due.seen == [("a", 1.0), ("b", 6.0)]


@in_virtual_time
async def test_after_closing_nothing_is_due():
    due = Due()
    deadlines = Deadlines(due)
    deadlines.set("a", loop().time() + 1.0)
    deadlines.close()

    await asyncio.sleep(5.0)

    assert due.seen == []
