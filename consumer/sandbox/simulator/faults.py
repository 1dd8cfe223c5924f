"""What goes wrong on purpose, as data: rates and delays an API, drawn by one seed."""

import msgspec


class ApiFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of one API. Rates are shares of the requests and exclude each other: together at most 1."""

    latency_ms: float = 0.0
    """Waited before the request takes effect."""
    jitter_ms: float = 0.0
    """Up to this much more, evenly spread."""
    rate_429: float = 0.0
    retry_after_s: int = 1
    """The Retry-After header of a 429."""
    rate_500: float = 0.0
    rate_drop: float = 0.0
    """The connection is closed without an answer and nothing is stored."""
    rate_lost_response: float = 0.0
    """The request takes effect, then the connection is closed without an answer."""

    def __post_init__(self) -> None:
        rates = (self.rate_429, self.rate_500, self.rate_drop, self.rate_lost_response)
        if min(rates) < 0 or sum(rates) > 1:
            raise ValueError("the fault rates must be at least 0 and together at most 1")
        if min(self.latency_ms, self.jitter_ms, self.retry_after_s) < 0:
            raise ValueError("latency_ms, jitter_ms and retry_after_s must not be negative")


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of every API.

    The n-th request of an API meets the same fault whenever seed and rates are the same.
    """

    seed: int = 0
    user_analytics: ApiFaults = ApiFaults()
    capture_analytics: ApiFaults = ApiFaults()
    touchpoint_metrics: ApiFaults = ApiFaults()
    event_api: ApiFaults = ApiFaults()
    client_api: ApiFaults = ApiFaults()

    @classmethod
    def everywhere(cls, faults: ApiFaults, *, seed: int) -> "FaultPlan":
        """The same faults at every API, each with a sequence of its own."""
        return cls(seed=seed, **{name: faults for name in cls.__struct_fields__ if name != "seed"})
