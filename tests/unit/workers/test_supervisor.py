"""Supervision, with tiny workers that are real processes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumer.clock import ManualClock, SystemClock
from consumer.core.books import Books
from consumer.errors import ConfigurationError, FaultError, RefusedError, StoppedError
from consumer.workers.reports import Beat, Started
from consumer.workers.restarts import RestartPolicy
from consumer.workers.slot import Slot, of_all
from consumer.workers.supervisor import SupervisionPolicy, Supervisor
from consumer.workers.worker_process import WorkerProcess

_WORKER = """
import json, os, signal, sys
def say(**report): os.write(1, json.dumps(report).encode() + b"\\n")  # a signal may come in between
def end(code, findings=(), books=None):
    say(type="ended", exit_code=code, findings=findings, books=books); os._exit(code)
told = json.loads(sys.stdin.readline())
code, settled = told["code"], told["settled"]
books = {**told["books"], "consumed": settled, "settled": settled}
if told["early"]: end(code, told["findings"]) if code >= 0 else os.kill(os.getpid(), -code)
left = ["left"] if told["drained"] else []
drain = lambda *_: end(told["drained"], left, books)
signal.signal(signal.SIGTERM, signal.SIG_IGN if told["deaf"] else drain)
signal.signal(signal.SIGHUP, lambda *_: open(told["mark"], "a").write("hup "))
say(type="started", host="127.0.0.1", port=1)
if told["beats"]: say(type="beat", books={**books, "consumed": settled + 2, "in_flight": 2}, joined=True, lag=9)
if told["lives"]:
    sys.stdin.read()  # until the parent is gone
    open(told["mark"], "a").write("gone ")
    os._exit(0)
