"""Runs a command to its end and gives what the operating system says it cost."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from bench.workload import ROOT
from consumer.errors import FaultError

_TAIL_CHARACTERS = 2_000
_LAST_COMMIT_S = 1.5
"""How long one that does not end by itself may go on, so that it commits the last records as well."""
_TERMINATED = (-signal.SIGTERM, 128 + signal.SIGTERM)
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a child inherits: never the settings of a consumer that happen to stand in the environment."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to start."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path = ROOT
    """Where it runs."""
    endless: bool = False
    """It does not end by itself when everything is delivered: it is asked to (SIGTERM)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one finished child, by wait4: user and system time of all of its threads."""

    output: bytes
    cpu_s: float
    peak_bytes: int
    """The most memory that it held, as Linux counts it; 0 elsewhere."""


def run(
    command: Command, look: Callable[[], bool], *, every_s: float = 0.05, timeout_s: float = 300.0
) -> Cost:
    """Blocks until it ended, and calls `look` meanwhile: whether everything is delivered.

    Raises FaultError if it fails or takes too long.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    deadline_s = time.monotonic() + timeout_s
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**kept, **command.environment},
            cwd=command.folder,
        )
        peak_bytes, asked = 0, False
        try:
            while True:
                peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline_s:
                    raise FaultError(f"{_named(command)} did not end within {timeout_s:g} s")
                if look() and command.endless and not asked:
                    asked = True
                    time.sleep(_LAST_COMMIT_S)
                    process.terminate()
                time.sleep(every_s)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        look()
        if process.returncode and not (asked and process.returncode in _TERMINATED):
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-_TAIL_CHARACTERS:].strip()
            raise FaultError(f"{_named(command)} ended with {process.returncode}: {tail}")
        output.seek(0)
        return Cost(output.read(), usage.ru_utime + usage.ru_stime, peak_bytes)


def _peak_bytes(pid: int) -> int:
    # Not from wait4: what the system tells there begins with what the parent held when it forked.
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _named(command: Command) -> str:
    return " ".join(os.path.basename(part) for part in command.arguments[:3])
