"""The command as a user starts it: in a process of its own, to its end or in the background."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]
_ENTRY_POINT = "from consumer.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Result:
    """What a user has when the command has ended."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def json(self) -> Any:
        """What it printed under `--output json`."""
        return json.loads(self.stdout)

    @property
    def message(self) -> str:
        """The one error that it ended with, as a terminal or a log store shows it."""
        last = self.stderr.strip().splitlines()[-1]
        if last.startswith("{"):
            return str(json.loads(last)["message"])
        begin = self.stderr.find("error: ")
        if begin < 0:
            begin = self.stderr.index("Error: ")
        return self.stderr[begin:].strip()


def run(*arguments: str, folder: Path, **environment: str) -> Result:
    """Run it to its end. Its environment has nothing but what is given and what Python needs."""
    started_s = time.monotonic()
    with Running(arguments, folder, environment) as running:
        code = running.wait(100.0)
    return Result(code, running.stdout, running.stderr, time.monotonic() - started_s)


class Running:
    """One command that runs; `with` ends it by force where the test did not."""

    _count = 0

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        prelude: str = "",
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        """`prelude` is Python that runs before the command: to break a part of it on purpose."""
        Running._count += 1
        self._out = folder / f"command-{Running._count}.out"
        self._err = folder / f"command-{Running._count}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"{prelude}\n{_ENTRY_POINT}", *arguments],
                stdin=stdin,
                stdout=out,
                stderr=err,
                env=_environment(environment or {}),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit code. Raises `TimeoutError`, with what it said, where it takes longer."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still running after {timeout_s:g} s: {self.stderr[-3000:]}") from None

    def wait_for(self, text: str, timeout_s: float = 30.0) -> str:
        """Until its standard error has this text; gives the line."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            for line in self.stderr.splitlines():
                if text in line:
                    return line
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise TimeoutError(f"did not say {text!r} in {timeout_s:g} s: {self.stderr[-3000:]}")

    def hang_up(self) -> None:
        """SIGHUP: it is to read its topology again."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 60.0) -> int:
        """Ask it to end; gives its exit code."""
        self._process.send_signal(number)
        return self.wait(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Terminal:
    """The command on a terminal of 80 columns, as a person sees it."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._parent, child = os.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _ENTRY_POINT, *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env=_environment({"TERM": "xterm"}),
            cwd=folder,
            start_new_session=True,
        )
        os.close(child)
        self._chunks: list[bytes] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._parent, 65536)
            except OSError:  # how Linux says that the other end is closed
                return
            if not chunk:
                return
            self._chunks.append(chunk)

    def screen(self, timeout_s: float = 60.0) -> tuple[int, str]:
        """Its exit code, and all that was written, in order."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._thread.join(5.0)
            os.close(self._parent)
        return code, b"".join(self._chunks).decode()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {**inherited, "PYTHONPATH": str(_ROOT), **given}
