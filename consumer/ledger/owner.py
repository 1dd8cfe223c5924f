"""The process as an owner of reservations: one lease for all of them, kept by one heartbeat."""

import subprocess
import sys
from pathlib import Path

from consumer.ledger.unique import new_owner

FORGET_MS = 3_600_000
"""An owner and its reservations are deleted this long after they lapsed: by then nobody comes back."""

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Owner:
    """This process's identity in the store, and when it last beat. Times in milliseconds of the monotonic
    clock.

    An owner that missed its lease becomes another one: its reservations of before stay lapsed, because others
    may have counted on it; each lives again only when it is reserved again.
    """

    __slots__ = ("_beaten_ms", "_lease_ms", "id")

    def __init__(self, lease_s: float) -> None:
        self._lease_ms = int(lease_s * 1000)
        self._beaten_ms: int | None = None
        self.id = new_owner()

    def due(self, now_ms: int) -> bool:
        """Whether it is time to beat: three times a lease."""
        return self._beaten_ms is None or now_ms - self._beaten_ms >= self._lease_ms // 3

    def until_ms(self, now_ms: int) -> int:
        """When a lease that begins now ends."""
        return now_ms + self._lease_ms

    def beat(self, now_ms: int) -> None:
        """The store has taken a heartbeat."""
        self._beaten_ms = now_ms

    def replace(self) -> None:
        """The lease was missed: be somebody else."""
        self.id = new_owner()

    def forget(self) -> None:
        """The last heartbeat may not have been written: the next one is due at once."""
        self._beaten_ms = None


def boot_id() -> str:
    """What tells this boot of the machine from any other; the monotonic clock means nothing across boots.

    Empty where the system has none; may block for a moment.
    """
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=5, check=True
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""
    try:
        return _LINUX_BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
