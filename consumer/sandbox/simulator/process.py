"""The simulator in a process of its own, so that it shares no interpreter with what is measured or tested."""

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from consumer.errors import FaultError
from consumer.sandbox.simulator.config import SimulatorConfig
from consumer.sandbox.simulator.remote import SimulatorRemote

_MODULE = "consumer.sandbox.simulator"
_ROOT = Path(__file__).resolve().parents[3]


class Ready(msgspec.Struct, frozen=True):
    """The line that the process writes once it listens."""

    base_url: str


class SimulatorProcess:
    """Starts, tells where it listens, stops.

    The configuration goes in by the standard input, so that no key shows in the list of processes. The child
    stops when that input ends: also when the parent is killed. It has a process group of its own, so that
    Ctrl-C in a terminal does not take the receiver away from a sender that is still draining.
    """

    def __init__(
        self, config: SimulatorConfig, *, start_timeout_s: float = 30.0, stop_timeout_s: float = 5.0
    ) -> None:
        self._config = config
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._base_url = ""

    @property
    def base_url(self) -> str:
        """The root of every API; known once it has started."""
        return self._base_url

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def remote(self) -> SimulatorRemote:
        """Its ledger, faults and outages."""
        return SimulatorRemote(self._base_url)

    def start(self) -> None:
        """Blocks until it listens. Raises FaultError when it does not."""
        self._process = process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _python_path()},
            process_group=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(self._config) + b"\n")
            process.stdin.flush()
            readable, _, _ = select.select([process.stdout], [], [], self._start_timeout_s)
            line = process.stdout.readline() if readable else b""
            self._base_url = msgspec.json.decode(line, type=Ready).base_url
        except (OSError, msgspec.MsgspecError) as error:
            self.stop()
            raise FaultError(
                f"the simulator did not start on {self._config.host}:{self._config.port}: see the line above"
            ) from error

    def stop(self) -> None:
        """Blocks until it has ended; killed when it takes too long. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(self._stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _python_path() -> str:
    """The child must find this very package, wherever the parent took it from and wherever it was started."""
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(_ROOT), inherited]) if inherited else str(_ROOT)
