"""What a network does to connections, as values that a `FaultProxy` is given."""

from dataclasses import dataclass
from enum import Enum


class Towards(Enum):
    """Which way bytes go."""

    SERVER = "server"
    CLIENT = "client"


BOTH_WAYS = frozenset(Towards)
REQUESTS = frozenset({Towards.SERVER})
ANSWERS = frozenset({Towards.CLIENT})


@dataclass(frozen=True, slots=True)
class Clear:
    """Everything passes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is open is reset now, and what connects is reset at once: a host without the service."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Each piece of up to 64 KiB comes so much later."""

    seconds: float
    ways: frozenset[Towards] = BOTH_WAYS


@dataclass(frozen=True, slots=True)
class BlackHole:
    """Nothing passes and nothing closes; what was held passes when this ends, as what TCP sends again does.

    A connection is still made, because the kernel makes it: only its bytes are swallowed.
    """

    ways: frozenset[Towards] = BOTH_WAYS


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """The server's end is gone and the client is not told: a router forgot the connection, a machine lost power.

    What is open stays dead for ever; what connects meanwhile dies too.
    """


@dataclass(frozen=True, slots=True)
class Reset:
    """After so many more bytes in that direction the connection is reset (RST), at both ends."""

    after_bytes: int = 0
    towards: Towards = Towards.CLIENT


@dataclass(frozen=True, slots=True)
class Truncate:
    """After so many more bytes in that direction the connection is closed in order (FIN), at both ends."""

    after_bytes: int = 0
    towards: Towards = Towards.CLIENT


@dataclass(frozen=True, slots=True)
class Throttle:
    """So many bytes a second pass: one is a slow-loris."""

    bytes_per_s: float
    ways: frozenset[Towards] = BOTH_WAYS


Fault = Clear | Cut | Delay | BlackHole | HalfOpen | Reset | Truncate | Throttle
