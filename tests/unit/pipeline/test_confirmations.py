"""Confirmations are gathered while a call is under way: one call for many requests of one object each."""

import asyncio
from collections.abc import Sequence

import pytest

from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background
from consumer.pipeline.confirmations import Confirmations
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet


def intent(offset: int) -> Intent:
    return Intent(None, "events", 0, offset, 1, "opens")


class SlowLedger:
    """Confirms when it is told to; keeps what each call took."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.answers: list[asyncio.Future[None]] = []

    async def confirm(self, intents: Sequence[Intent]) -> None:
        self.calls.append([one.offset for one in intents])
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        await answer


def begin(ledger: SlowLedger) -> tuple[Confirmations, Background, list[BaseException]]:
    faults: list[BaseException] = []
    background = Background(faults.append)
    return Confirmations(ledger.confirm, background), background, faults


@in_virtual_time
async def test_what_comes_while_a_call_is_under_way_goes_together_in_the_next():
    ledger = SlowLedger()
    confirmations, _, _ = begin(ledger)
    waiting = [asyncio.ensure_future(confirmations.add([intent(offset)])) for offset in range(4)]
    await quiet()
    assert ledger.calls == [[0, 1, 2, 3]] or ledger.calls == [[0]]
    first = len(ledger.calls[0])
    more = [asyncio.ensure_future(confirmations.add([intent(offset)])) for offset in (7, 8, 9)]
    await quiet()
    assert len(ledger.calls) == 1, "one call at a time"
    ledger.answers[0].set_result(None)
    await quiet()
    assert [one.done() for one in waiting] == [True] * first + [False] * (4 - first)
    assert not any(one.done() for one in more), "none is told before its own call has ended"
    assert ledger.calls[1][-3:] == [7, 8, 9]
    ledger.answers[1].set_result(None)
    await asyncio.gather(*waiting, *more)


@in_virtual_time
async def test_a_call_that_fails_is_told_to_those_whom_it_took_and_to_nobody_else():
    ledger = SlowLedger()
    confirmations, _, faults = begin(ledger)
    first = asyncio.ensure_future(confirmations.add([intent(1)]))
    await quiet()
    second = asyncio.ensure_future(confirmations.add([intent(2)]))
    await quiet()
    ledger.answers[0].set_exception(RuntimeError("a fault"))
    with pytest.raises(RuntimeError, match="a fault"):
        await first
    await quiet()
    ledger.answers[1].set_result(None)
    await second
    assert faults == []


@in_virtual_time
async def test_who_is_cancelled_leaves_what_was_acknowledged_to_be_confirmed():
    ledger = SlowLedger()
    confirmations, _, _ = begin(ledger)
    first = asyncio.ensure_future(confirmations.add([intent(1)]))
    await quiet()
    second = asyncio.ensure_future(confirmations.add([intent(2)]))
    await quiet()
    second.cancel()
    ledger.answers[0].set_result(None)
    await first
    await quiet()
    assert ledger.calls == [[1], [2]]
    ledger.answers[1].set_result(None)
    await quiet()


@in_virtual_time
async def test_nothing_waits_for_company():
    ledger = SlowLedger()
    confirmations, background, _ = begin(ledger)
    alone = asyncio.ensure_future(confirmations.add([intent(1)]))
    await quiet()
    assert ledger.calls == [[1]]
    await background.close()
    alone.cancel()
