"""Rehearsals in real child processes: who dies is found, who does not is not accused."""

import asyncio
import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from consumer.avro.undecodable import CRASHED, HELD_UP
from consumer.pipeline.rehearsal import Rehearsal, RehearsalPolicy
from tests.integration.processes import wait_until

Step = Callable[[], object]


def harmless() -> None:
    return None


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def leave() -> None:
    os._exit(3)


def leave_well() -> None:
    """As a C library does that calls exit(0)."""
    os._exit(0)


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    time.sleep(600)


def raises() -> None:
    raise ValueError


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def rehearse(told: list[str]) -> Rehearsal:
    return Rehearsal(RehearsalPolicy(step_s=20.0), told.append)


async def test_steps_that_end_well_or_raise_are_not_found(rehearse: Rehearsal) -> None:
    assert await rehearse([harmless, raises, harmless] * 200) == {}
    assert await rehearse([]) == {}


@pytest.mark.parametrize("deadly", [segfault, abort, leave, leave_well, killed])
async def test_what_ends_the_process_is_found_among_others(rehearse: Rehearsal, deadly: Step) -> None:
    assert await rehearse([harmless, deadly, harmless, harmless]) == {1: CRASHED}


async def test_all_of_several_are_found(rehearse: Rehearsal) -> None:
    steps: Sequence[Step] = [segfault, harmless, abort, abort, harmless, leave]
    assert await rehearse(steps) == {0: CRASHED, 2: CRASHED, 3: CRASHED, 5: CRASHED}


async def test_what_stands_still_is_found_without_waiting_for_it(told: list[str]) -> None:
    # Long enough for the harmless ones on a machine that is busy with other things.
    rehearse = Rehearsal(RehearsalPolicy(step_s=2.0), told.append)
    started_s = time.monotonic()
    assert await rehearse([harmless, hang, harmless]) == {1: HELD_UP}
    assert time.monotonic() - started_s < 30


async def test_a_child_that_is_killed_from_outside_accuses_nobody(
    rehearse: Rehearsal, tmp_path: Path
) -> None:
    flag = tmp_path / "killed"

    def killed_once() -> None:
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    assert await rehearse([harmless, killed_once, segfault]) == {2: CRASHED}


async def test_where_no_child_can_be_had_nothing_is_found_and_it_is_said(
    rehearse: Rehearsal, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert await rehearse([segfault]) == {}
    assert "without a rehearsal" in told[-1]


async def test_what_a_step_changes_stays_in_the_child_which_leaves_no_core_and_minds_no_terminal(
    rehearse: Rehearsal, tmp_path: Path
) -> None:
    seen: list[int] = []
    report = tmp_path / "report"

    def look() -> None:
        seen.append(1)
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        report.write_text(f"{resource.getrlimit(resource.RLIMIT_CORE)} {ignored}")

    assert await rehearse([look]) == {}
    assert seen == []
    assert report.read_text() == "(0, 0) True"


async def test_a_stop_in_the_middle_leaves_no_child_behind(rehearse: Rehearsal, tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def tell_and_hang() -> None:
        pid.write_text(str(os.getpid()))
        time.sleep(600)

    task = asyncio.create_task(rehearse([tell_and_hang]))
    await asyncio.to_thread(wait_until, lambda: bool(text_of(pid)), 20.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(text_of(pid)), 0)


async def test_several_at_once_take_turns(rehearse: Rehearsal) -> None:
    found = await asyncio.gather(*(rehearse([harmless] * n + [segfault]) for n in range(4)))
    assert found == [{n: CRASHED} for n in range(4)]
