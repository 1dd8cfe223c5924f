"""What tests start must not outlive them."""

import subprocess
import sys

_PARENT_THAT_IS_KILLED = """
import os, signal, subprocess
from tests.brokers.local_kafka import leash
leashed = subprocess.Popen(["sleep", "20"], start_new_session=True)
held = leash(leashed.pid)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_leashed_process_dies_with_the_process_that_started_it() -> None:
    # The leashed process holds the pipe that `run` reads to its end: it returns when both are dead.
    done = subprocess.run(
        [sys.executable, "-c", _PARENT_THAT_IS_KILLED], stdout=subprocess.PIPE, timeout=10, check=False
    )

    assert done.returncode == -9
