"""Confirmations are gathered while a call is under way: one call for many requests of one object each."""

import asyncio
from collections.abc import Sequence
from typing import Any

from consumer.ledger.ledger import Intent
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.confirmations import Confirmations
from consumer.pipeline.work import Delivery
from tests.unit.pipeline.virtual_time import in_virtual_time, quiet


def batch(*offsets: int) -> Batch:
    nothing: Any = None
    intents = [Intent(None, "events", 0, offset, 1, "opens") for offset in offsets]
    return Batch(nothing, [Delivery(nothing, nothing, b"", intent) for intent in intents])


class SlowLedger:
    """Confirms when it is told to; keeps what each call took, and what was told of it."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.answers: list[asyncio.Future[None]] = []
        self.faults: list[BaseException] = []
        self.done: list[list[int]] = []
        self.given_up: list[list[int]] = []
        self.background = Background(self.faults.append)
        self.confirmations = Confirmations(
            self.confirm,
            lambda batches: self.done.append(offsets(batches)),
            lambda batches: self.given_up.append(offsets(batches)),
            self.background,
        )

    async def confirm(self, intents: Sequence[Intent]) -> None:
        self.calls.append([one.offset for one in intents])
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        await answer


def offsets(batches: Sequence[Batch]) -> list[int]:
    return [one.intent.offset for batch in batches for one in batch.members]


@in_virtual_time
async def test_what_comes_while_a_call_is_under_way_goes_together_in_the_next():
    ledger = SlowLedger()
    ledger.confirmations.add(batch(0))
    await quiet()
    assert ledger.calls == [[0]], "nothing waits for company"
    ledger.confirmations.add(batch(7))
    ledger.confirmations.add(batch(8, 9))
    await quiet()
    assert len(ledger.calls) == 1, "one call at a time"
    assert ledger.done == [], "none is told before its own call has ended"
    ledger.answers[0].set_result(None)
    await quiet()
    assert (ledger.calls, ledger.done) == ([[0], [7, 8, 9]], [[0]])
    ledger.answers[1].set_result(None)
    await quiet()
    assert ledger.done == [[0], [7, 8, 9]]


@in_virtual_time
async def test_a_call_that_fails_is_a_fault_and_what_it_took_is_not_done():
    ledger = SlowLedger()
    ledger.confirmations.add(batch(1))
    await quiet()
    failure = RuntimeError("a fault")
    ledger.answers[0].set_exception(failure)
    await quiet()
    assert ledger.faults == [failure]
    assert ledger.done == []


@in_virtual_time
async def test_at_the_end_what_is_not_confirmed_is_told_as_that():
    ledger = SlowLedger()
    ledger.confirmations.add(batch(1))
    await quiet()
    ledger.confirmations.add(batch(2, 3))
    await ledger.background.close()
    assert (ledger.done, ledger.given_up) == ([], [[1, 2, 3]])


@in_virtual_time
async def test_what_is_given_up_before_a_call_has_begun_is_told_too():
    ledger = SlowLedger()
    ledger.confirmations.add(batch(3))
    ledger.confirmations.add(batch(4))

    await ledger.background.close()

    assert (ledger.calls, ledger.given_up) == ([], [[3, 4]])


@in_virtual_time
async def test_what_comes_when_the_last_call_has_just_ended_is_not_left_behind():
    ledger = SlowLedger()
    ledger.confirmations.add(batch(1))
    await quiet()
    ledger.answers[0].add_done_callback(lambda _: None)
    ledger.answers[0].set_result(None)
    for _ in range(3):  # before, between and after the turns in which the task ends
        await asyncio.sleep(0)
        ledger.confirmations.add(batch(2))
    await quiet()
    while any(not answer.done() for answer in ledger.answers):
        next(answer for answer in ledger.answers if not answer.done()).set_result(None)
        await quiet()

    assert [one for told in ledger.done for one in told] == [1, 2, 2, 2]
