"""One Apache Kafka broker in a Java process of its own, which tests may stop, kill and start again."""

import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.brokers.seat import Seat

_JVM = ("-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

# Sessions and heartbeats as short as tests want them, for both group protocols and for the broker itself
# (after a kill it may register again only when its old session has ended). Few partitions of the internal
# topics, so that the first join and the first transaction do not wait for fifty.
TEST_SETTINGS: Mapping[str, str] = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "1000",
}


class LocalKafka:
    """A broker and controller in one JVM, on loopback ports and a data folder that it keeps until `close`.

    Every method may block for seconds. The JVM dies with this process, however that ends.
    """

    def __init__(
        self,
        libs: Path,
        *,
        settings: Mapping[str, str] | None = None,
        listeners: Mapping[str, int] | None = None,
        seat: Seat | None = None,
        cluster: Sequence[Seat] = (),
        cluster_id: str | None = None,
    ) -> None:
        """`listeners`: beside the plain one, loopback ports by their name; `settings` say what they ask for.
        `seat` and `cluster`: where it sits among which others; alone without."""
        self._listeners = dict(listeners or {})
        self._home = Path(tempfile.mkdtemp(prefix="kafka-"))
        self._classpath = f"{libs}/*"
        (self.seat,) = (seat,) if seat is not None else Seat.choose()
        self._settings = {**self.seat.settings(cluster or [self.seat]), **TEST_SETTINGS, **(settings or {})}
        self._cluster_id = cluster_id or uuid.uuid4().hex[:22]
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        self._format()

    @property
    def bootstrap_servers(self) -> str:
        """host:port, the same over every restart."""
        return self.seat.bootstrap_servers

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, timeout_s: float = 90.0) -> None:
        """Start, and return when the broker answers, at once if it does.

        Raises `RuntimeError` with the end of the broker's log if it does not answer in time.
        """
        self.launch()
        self._wait_until_it_answers(timeout_s)

    def launch(self) -> None:
        """Start, and do not wait: of a cluster, one alone never answers. Does nothing if it runs."""
        if self.running:
            return
        self._reap()
        with (self._home / "broker.log").open("ab") as log:
            # A session of its own: Ctrl-C in the terminal stops the tests, and they stop the broker.
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._leash = leash(self._process.pid)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop in order (SIGTERM); by SIGKILL what takes longer."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reap()

    def kill(self) -> None:
        """SIGKILL: what a crash of the machine's process looks like."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def restart(self) -> None:
        """Stop in order and start again, same ports, same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and delete the data."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def log_tail(self, characters: int = 2_000) -> str:
        """The end of what the broker wrote; "" if it never ran."""
        log = self._home / "broker.log"
        return log.read_text(errors="replace")[-characters:] if log.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _properties(self) -> Path:
        return self._home / "server.properties"

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        return ["java", *_JVM, "-cp", self._classpath, main_class, *arguments]

    def _format(self) -> None:
        settings = {**self._settings, "log.dirs": str(self._home / "data")}
        more = "".join(f",{name}://127.0.0.1:{port}" for name, port in self._listeners.items())
        for key in ("listeners", "advertised.listeners"):
            settings[key] += more
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        command = self._java("kafka.tools.StorageTool", "format", "-t", self._cluster_id)
        done = subprocess.run(
            [*command, "-c", str(self._properties)], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            shutil.rmtree(self._home, ignore_errors=True)
            raise RuntimeError(f"Kafka could not format its storage: {(done.stdout + done.stderr)[-600:]}")

    def _wait_until_it_answers(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s and self.running:
            if self._listens() and answers(self.bootstrap_servers, timeout_s=2.0):
                return
            time.sleep(0.1)
        outcome = "ended" if not self.running else f"did not answer within {timeout_s:.0f} s"
        self.kill()
        raise RuntimeError(f"the Kafka broker {outcome}. The end of its log:\n{self.log_tail()}")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.seat.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _reap(self) -> None:
        """Wait for what was told to end; first the leash, which may not outlive the pid it would kill."""
        if self._leash is not None:
            self._leash.kill()
            self._leash.communicate()
            self._leash = None
        if self._process is not None:
            self._process.wait()
            self._process = None


def answers(bootstrap_servers: str, *, timeout_s: float) -> bool:
    """Whether a broker answers a metadata request at this address within `timeout_s`."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=timeout_s).brokers)
    except KafkaException:
        return False


def leash(pid: int) -> subprocess.Popen[bytes]:
    """A shell that kills `pid` when this process is gone, however: the pipe it reads from closes with us."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -9 "$0"', str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
