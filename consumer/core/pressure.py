"""Back-pressure: which topics rest while too much is unsettled, and when they go on.

A record belongs to all destinations that it goes to, so what a stuck destination can be kept from filling is found
where records come in: by topic. Of several topics each has a part of the bound that no other can take; the rest goes to
whoever comes first. So what waits for one destination never stops a topic that has no route to it.
"""

from collections.abc import Callable, Iterable

import msgspec


class PressurePolicy(msgspec.Struct, frozen=True):
    """How much may be unsettled. `resume_at` is the share at which polling goes on: pausing throws the prefetched
    records away, so it must not flutter. `kept` is the share of the bound that several topics have for themselves, in
    equal parts."""

    max_pending: int = 20_000
    max_pending_bytes: int = 64 * 1024 * 1024
    resume_at: float = 0.5
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
    """What is unsettled, by topic, and which topics rest."""

    __slots__ = ("_loads", "policy", "resting")

    def __init__(self, policy: PressurePolicy, topics: Iterable[str] = ()) -> None:
        self.policy = policy
        self._loads = {topic: Load() for topic in topics}
        self.resting: frozenset[str] = frozenset()
        """The topics that are not to be polled now."""

    def of(self, topic: str) -> Load:
        """The topic's own load: keep it."""
        return self._loads.setdefault(topic, Load())

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
        policy, before = self.policy, self.resting
        full_of_records = self._full(policy.max_pending, lambda load: load.records)
        full_of_bytes = self._full(policy.max_pending_bytes, lambda load: load.bytes)
        self.resting = full_of_records | full_of_bytes
        return self.resting != before

    def _full(self, most: int, amount: Callable[[Load], int]) -> frozenset[str]:
        """The topics that have used up their own part, when the common one is used up too."""
        loads = self._loads
        own = most * self.policy.kept / len(loads) if len(loads) > 1 else 0.0
        common = most - own * len(loads)
        used = sum(max(0.0, amount(load) - own) for load in loads.values())
        out = []
        for topic, load in loads.items():
            if topic in self.resting:
                share = self.policy.resume_at
                rests = amount(load) > own * share and used > common * share
            else:
                rests = amount(load) >= own and used >= common
            if rests:
                out.append(topic)
        return frozenset(out)
