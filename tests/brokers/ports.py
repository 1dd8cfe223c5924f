"""Free ports for servers that tests stop and start again on the same address."""

import random
import socket

# Below what Linux (32768+) and macOS (49152+) give to outgoing connections: while a stopped broker's port is
# free, no connection of another process may happen to take it.
_FIRST = 15_000
_LAST = 32_000


def free_ports(count: int) -> list[int]:
    """`count` different loopback TCP ports that nothing listens on now."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), 1_000):
        if len(found) == count:
            break
        if _is_free(port):
            found.append(port)
    if len(found) < count:
        raise RuntimeError(f"no {count} free ports between {_FIRST} and {_LAST} on loopback")
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
