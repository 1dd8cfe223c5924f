"""What a process and those that it started take from the machine, as Linux counts it while they live."""

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_of(pid: int) -> list[int]:
    """The process and all of its descendants that live now."""
    found = [pid]
    for one in found:
        with suppress(OSError):  # it ended meanwhile
            for thread in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def cpu_s(pids: list[int]) -> float:
    """User and system time of all their threads."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def resident_bytes(pid: int) -> int:
    """What it holds now; 0 once it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def _ticks(pid: int) -> int:
    with suppress(OSError):
        # Behind the name, which may hold anything, in brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0
