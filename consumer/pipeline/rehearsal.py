"""Rehearsals: what may kill the process is first done by a child, whose death costs nothing.

The child is a fork: it has the records, the readers and the routes as they are, without a byte being handed over. It
is one process more for as long as a chunk takes, and only after somebody did not end in good order.
"""

import asyncio
import faulthandler
import gc
import math
import os
import resource
import signal
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import NoReturn

import msgspec

from consumer.avro.undecodable import CRASHED, HELD_UP

Step = Callable[[], object]

_FATAL = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGABRT,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGSYS,
        signal.SIGTRAP,
    }
)
"""Signals that a process brings upon itself. Any other may have come from outside, where it says nothing."""


_ORPHAN_S = 5
"""A child that its parent did not kill in time, because the parent is gone, ends by itself so much later."""


class RehearsalPolicy(msgspec.Struct, frozen=True):
    """`step_s` bounds how long a child may be silent. `attempts` counts children that end before their first step."""

    step_s: float = 30.0
    attempts: int = 3


class _End(Enum):
    WELL = "well"
    FATAL = "fatal"
    UNCLEAR = "unclear"
    """Killed from outside, or for want of memory, or it stood still: it may be the step's doing or not."""
    HELD_UP = "held up"


class Rehearsal:
    """Performs steps in children, one child at a time. Of one event loop."""

    def __init__(self, policy: RehearsalPolicy, on_note: Callable[[str], None]) -> None:
        self._policy = policy
        self._note = on_note
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, steps: Sequence[Step]) -> Mapping[int, str]:
        """Which of the steps kill a process, by their index, and how: CRASHED or HELD_UP.

        A step that raises does not kill. One whose child ended for a reason that may lie elsewhere is repeated alone,
        and is found fatal only if that child ends like the first. Where no child can be had, nothing is found.
        """
        fatal: dict[int, str] = {}
        first, futile = 0, 0
        async with self._one_at_a_time:
            while first < len(steps) and futile < self._policy.attempts:
                end, begun = await self._perform(steps[first:])
                if end is _End.WELL:
                    break
                if not begun:
                    futile += 1
                    continue
                at = first + begun - 1
                if end is not _End.FATAL:
                    end, begun = await self._perform(steps[at : at + 1])
                if end is not _End.WELL and begun:
                    fatal[at] = HELD_UP if end is _End.HELD_UP else CRASHED
                first = at + 1
        if futile == self._policy.attempts:
            self._note("no child process comes to its first record: records are decoded without a rehearsal")
        return fatal

    async def _perform(self, steps: Sequence[Step]) -> tuple[_End, int]:
        """How a child ended, and how many steps it began."""
        reading, writing = os.pipe()
        try:
            child = _fork(steps, writing, math.ceil(self._policy.step_s) + _ORPHAN_S)
        except OSError as error:
            os.close(reading)
            self._note(f"no child process for a rehearsal: {error.strerror}")
            return _End.UNCLEAR, 0
        finally:
            os.close(writing)
        marks, gone = 0, False
        try:
            with suppress(TimeoutError):
                while heard := await self._hear(reading):
                    marks += heard
                gone = True
        finally:
            os.close(reading)
            if not gone:
                with suppress(ProcessLookupError):  # reaped already, as below
                    os.kill(child, signal.SIGKILL)
            end = _end_of(child)
        if marks > len(steps):
            return _End.WELL, len(steps)
        return (end if gone else _End.HELD_UP), marks

    async def _hear(self, reading: int) -> int:
        """How many marks the child has made since; 0 when it is gone. Raises TimeoutError where it is silent."""
        loop = asyncio.get_running_loop()
        there = asyncio.Event()
        loop.add_reader(reading, there.set)
        try:
            async with asyncio.timeout(self._policy.step_s):
                await there.wait()
        finally:
            loop.remove_reader(reading)
        return len(os.read(reading, 65_536))


def _end_of(child: int) -> _End:
    """Reap it. Blocks for no longer than it takes to end: it has let go of its pipe, or was killed."""
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:  # whoever started us ignores SIGCHLD, and we inherited that
        return _End.UNCLEAR
    if code == -signal.SIGALRM:
        return _End.HELD_UP
    return _End.UNCLEAR if code == 0 or (code < 0 and -code not in _FATAL) else _End.FATAL


def _fork(steps: Sequence[Step], writing: int, alarm_s: int) -> int:
    """The child's process id. Raises OSError where none can be had."""
    with warnings.catch_warnings():
        # Python warns of locks that other threads hold at this moment. The steps compute and take none of theirs; and
        # a child that stands still all the same is killed.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _live(steps, writing, alarm_s)
    return child


def _live(steps: Sequence[Step], writing: int, alarm_s: int) -> NoReturn:
    """The child's life. It leaves without a word: whatever it would tidy up is its parent's."""
    code = 1
    try:
        _detach()
        for step in steps:
            signal.alarm(alarm_s)
            os.write(writing, b".")
            with suppress(Exception):  # it will be raised again where it belongs
                step()
        os.write(writing, b".")
        code = 0
    finally:
        os._exit(code)


def _detach() -> None:
    gc.disable()  # its parent's clients must not be finalized here
    signal.set_wakeup_fd(-1)  # it leads to the parent's loop
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal means the parent
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the records
    with suppress(OSError):  # where memory runs out, it is the child that goes
        Path("/proc/self/oom_score_adj").write_text("1000")