end(code, told["findings"], books) if code >= 0 else os.kill(os.getpid(), -code)
"""

OnReport = Callable[[Started | Beat], None]

EMPTY = Books().as_json(0.0)


class Company:
    """Workers that behave as the test says: `lives` for each start of each number, the last one for all later."""

    def __init__(self, folder: Path, behaviours: dict[int, list[dict[str, Any]]], **policy: Any) -> None:
        self.mark = folder / "mark"
        self.starts: list[int] = []
        self.left_s: list[float | None] = []
        self._behaviours = behaviours
        clock = SystemClock()
        self.slots = [Slot(number, clock) for number in behaviours]
        settings = {"stop_within_s": 5.0, "restarts": RestartPolicy(base_s=0.01, attempts=4), **policy}
        self.supervisor = Supervisor(self.slots, self._spawn, SupervisionPolicy(**settings), clock)

    def _spawn(self, number: int, left_s: float | None, on_report: OnReport) -> WorkerProcess:
        of_number = self._behaviours[number]
        behaviour = of_number[min(self.starts.count(number), len(of_number) - 1)]
        self.starts.append(number)
        self.left_s.append(left_s)
        told = {
            "code": 0, "lives": False, "beats": False, "early": False, "deaf": False, "drained": 0,
            "settled": 0, "findings": [],
            "mark": str(self.mark), "books": EMPTY, **behaviour,
        }  # fmt: skip
        command = [sys.executable, "-I", "-S", "-c", _WORKER]
        return WorkerProcess(command, os.environ, json.dumps(told).encode() + b"\n", on_report)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not reached():  # noqa: ASYNC110 - processes tell no event
                await asyncio.sleep(0.01)

    def all_run(self) -> bool:
        return all(slot.state == "running" for slot in self.slots)


LIVES = {"lives": True}


async def test_a_stop_drains_all_and_adds_up_their_last_words(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [{**LIVES, "settled": 3}], 2: [{**LIVES, "settled": 4}]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)

    company.supervisor.stop()
    company.supervisor.stop()

    assert await running is None
    assert of_all(company.slots).settled == 7
    assert [slot.exit_code for slot in company.slots] == [0, 0]
    assert company.starts == [1, 2]


async def test_a_killed_worker_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [LIVES]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)
    first, second = (slot.process for slot in company.slots)
    assert first is not None
    assert second is not None

    os.kill(second.pid, signal.SIGKILL)
    await company.until(lambda: len(company.starts) == 3 and company.all_run())

    assert company.slots[0].process is first
    assert company.starts == [1, 2, 2]
    assert company.slots[1].restarts == 1
    company.supervisor.stop()
    assert await running is None


async def test_what_a_killed_worker_told_last_stays_in_the_books(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [{**LIVES, "beats": True, "settled": 3}, LIVES]})
    running = asyncio.create_task(company.supervisor.run())
    slot = company.slots[0]
    await company.until(lambda: slot.joined)
    assert (slot.books.settled, slot.books.in_flight, slot.lag) == (3, 2, 9)
    assert slot.process is not None

    os.kill(slot.process.pid, signal.SIGKILL)
    await company.until(lambda: company.starts == [1, 1] and company.all_run())

    assert (slot.books.settled, slot.books.in_flight, slot.books.abandoned) == (3, 0, 2)
    assert slot.books.balanced
    company.supervisor.stop()
    assert await running is None


async def test_one_that_keeps_crashing_ends_all_in_the_end(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [{"code": -signal.SIGSEGV}]})

    failure = await company.supervisor.run()

    assert isinstance(failure, FaultError)
    assert str(failure) == "worker 2 was killed by SIGSEGV"
    assert company.starts == [1, 2, 2, 2, 2]
    assert company.slots[0].exit_code == 0, "the other one drained"


async def test_a_mistake_that_all_find_is_one_message_and_none_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {"early": True, "code": 2, "findings": ["topic t does not exist"]}
    company = Company(tmp_path, {1: [wrong], 2: [wrong], 3: [wrong]})

    failure = await company.supervisor.run()

    assert isinstance(failure, ConfigurationError)
    assert failure.findings == ["topic t does not exist"]
    assert company.starts == [1, 2, 3]
    assert "does not exist" not in caplog.text, "whoever catches the failure says it"


async def test_a_refusal_of_one_ends_all_with_its_code(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [{"code": 4, "findings": ["another ledger"]}]})

    failure = await company.supervisor.run()

    assert isinstance(failure, RefusedError)
    assert str(failure) == "worker 2: another ledger"


async def test_the_worst_of_the_drains_is_the_end_of_the_run(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [{**LIVES, "drained": 3}]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)

    company.supervisor.stop()

    failure = await running
    assert isinstance(failure, StoppedError)
    assert str(failure) == "worker 2: left"


async def test_one_that_does_not_drain_is_killed_and_the_run_ends_with_3(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [{**LIVES, "deaf": True}]}, stop_within_s=2.0)
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)

    company.supervisor.stop()

    failure = await running
    assert isinstance(failure, StoppedError)
    assert "worker 2 was killed by SIGKILL before it had drained" in str(failure)


async def test_a_stop_while_they_start_ends_well_and_at_once(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [LIVES]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(lambda: company.starts == [1, 2])

    company.supervisor.stop()

    async with asyncio.timeout(30.0):
        assert await running is None


async def test_a_stop_while_one_waits_to_be_started_again_ends_well(tmp_path: Path) -> None:
    restarts = RestartPolicy(base_s=60.0)
    company = Company(tmp_path, {1: [LIVES], 2: [{"code": -9}]}, restarts=restarts)
    running = asyncio.create_task(company.supervisor.run())
    await company.until(lambda: company.slots[1].state == "waiting" and company.slots[0].state == "running")

    company.supervisor.stop()

    async with asyncio.timeout(30.0):
        assert await running is None
    assert company.starts == [1, 2]


async def test_all_that_have_reached_the_end_are_the_end(tmp_path: Path) -> None:
    one_more_try = [{"code": -9}, {"settled": 2}]
    company = Company(tmp_path, {1: [{"settled": 1}], 2: one_more_try}, until_end=True, timeout_s=60.0)

    assert await company.supervisor.run() is None

    assert company.starts == [1, 2, 2]
    assert of_all(company.slots).settled == 3
    assert company.left_s[0] is not None
    assert company.left_s[2] is not None
    assert company.left_s[2] <= company.left_s[0] <= 60.0, "a second start has what is left of the time"


async def test_a_hang_up_reaches_all(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [LIVES], 2: [LIVES]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)

    company.supervisor.hang_up()

    await company.until(lambda: company.mark.exists() and company.mark.read_text() == "hup hup ")
    company.supervisor.stop()
    assert await running is None


async def test_none_outlives_a_supervision_that_is_cancelled(tmp_path: Path) -> None:
    company = Company(tmp_path, {1: [{**LIVES, "deaf": True}]})
    running = asyncio.create_task(company.supervisor.run())
    await company.until(company.all_run)
    process = company.slots[0].process
    assert process is not None

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await process.ended()).code == -signal.SIGKILL


async def test_a_command_that_cannot_be_started_ends_all_and_says_why(tmp_path: Path) -> None:
    slots = [Slot(1, ManualClock())]

    def spawn(number: int, left_s: float | None, on_report: OnReport) -> WorkerProcess:
        return WorkerProcess([str(tmp_path / "nothing")], {}, b"\n", on_report)

    failure = await Supervisor(slots, spawn, SupervisionPolicy(stop_within_s=1.0), ManualClock()).run()

    assert isinstance(failure, FaultError)
    assert "No such file" in str(failure)
