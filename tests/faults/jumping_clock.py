"""The real command with a calendar that is wrong by what a file says.

`CLOCK_OFF_BY=FILE python -m tests.faults.jumping_clock run …`. Only the wall clock jumps, as when an operator or
NTP moves it; the monotonic one is the kernel's.
"""

import os
import time
from pathlib import Path

from consumer.cli import main
from consumer.clock import SystemClock

CLOCK_OFF_BY = "CLOCK_OFF_BY"
"""The environment variable with the file that holds seconds, and may change while the command runs."""


def install(file: Path) -> None:
    """Give this process a clock of its own."""

    def wall_s() -> float:
        return time.time() + float(file.read_text())

    SystemClock.wall_s = staticmethod(wall_s)  # type: ignore[assignment]


if __name__ == "__main__":
    install(Path(os.environ[CLOCK_OFF_BY]))
    main()
