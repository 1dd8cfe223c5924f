"""A process that dies leaves no copy of its memory behind."""

import resource
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.command import Running

_DUMPABLE = """
import atexit, ctypes, sys
atexit.register(lambda: print("dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), file=sys.stderr))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what it would do")


@pytest.fixture
def dumps_allowed() -> object:
    """As in a container whose limits nobody set; given back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("dumps_allowed")
def test_an_abort_writes_no_core_file_and_tells_no_core_handler(tmp_path: Path) -> None:
    with Running(["simulate", "--port", "0"], tmp_path) as running:
        running.wait_for("http://")
        limits = Path(f"/proc/{running.pid}/limits").read_text().splitlines()
        (core,) = [line.split() for line in limits if line.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"]
        assert running.stop(signal.SIGABRT) == -signal.SIGABRT

    assert [file.name for file in tmp_path.iterdir() if "core" in file.name] == []


def test_the_process_says_that_it_is_not_to_be_dumped(tmp_path: Path) -> None:
    with Running(["config", "show"], tmp_path, prelude=_DUMPABLE) as running:
        assert running.wait() == 0

    assert "dumpable 0" in running.stderr
