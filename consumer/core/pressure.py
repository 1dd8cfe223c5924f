"""Back-pressure: when to stop polling, and when to go on."""

import msgspec


class PressurePolicy(msgspec.Struct, frozen=True):
    """How much may be unsettled. `resume_at` is the share of both at which polling goes on: pausing throws the
    prefetched records away, so it must not flutter."""

    max_pending: int = 20_000
    max_pending_bytes: int = 64 * 1024 * 1024
    resume_at: float = 0.5


class Pressure:
    """What is unsettled: records and their bytes."""

    __slots__ = ("bytes", "paused", "policy", "records")

    def __init__(self, policy: PressurePolicy) -> None:
        self.policy = policy
        self.records = 0
        self.bytes = 0
        self.paused = False

    def add(self, records: int, size_bytes: int) -> None:
        """Records were taken in (or, negative, are settled)."""
        self.records += records
        self.bytes += size_bytes

    def turned(self) -> bool:
        """Whether `paused` changed just now."""
        policy = self.policy
        if self.paused:
            share = policy.resume_at
            over = self.records > policy.max_pending * share or self.bytes > policy.max_pending_bytes * share
        else:
            over = self.records >= policy.max_pending or self.bytes >= policy.max_pending_bytes
        changed = over != self.paused
        self.paused = over
        return changed
