"""Who may send next."""

import asyncio

import pytest

from consumer.http.sender import Failure, FailureKind, SenderPolicy
from consumer.http.turns import Turns


def turns_for(max_connections: int, wait_s: float = 10.0) -> Turns:
    return Turns(
        SenderPolicy(max_connections=max_connections, connect_timeout_s=wait_s, total_timeout_s=10.0)
    )


async def waiting(turns: Turns) -> asyncio.Task[float | Failure]:
    task = asyncio.create_task(turns.wait())
    await asyncio.sleep(0)  # until it waits
    return task


def test_there_are_as_many_turns_as_connections() -> None:
    turns = turns_for(2)

    assert [turns.take(), turns.take(), turns.take()] == [True, True, False]
    turns.give_back()
    assert [turns.take(), turns.take()] == [True, False]


async def test_who_waits_longest_is_next() -> None:
    turns = turns_for(1)
    assert turns.take()
    first, second = await waiting(turns), await waiting(turns)

    turns.give_back()
    left_s = await first

    assert isinstance(left_s, float)
    assert 0 < left_s <= 10
    assert not second.done()
    assert not turns.take()
    turns.give_back()
    await second
    turns.give_back()
    assert turns.take()


async def test_who_stops_waiting_is_passed_over() -> None:
    turns = turns_for(1)
    assert turns.take()
    first, second = await waiting(turns), await waiting(turns)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    turns.give_back()

    await second


@pytest.mark.parametrize("heirs", [0, 1])
async def test_a_turn_handed_to_one_who_stops_waiting_is_not_lost(heirs: int) -> None:
    turns = turns_for(1)
    assert turns.take()
    leaving = await waiting(turns)
    staying = [await waiting(turns) for _ in range(heirs)]

    turns.give_back()  # its turn now, but it is cancelled before it can know
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    await asyncio.gather(*staying)
    assert turns.take() is (heirs == 0)


async def test_waiting_ends_without_a_turn_at_the_connect_timeout() -> None:
    turns = turns_for(1, wait_s=0.01)
    assert turns.take()

    ended = await turns.wait()

    assert isinstance(ended, Failure)
    assert (ended.kind, ended.sent) == (FailureKind.TIMEOUT, False)
    turns.give_back()
    assert [turns.take(), turns.take()] == [True, False]
