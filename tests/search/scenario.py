"""What one search plays: the records, and how much trouble there may be."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from consumer.core.claims import Once
from consumer.types import Origin, Record, TopicPartition

TOPIC = "t"
ROUTE = "r"
VERSION = "v1"
MINUTE_MS = 60_000


class Said(NamedTuple):
    """One record. `event` names its key; `minute`: it is an open, at this minute; `guilty`: the receiver refuses it."""

    partition: int
    event: str
    user: str
    minute: int | None = None
    guilty: bool = False


class Budget(NamedTuple):
    """How often each trouble may come, in one run of the world."""

    crash: int = 0
    revoke: int = 0
    steal: int = 0
    """A partition goes to another process before the one that had it knows: a lost assignment."""
    lose_answer: int = 0
    """The receiver took it, and the answer never came."""
    break_answer: int = 0
    """An unclear answer, and nothing taken."""
    store_part: int = 0
    """The receiver took only the first of an array, and answered unclearly."""
    halt: int = 0
    deadline: int = 0
    """A drain runs out of time."""
    stall: int = 0
    """A process that lives is silent for longer than its lease."""
    letter_fails: int = 0
    flush: int = 0
    """The ledger loses all it knew."""
    reload: int = 0
    redrive: int = 0
    late: int = 0
    """A request whose process gave it up or died is taken by the receiver afterwards."""


@dataclass(frozen=True)
class Scenario:
    """The bounds of one search."""

    name: str
    records: tuple[Said, ...]
    budget: Budget
    processes: int = 2
    max_items: int = 1
    max_in_flight: int = 2
    unclear_votes: int = 2
    chunk: int = 1
    """How many records one poll gives at most."""
    owners: tuple[int, ...] = (0, 1)
    """Which process each partition goes to first."""
    logs: tuple[tuple[Record, ...], ...] = field(init=False)
    said: dict[Origin, Said] = field(init=False)
    events: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        logs: list[list[Record]] = [[] for _ in self.owners]
        said: dict[Origin, Said] = {}
        for one in self.records:
            log = logs[one.partition]
            record = Record(TOPIC, one.partition, len(log), 1, one.user.encode(), b"x", None)
            log.append(record)
            said[record.origin] = one
        object.__setattr__(self, "logs", tuple(tuple(log) for log in logs))
        object.__setattr__(self, "said", said)
        object.__setattr__(self, "events", tuple(sorted({one.event for one in self.records})))

    def __str__(self) -> str:
        troubles = {name: count for name, count in self.budget._asdict().items() if count}
        return f"{self.name}: {len(self.records)} records, {troubles}"

    @property
    def partitions(self) -> int:
        return len(self.owners)


def key_of(said: Said) -> bytes:
    return blake2b(said.event.encode(), digest_size=16).digest()


def once_of(said: Said) -> Once | None:
    return None if said.minute is None else Once(b"opens", said.minute * MINUTE_MS, 20 * MINUTE_MS)


def place(partition: int) -> TopicPartition:
    return TopicPartition(TOPIC, partition)
