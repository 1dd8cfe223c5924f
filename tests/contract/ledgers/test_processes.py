"""One ledger, several operating-system processes, some of them killed."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.ledgers.writer import BATCH

EVENTS = 2000
LEASE_S = 2.0
"""Short: what the dead held is waited for."""
PATIENT_S = 60.0
"""So long that no process of a starved machine misses it: to take over then would be right, and a duplicate."""
_ROOT = Path(__file__).parents[3]


class Writers:
    """Writer processes on one ledger and one receiver."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._all: list[subprocess.Popen[str]] = []

    def start(self, partition: int, *die: str, lease_s: float = LEASE_S) -> subprocess.Popen[str]:
        places = (self._url, str(self._folder / "receiver"))
        command = [
            sys.executable,
            "-m",
            "tests.contract.ledgers.writer",
            *places,
            str(partition),
            str(EVENTS),
            str(lease_s),
        ]
        writer = subprocess.Popen(
            [*command, *die],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._all.append(writer)
        return writer

    def go(self, *writers: subprocess.Popen[str]) -> None:
        """Let them begin, all at once, and go on when each has reserved something."""
        for _ in range(2):
            for writer in writers:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "ready\n"
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write("go\n")

    def run(self, partition: int, *die: str) -> int:
        """Let one do all its work, alone; its exit status."""
        writer = self.start(partition, *die)
        self.go(writer)
        return writer.wait(timeout=60)

    def received(self) -> list[tuple[int, int]]:
        """What the receiver got: event and partition."""
        # Each line is written whole, but this may read while one is.
        lines = (self._folder / "receiver").read_text().split("\n")[:-1]
        return [(int(event), int(partition)) for event, partition in (line.split() for line in lines)]

    def end(self) -> None:
        for writer in self._all:
            writer.kill()
            writer.communicate()


@pytest.fixture(params=["sqlite", "valkey"])
def writers(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Writers]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "valkey":
        server = request.getfixturevalue("shared_server")
        server.ask("FLUSHDB")
        url = server.url
    writers = Writers(tmp_path, url)
    yield writers
    writers.end()


def test_two_processes_deliver_each_event_and_fill_each_window_once(writers: Writers) -> None:
    both = [writers.start(partition, lease_s=PATIENT_S) for partition in (0, 1)]
    writers.go(*both)
    assert [writer.wait(timeout=60) for writer in both] == [0, 0]
    received = writers.received()
    assert Counter(event for event, _ in received) == Counter(range(EVENTS))
    assert {partition for _, partition in received} == {0, 1}


def test_a_process_killed_anywhere_costs_at_most_the_batch_it_had_sent(writers: Writers) -> None:
    victim, survivor = writers.start(0), writers.start(1, lease_s=PATIENT_S)
    writers.go(victim, survivor)
    deadline_s = time.monotonic() + 30
    while not any(partition == 0 for _, partition in writers.received()):
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
    victim.kill()
    assert victim.wait() == -signal.SIGKILL
    assert survivor.wait(timeout=60) == 0
    counts = Counter(event for event, _ in writers.received())
    assert set(counts) == set(range(EVENTS))
    again = {event: count for event, count in counts.items() if count > 1}
    assert len(again) <= BATCH
    assert set(again.values()) <= {2}


@pytest.mark.parametrize(("step", "duplicates"), [("reserve", 0), ("send", BATCH), ("confirm", 0)])
def test_after_a_kill_the_same_records_come_again_and_go_at_once(
    writers: Writers, step: str, duplicates: int
) -> None:
    assert writers.run(0, step, "3") == -signal.SIGKILL
    assert writers.run(0) == 0
    counts = Counter(event for event, _ in writers.received())
    assert set(counts) == set(range(EVENTS))
    assert sum(counts.values()) == EVENTS + duplicates


def test_after_a_kill_other_records_with_those_keys_wait_for_the_lease_and_go(writers: Writers) -> None:
    assert writers.run(0, "reserve", "3") == -signal.SIGKILL
    killed_s = time.monotonic()
    assert writers.run(1) == 0
    assert time.monotonic() - killed_s > LEASE_S / 2
    assert Counter(event for event, _ in writers.received()) == Counter(range(EVENTS))
