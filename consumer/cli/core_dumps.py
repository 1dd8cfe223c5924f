"""No memory of ours on a disk: it holds keys, and what users did."""

import ctypes
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """For the rest of this process. Where the system has no way to say so, nothing happens.

    The limit stops a file; a core pattern that is a program (as of systemd) gets the dump whatever the limit, so on
    Linux the process also says that it is not to be dumped. Another process of the same user can then not read its
    memory or environment either; root can.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
