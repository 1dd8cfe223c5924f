"""What fails where nobody awaits it ends the process, and is told without the data that it failed on."""

import asyncio
import logging

import pytest

from consumer.errors import FaultError, LedgerUnavailable
from consumer.pipeline.background import Background
from consumer.pipeline.faults import Faults


class LetGo:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def raises(error: Exception) -> None:
    raise error


async def first_of(faults: Faults) -> BaseException | None:
    await asyncio.wait({faults.first}, timeout=5.0)
    return faults.first.exception()


async def test_a_task_that_fails_is_a_fault_with_its_trace_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults(LetGo())
    Background(faults).spawn(raises(KeyError("usr-1")))

    fault = await first_of(faults)

    assert isinstance(fault, FaultError)
    assert "KeyError" in str(fault)
    assert "usr-1" not in str(fault)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_a_callback_of_the_loop_that_fails_is_a_fault_and_its_arguments_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults(LetGo())
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(faults.of_loop)

    def take(record: str) -> None:
        raise RuntimeError("no lane")

    loop.call_soon(take, "canary@example.org")

    assert isinstance(await first_of(faults), FaultError)
    assert "canary" not in caplog.text


async def test_what_another_part_of_the_loop_reports_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults(LetGo())

    faults.of_loop(asyncio.get_running_loop(), {"message": "a connection of the admin port broke"})

    assert not faults.first.done()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_the_first_fault_counts_and_everything_is_let_go_once() -> None:
    let_go = LetGo()
    faults = Faults(let_go)

    for error in (LedgerUnavailable("the disk is full"), RuntimeError("later")):
        faults(error)

    assert isinstance(await first_of(faults), LedgerUnavailable)
    assert let_go.times == 1


async def test_an_error_that_was_foreseen_is_told_as_it_is_and_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreseen = LedgerUnavailable("the disk is full")

    assert Faults(LetGo()).told(foreseen) is foreseen
    assert caplog.records == []
