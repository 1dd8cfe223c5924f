"""Several processes at once on one store: nothing is accepted twice, nothing waits in a circle."""

import asyncio
from collections import Counter

import pytest

from consumer.errors import LedgerUnavailable
from consumer.ledger.ledger import Duplicate, Fenced, Held, Intent, Wait, Windowed
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import TOPIC, Process, World, open_of

PROCESSES = 4


async def deliver_all(process: Process, intents: list[Intent], accepted: Counter[int]) -> None:
    """Send every intent in arrays of 16, confirm what was granted, ask again for what must wait."""
    waiting = intents
    while waiting:
        batch, rest = waiting[:16], waiting[16:]
        answer = await process.reserve(*batch)
        granted = [intent for index, intent in enumerate(batch) if index not in answer.refused]
        await asyncio.sleep(0)  # the send
        accepted.update(intent.offset for intent in granted)
        await process.ledger.confirm(granted)
        again = [batch[index] for index, refusal in answer.refused.items() if isinstance(refusal, Wait)]
        assert all(isinstance(one, Wait | Duplicate | Windowed) for one in answer.refused.values())
        waiting = rest + again


async def test_one_key_is_accepted_once_whoever_is_first(world: World) -> None:
    processes = [await world.process(number) for number in range(PROCESSES)]
    accepted: Counter[int] = Counter()
    await asyncio.gather(
        *(
            deliver_all(
                process,
                [process.record(offset, key=f"event {offset}", partition=number) for offset in range(200)],
                accepted,
            )
            for number, process in enumerate(processes)
        )
    )
    assert accepted == Counter(dict.fromkeys(range(200), 1))


async def test_one_window_accepts_one_open_whoever_is_first(world: World) -> None:
    processes = [await world.process(number) for number in range(PROCESSES)]
    accepted: Counter[int] = Counter()
    # Offset n is an open of user n; every process has another minute of the same window.
    await asyncio.gather(
        *(
            deliver_all(
                process,
                [
                    process.record(offset, partition=number, once=open_of(f"user {offset}", number))
                    for offset in range(100)
                ],
                accepted,
            )
            for number, process in enumerate(processes)
        )
    )
    assert accepted == Counter(dict.fromkeys(range(100), 1))


async def test_calls_that_wait_together_are_answered_each_for_itself(world: World) -> None:
    process = await world.process(0)
    records = [process.record(offset, key=f"event {offset % 20}") for offset in range(60)]
    answers = await asyncio.gather(*(process.reserve(record) for record in records))
    granted = [record for record, answer in zip(records, answers, strict=True) if not answer.refused]
    assert sorted(record.offset for record in granted) == list(range(20))
    assert len({answer.token for answer in answers}) == 60
    await asyncio.gather(
        process.ledger.confirm(granted[:10]),
        process.ledger.release([Held(r, a.token) for r, a in zip(granted[10:], answers[10:20], strict=True)]),
    )
    after = await process.reserve(*[process.record(100 + n, key=f"event {n}") for n in range(20)])
    assert sorted(after.refused) == list(range(10))


async def test_an_assignment_fences_what_is_asked_for_after_it_although_they_wait_together(
    world: World,
) -> None:
    old = await world.process(0)
    for offset in range(20):
        await old.assign(0)
        # One ledger, so that they can share a transaction; the epochs are what tells the assignments apart.
        before, _, after = await asyncio.gather(
            old.ledger.reserve([old.record(offset)]),
            old.ledger.assign([TopicPartition(TOPIC, 0)]),
            old.ledger.reserve([old.record(100 + offset)]),
        )
        assert before.refused == {}
        assert after.refused == {0: Fenced()}


async def test_a_caller_that_gives_up_disturbs_nobody(world: World) -> None:
    process = await world.process(0)
    calls = [asyncio.create_task(process.ask(process.record(offset))) for offset in range(8)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[1::2] == [None] * 4
    assert await process.ask(process.record(50)) is None


async def test_a_closed_ledger_says_so_and_closing_twice_is_closing_once(world: World) -> None:
    process = await world.process(0)
    await process.ledger.close()
    await process.ledger.close()
    with pytest.raises(LedgerUnavailable, match="open it first"):
        await process.reserve(process.record(1))
    with pytest.raises(LedgerUnavailable, match="open it first"):
        await process.ledger.states([])
    await process.ledger.open()
    await process.take(process.record(1))
