"""Draws each request's fault from the plan of its API."""

import enum
import random

from consumer.sandbox.simulator.faults import ApiFaults


class Fault(enum.Enum):
    """What happens to one request."""

    NONE = enum.auto()
    DROP = enum.auto()
    LOST_RESPONSE = enum.auto()
    TOO_MANY_REQUESTS = enum.auto()
    SERVER_ERROR = enum.auto()


class FaultDice:
    """One API's faults in the order of its requests.

    Faults and delays come from two sequences of their own, so that adding a jitter does not change which
    requests fail.
    """

    def __init__(self, faults: ApiFaults, *, seed: str) -> None:
        self._faults = faults
        self._fault_random = random.Random(f"{seed}/fault")
        self._delay_random = random.Random(f"{seed}/delay")
        self._slow = faults.latency_ms > 0 or faults.jitter_ms > 0
        self._shares = [
            (share, fault)
            for share, fault in (
                (faults.rate_drop, Fault.DROP),
                (faults.rate_lost_response, Fault.LOST_RESPONSE),
                (faults.rate_429, Fault.TOO_MANY_REQUESTS),
                (faults.rate_500, Fault.SERVER_ERROR),
            )
            if share > 0
        ]

    @property
    def retry_after_s(self) -> int:
        """For the Retry-After header of a 429."""
        return self._faults.retry_after_s

    def fault(self) -> Fault:
        """The next request's fault."""
        if not self._shares:
            return Fault.NONE
        drawn = self._fault_random.random()
        for share, fault in self._shares:
            if drawn < share:
                return fault
            drawn -= share
        return Fault.NONE

    def delay_s(self) -> float:
        """How long the next request waits before it takes effect."""
        if not self._slow:
            return 0.0
        faults = self._faults
        return (faults.latency_ms + faults.jitter_ms * self._delay_random.random()) / 1000
