"""Back-pressure: which topics rest while too much is unsettled, and when they go on.

A record belongs to all destinations that it goes to, so what a stuck destination can be kept from filling is found
where records come in: by topic. Of several topics each has a part of the bound that no other can take; the rest goes to
whoever comes first. So what waits for one destination never stops a topic that has no route to it.
"""

from collections.abc import Iterable

import msgspec


class PressurePolicy(msgspec.Struct, frozen=True):
    """How much may be unsettled. `resume_at` is the share at which polling goes on: a pause throws the prefetched
    records away, so it must not flutter, and with half of the bound the loop would idle meanwhile. `kept` is the share
    of the bound that several topics have for themselves, in equal parts."""

    max_pending: int = 20_000
    max_pending_bytes: int = 64 * 1024 * 1024
    resume_at: float = 0.8
    kept: float = 0.5


class Load:
    """What is unsettled of one topic: records and their bytes."""

    __slots__ = ("bytes", "records")

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0

    def add(self, records: int, size_bytes: int) -> None:
        """Records were taken in (or, negative, are settled)."""
        self.records += records
        self.bytes += size_bytes


class Pressure:
    """What is unsettled, by topic, and which topics rest. While some do, it is asked at each end of a request."""

    __slots__ = (
        "_common_bytes",
        "_common_records",
        "_loads",
        "_own_bytes",
        "_own_records",
        "policy",
        "resting",
    )

    def __init__(self, policy: PressurePolicy, topics: Iterable[str] = ()) -> None:
        self.policy = policy
        self._loads = {topic: Load() for topic in topics}
        self.resting: frozenset[str] = frozenset()
        """The topics that are not to be polled now."""
        self._divide()

    def of(self, topic: str) -> Load:
        """The topic's own load: keep it."""
        if topic not in self._loads:
            self._loads[topic] = Load()
            self._divide()
        return self._loads[topic]

    def _divide(self) -> None:
        policy, topics = self.policy, len(self._loads)
        kept = policy.kept if topics > 1 else 0.0
        self._own_records = policy.max_pending * kept / max(1, topics)
        self._own_bytes = policy.max_pending_bytes * kept / max(1, topics)
        self._common_records = policy.max_pending * (1.0 - kept)
        self._common_bytes = policy.max_pending_bytes * (1.0 - kept)

    def by_topic(self) -> dict[str, int]:
        """Unsettled records of each topic."""
        return {topic: load.records for topic, load in self._loads.items()}

    @property
    def records(self) -> int:
        """Of all topics."""
        return sum(load.records for load in self._loads.values())

    @property
    def bytes(self) -> int:
        """Of all topics."""
        return sum(load.bytes for load in self._loads.values())

    def turned(self) -> bool:
        """Whether `resting` changed just now."""
        own_records, own_bytes = self._own_records, self._own_bytes
        used_records = used_bytes = 0.0
        for load in self._loads.values():
            if load.records > own_records:
                used_records += load.records - own_records
            if load.bytes > own_bytes:
                used_bytes += load.bytes - own_bytes
        if self.resting:
            share = self.policy.resume_at
            stays_records = used_records > self._common_records * share
            stays_bytes = used_bytes > self._common_bytes * share
        elif used_records < self._common_records and used_bytes < self._common_bytes:
            return False
        else:
            share, stays_records, stays_bytes = 1.0, False, False
        full_records = used_records >= self._common_records
        full_bytes = used_bytes >= self._common_bytes
        resting = set()
        for topic, load in self._loads.items():
            if topic in self.resting:
                rests = (stays_records and load.records > own_records * share) or (
                    stays_bytes and load.bytes > own_bytes * share
                )
            else:
                rests = (full_records and load.records >= own_records) or (
                    full_bytes and load.bytes >= own_bytes
                )
            if rests:
                resting.add(topic)
        if resting == self.resting:
            return False
        self.resting = frozenset(resting)
        return True
