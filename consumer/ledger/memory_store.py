"""The tables of the ledger in memory."""

from dataclasses import dataclass, field

import msgspec

from consumer.core.claims import Accepted, Holder, KeyState, Once
from consumer.ledger.owner import FORGET_MS
from consumer.types import Origin, TopicPartition


class Row(msgspec.Struct, frozen=True, gc=False):
    """One reservation: key and window in one row, so that they can't come apart."""

    holder: Holder
    token: int
    owner: int
    expires_ms: int
    once: Once | None


class Settled(msgspec.Struct, frozen=True, gc=False):
    """What became of a slot. Flat, because there are many and the garbage collector need not look at them."""

    state: KeyState
    topic: str
    partition: int
    offset: int
    expires_s: int
    topology: str

    @property
    def origin(self) -> Origin:
        return Origin(self.topic, self.partition, self.offset)


@dataclass(slots=True)
class MemoryStore:
    """Plain tables, and what keeps them together. Shared by the ledgers that stand for processes.

    Expired rows stay until `sweep` comes by, so whoever reads hands in the time.
    """

    reserved: dict[bytes, Row] = field(default_factory=dict)
    rivals: dict[bytes, set[bytes]] = field(default_factory=dict)
    """Scope to the slots reserved in it."""
    owners: dict[int, int] = field(default_factory=dict)
    """Owner to when its lease ends, in milliseconds of the monotonic clock."""
    epochs: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    positions: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    horizons: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    starts: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)
    _settled: dict[bytes, Settled] = field(default_factory=dict)
    _letters: dict[tuple[bytes, Holder], int] = field(default_factory=dict)
    _windows: dict[bytes, dict[Accepted, int]] = field(default_factory=dict)

    def reserve(self, slot: bytes, row: Row) -> None:
        """File a reservation in place of the slot's own of before."""
        self.end(slot)
        self.reserved[slot] = row
        if row.once is not None:
            self.rivals.setdefault(row.once.scope, set()).add(slot)

    def end(self, slot: bytes) -> None:
        """Delete the slot's reservation, key and window, if there is one."""
        row = self.reserved.pop(slot, None)
        if row is not None and row.once is not None:
            rivals = self.rivals[row.once.scope]
            rivals.discard(slot)
            if not rivals:
                del self.rivals[row.once.scope]

    def confirm(self, key: bytes, origin: Origin, now_s: float, expires_s: int, topology: str) -> None:
        """The key has arrived, unless it had already."""
        standing = self.settled(key, now_s)
        if standing is None or standing.state is not KeyState.CONFIRMED:
            self._settled[key] = Settled(KeyState.CONFIRMED, *origin, expires_s, topology)

    def bury(self, slot: bytes, holder: Holder, expires_s: int, topology: str) -> None:
        """This holder of the slot was dead-lettered. Others may come and go; its own letter stays."""
        self._settled[slot] = Settled(KeyState.DEAD_LETTERED, *holder.origin, expires_s, topology)
        self._letters[slot, holder] = expires_s

    def settled(self, slot: bytes, now_s: float) -> Settled | None:
        """What became of the slot, if that is still kept."""
        row = self._settled.get(slot)
        return row if row is not None and row.expires_s > now_s else None

    def buried(self, slot: bytes, holder: Holder, now_s: float) -> bool:
        """Whether this very holder was dead-lettered."""
        return self._letters.get((slot, holder), 0) > now_s

    def accept(self, once: Once, holder: Holder, expires_s: int) -> None:
        """The holder occupies its window."""
        window = Accepted(once.at_ms, holder)
        windows = self._windows.setdefault(once.scope, {})
        windows[window] = max(expires_s, windows.get(window, expires_s))

    def accepted(self, scope: bytes, now_s: float) -> list[Accepted]:
        """Who occupies windows of the scope."""
        return [row for row, expires_s in self._windows.get(scope, {}).items() if expires_s > now_s]

    def sweep(self, now_ms: int, now_s: float) -> None:
        """Drop what has expired, and owners that lapsed an hour ago. Its time grows with what is kept."""
        self._settled = {slot: row for slot, row in self._settled.items() if row.expires_s > now_s}
        self._letters = {letter: at_s for letter, at_s in self._letters.items() if at_s > now_s}
        live = {scope: self._live_windows(scope, now_s) for scope in self._windows}
        self._windows = {scope: windows for scope, windows in live.items() if windows}
        self.owners = {owner: at_ms for owner, at_ms in self.owners.items() if at_ms > now_ms - FORGET_MS}
        for slot in [slot for slot, row in self.reserved.items() if row.owner not in self.owners]:
            self.end(slot)

    def _live_windows(self, scope: bytes, now_s: float) -> dict[Accepted, int]:
        return {row: expires_s for row, expires_s in self._windows[scope].items() if expires_s > now_s}
