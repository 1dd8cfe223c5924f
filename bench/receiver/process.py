"""The fast receiver: a Go program in a process of its own."""

import http.client
import select
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from bench.receiver.build import built
from bench.receiver.face import Tally
from bench.workload import CLIENT_KEY, DISTINCT_KEY
from consumer.errors import FaultError

_START_S = 10.0
_TIMEOUT_S = 30.0
_SOURCES = Path(__file__).parent


class Ready(msgspec.Struct, frozen=True):
    """The line that the process writes once it listens."""

    base_url: str


class FastReceiver:
    """Starts, counts, stops. The child ends with its standard input: also when this process is killed."""

    description = "a Go program that checks that every record arrives, once, in its user's order"

    def __init__(self, program: Path) -> None:
        """program: as `build_receiver` gives it."""
        self._program = program
        self._process: subprocess.Popen[bytes]
        self._control: http.client.HTTPConnection | None = None
        self.base_url = ""

    def __enter__(self) -> Self:
        self._process = process = subprocess.Popen(
            [str(self._program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        assert process.stdin is not None
        assert process.stdout is not None
        keys = {"client_key": CLIENT_KEY, "distinct_key": DISTINCT_KEY}
        try:
            process.stdin.write(msgspec.json.encode(keys) + b"\n")
            process.stdin.flush()
            readable, _, _ = select.select([process.stdout], [], [], _START_S)
            self.base_url = msgspec.json.decode(
                process.stdout.readline() if readable else b"", type=Ready
            ).base_url
        except (OSError, msgspec.MsgspecError) as error:
            self.__exit__()
            raise FaultError("the receiver did not start: see the line above") from error
        self._control = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=_TIMEOUT_S)
        return self

    def __exit__(self, *error: object) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        if self._control is not None:
            self._control.close()
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def expect(self, records: int, *, keep: bool = False) -> None:
        """As `Receiver` has it; every method is."""
        self._call("PUT", "expect", {"records": records, "keep": keep})

    def bodies(self) -> list[bytes]:
        return self._call("GET", "bodies").splitlines()

    def behave(self, *, latency_ms: float = 0.0, capacity: int = 0, queue: int = 0, status: int = 0) -> None:
        wanted = {"latency_ms": latency_ms, "capacity": capacity, "queue": queue, "status": status}
        self._call("PUT", "behaviour", wanted)

    def counts(self) -> Tally:
        return msgspec.json.decode(self._call("GET", "counts"), type=Tally)

    def report(self, first: int = 0, last: int = 0) -> Tally:
        return msgspec.json.decode(self._call("GET", f"report?from={first}&to={last}"), type=Tally)

    def _call(self, method: str, path: str, document: Any = None) -> bytes:
        body = None if document is None else msgspec.json.encode(document)
        assert self._control is not None, "only within its `with`"
        try:
            self._control.request(method, f"/bench/{path}", body)
            response = self._control.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise FaultError(f"the receiver did not answer {method} {path}") from error
        if response.status != 200:
            raise FaultError(f"the receiver refused {method} {path} with {response.status}")
        return answer


def build_receiver() -> Path:
    """The program, built if need be. Raises FaultError where that is not possible; a missing Go is said so."""
    if shutil.which("go") is None:
        raise FaultError("Go is not installed")
    build = ["go", "build", "-o", "{out}/receiver", "."]
    return built("receiver", _SOURCES, build, result="receiver", inputs=("*.go", "go.mod"))
