"""Runs a command to its end and gives what the operating system says it cost."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from bench.workload import ROOT
from consumer.errors import FaultError

_TAIL_CHARACTERS = 2_000
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a child inherits: never the settings of a consumer that happen to stand in the environment."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to start."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one finished child, by wait4: user and system time of all of its threads."""

    output: bytes
    cpu_s: float


def run(
    command: Command, look: Callable[[], None], *, every_s: float = 0.05, timeout_s: float = 300.0
) -> Cost:
    """Blocks until it ended, and calls `look` meanwhile. Raises FaultError if it fails or takes too long."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    deadline_s = time.monotonic() + timeout_s
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**kept, **command.environment},
            cwd=ROOT,
        )
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline_s:
                    raise FaultError(f"{_named(command)} did not end within {timeout_s:g} s")
                look()
                time.sleep(every_s)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        look()
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-_TAIL_CHARACTERS:].strip()
            raise FaultError(f"{_named(command)} ended with {process.returncode}: {tail}")
        output.seek(0)
        return Cost(output.read(), usage.ru_utime + usage.ru_stime)


def _named(command: Command) -> str:
    return " ".join(os.path.basename(part) for part in command.arguments[:3])
