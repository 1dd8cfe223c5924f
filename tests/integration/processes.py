"""The real command in processes of its own: started, looked at, stopped and killed by tests."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_TAIL = 3_000


class ConsumerProcess:
    """One `distinct-consumer run`. Its output goes to files; it dies with this process, however that ends."""

    def __init__(
        self,
        name: str,
        folder: Path,
        flags: Sequence[str],
        environment: Mapping[str, str],
        *,
        module: str = "consumer",
    ) -> None:
        """Starts at once. `environment` is all it gets besides what Python itself needs. `module` is what runs: the
        command, or a test's own that breaks something in the process and then calls the command."""
        self.name = name
        self._stdout = folder / f"{name}.out"
        self._stderr = folder / f"{name}.err"
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, "run", *flags],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**inherited, "PYTHONPATH": str(_ROOT), **environment},
                cwd=folder,
                start_new_session=True,
            )
        # The shell ends when its standard input does: when we close it, or when we are gone.
        self._leash = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -9 "$0" 2>/dev/null', str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def resident_bytes(self) -> int:
        """What it holds in memory now, as Linux counts it."""
        return self._counted_bytes("VmRSS:")

    @property
    def peak_bytes(self) -> int:
        """The most that it ever held."""
        return self._counted_bytes("VmHWM:")

    def _counted_bytes(self, name: str) -> int:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(name)]
        return int(line.split()[1]) * 1024

    @property
    def stdout(self) -> str:
        return self._stdout.read_text()

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    @property
    def books(self) -> dict[str, Any]:
        """What it printed at its end under `--output json`."""
        books: dict[str, Any] = json.loads(self.stdout)
        return books

    def kill(self) -> int:
        """SIGKILL, and wait for its end; gives the moment of the kill in milliseconds since 1970."""
        at_ms = time.time_ns() // 1_000_000
        self._process.kill()
        self._reap(10.0)
        return at_ms

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP and SIGCONT, say."""
        self._process.send_signal(number)

    def abort(self) -> int:
        """SIGABRT, as a C library's own check ends a process; gives the exit code."""
        self._process.send_signal(signal.SIGABRT)
        return self._reap(10.0)

    def terminate(self) -> None:
        """SIGTERM; `wait` gives what came of it."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit code. Raises `TimeoutError`, with the end of its log, where it takes longer."""
        try:
            return self._reap(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self} did not end in {timeout_s:.0f} s{self.tail()}") from None

    def stop(self, timeout_s: float = 60.0) -> int:
        """SIGTERM, and its exit code."""
        self.terminate()
        return self.wait(timeout_s)

    def close(self) -> None:
        """End it by force, if it still runs. Idempotent."""
        if self._leash.stdin is not None and not self._leash.stdin.closed:
            self._process.kill()
            self._reap(10.0)

    def status(self) -> dict[str, Any] | None:
        """Its GET /status; None while it does not answer (yet, or any more)."""
        for line in self.stderr.splitlines():
            if '"admin"' in line:
                break
        else:
            return None
        host, _, port = json.loads(line)["admin"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
        try:
            connection.request("GET", "/status")
            document: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return document

    def wait_for_status(
        self, reached: Callable[[dict[str, Any]], bool], timeout_s: float = 30.0
    ) -> dict[str, Any]:
        """The first status that satisfies `reached`. Raises `TimeoutError` with the end of its log."""
        found: dict[str, Any] = {}

        def look() -> bool:
            status = self.status()
            if status is None:
                return not self.running
            found.clear()
            found.update(status)
            return reached(status)

        wait_until(look, timeout_s, lambda: f"{self}: {found}{self.tail()}")
        if not self.running:
            raise RuntimeError(f"{self} ended{self.tail()}")
        return found

    def tail(self) -> str:
        """The end of what it logged."""
        return f"; the end of its log:\n{self.stderr[-_TAIL:]}"

    def __str__(self) -> str:
        code = self._process.poll()
        return f"consumer {self.name} ({'running' if code is None else f'exit code {code}'})"

    def _reap(self, timeout_s: float) -> int:
        code = self._process.wait(timeout_s)
        if self._leash.stdin is not None and not self._leash.stdin.closed:
            self._leash.kill()  # first: it may not outlive the pid that it would kill
            self._leash.stdin.close()
            self._leash.wait()
        return code


def wait_until(
    reached: Callable[[], bool], timeout_s: float, describe: Callable[[], str] = lambda: ""
) -> None:
    """Look ten times a second. Raises `TimeoutError` with `describe`."""
    deadline_s = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not reached in {timeout_s:.0f} s: {describe()}")
        time.sleep(0.1)
