"""One fault of a chaos run: what, when, for how long, and to whom."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can happen."""

    KILL = "SIGKILL and restart"
    STOP = "SIGTERM and restart"
    NAP = "SIGSTOP, shorter than the session"
    COMA = "SIGSTOP, longer than the session"
    RELOAD = "another topology, and SIGHUP"
    BROKER_RESTART = "broker restart"
    BROKER_CUT = "broker connections cut"
    REGISTRY = "registry outage"
    ERROR_500 = "endpoint answers 500"
    ERROR_401 = "endpoint answers 401"
    THROTTLE = "endpoint answers 429 with Retry-After"
    DROP = "endpoint drops connections"
    LOSE = "endpoint takes requests and loses answers"
    SLOW = "slow endpoint"
    FLOOD = "a flood of duplicates"


@dataclass(frozen=True, slots=True)
class Act:
    """`at_s` counts from the start of the run. `target` is the number of a member, or which endpoint."""

    at_s: float
    kind: Kind
    lasting_s: float = 0.0
    target: int = 0

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasting_s

    def __str__(self) -> str:
        lasting = f" for {self.lasting_s:.1f} s" if self.lasting_s else ""
        return f"{self.at_s:6.1f} s  {self.kind}{self._whom()}{lasting}"

    def _whom(self) -> str:
        if self.kind in MEMBER_KINDS:
            return f" (consumer {self.target + 1})"
        return f" ({ENDPOINTS[self.target]})" if self.kind in ENDPOINT_KINDS else ""


MEMBERS = 3
ENDPOINTS = ("user-analytics", "client")
"""The names of the destinations."""

MEMBER_KINDS = frozenset({Kind.KILL, Kind.STOP, Kind.NAP, Kind.COMA})
ENDPOINT_KINDS = frozenset({Kind.ERROR_500, Kind.ERROR_401, Kind.THROTTLE, Kind.DROP, Kind.LOSE, Kind.SLOW})
BROKER_KINDS = frozenset({Kind.BROKER_RESTART, Kind.BROKER_CUT})
