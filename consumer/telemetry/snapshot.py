"""How the process stands at one moment, as the metrics show it."""

from collections.abc import Mapping, Sequence, Set

import msgspec

from consumer.core.books import Books
from consumer.types import TopicPartition


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """One assigned partition.

    `lag_records`: the end of the partition minus the committed offset; `lag_s`: the age of the oldest record
    that is not settled, by its own timestamp. None: not known (yet).
    """

    partition: TopicPartition
    lag_records: int | None = None
    lag_s: float | None = None
    unsettled: int = 0
    stuck: bool = False
    """It has stood for long without a known reason."""


class DestinationState(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's gate. Why it is halted is in /status only: reasons are text, not labels."""

    halted: bool = False
    paused: bool = False
    requests_in_flight: int = 0
    concurrency_limit: int = 0
    throttled: int = 0
    """How many answers asked for less, so far."""
    unclear: int = 0
    """How many attempts ended without a clear answer, so far."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that is counted where it happens anyway: taken when somebody asks, so it costs the flow nothing.

    What is a count only ever rises while the process lives.
    """

    books: Books
    destinations: Mapping[str, DestinationState]
    partitions: Sequence[PartitionLag] = ()
    pending_records: int = 0
    pending_bytes: int = 0
    max_pending_records: int = 0
    max_pending_bytes: int = 0
    resting_topics: Set[str] = frozenset()
    """Those that are not polled, as the bound is reached."""
    decoding_halted: bool = False
    ledger_answers: bool = True
    ledger_alarms: int = 0
    """How often the broker was found ahead of the ledger."""
    rebalances: int = 0
    commits_ok: int = 0
    commits_failed: int = 0
    dead_letters: Mapping[tuple[str, str], int] = {}
    """Letters by (destination, reason)."""
    dead_letters_unwritable: bool = False
    topology_version: str = ""
    differences: Sequence[int] = ()
    """What the audit of the books misses, wherever; /status says where."""
    stuck_lanes: Mapping[str, int] = {}
    """By destination."""
    stalls: Mapping[str, int] = {}
    """How often each thread or store has stalled, by its name."""
    stalled: Set[str] = frozenset()
    """Those that are stalled now."""
