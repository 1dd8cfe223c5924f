"""Where the traces of the protocol are played: partitions with records, processes of one group over one ledger, the
receivers, the dead letters, and what must hold at every turn of the loop. What a test needs to play is named here."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from consumer.ledger.ledger import Ledger
from consumer.ledger.memory_store import MemoryStore
from consumer.types import Record, TopicPartition
from tests.unit.pipeline.edges import Journal, LetterTopic
from tests.unit.pipeline.process import AGE_S, LEASE_S, Process
from tests.unit.pipeline.receiver import Receiver
from tests.unit.pipeline.records import (
    GARBAGE,
    OTHER,
    OTHER_TOPIC,
    P0,
    P1,
    TOPIC,
    Registry,
    framed,
    saying,
)
from tests.unit.pipeline.virtual_time import loop

__all__ = [
    "AGE_S",
    "GARBAGE",
    "LEASE_S",
    "OTHER",
    "OTHER_TOPIC",
    "P0",
    "P1",
    "TOPIC",
    "Process",
    "Stage",
    "framed",
    "saying",
]


@dataclass
class Stage:
    """The world outside of the processes."""

    receiver: Receiver = field(default_factory=Receiver)
    store: MemoryStore = field(default_factory=MemoryStore)
    open_ledger: Callable[[], Ledger] | None = None
    """Another ledger for each process than the one in memory over `store`."""
    registry: Registry = field(default_factory=Registry)
    deadly: set[bytes] = field(default_factory=set)
    """Values that a process dies of when it decodes them."""
    journal: Journal = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(1))
    logs: dict[TopicPartition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    members: dict[TopicPartition, Process] = field(default_factory=dict)
    """Who has which partition, as the broker sees it."""
    dubious: Counter[str] = field(default_factory=Counter)
    """By destination, how many sent records had no answer that was clear and in time: each may come twice."""

    def __post_init__(self) -> None:
        self.letters = LetterTopic(self.journal)
        loop().each_turn = self.check

    # --- records ---

    def say(
        self,
        id: str,
        user: str = "ann",
        *,
        key: str | None = "",
        to: Sequence[str] = ("distinct",),
        partition: TopicPartition = P0,
        at_min: float | None = None,
        how: str = "matched",
        ordered: bool = True,
        record_key: bytes | None = b"",
    ) -> Record:
        """Produce a record. `to`: destinations, or `client/alias` and so on; `key`: the event's id, None for a route
        without keys; `at_min`: it is an open, at this minute."""
        routes = [
            {
                "to": name,
                "user": user,
                "id": id,
                "key": id if key == "" else key,
                "at_min": at_min,
                "how": how,
                "ordered": ordered,
            }
            for name in to
        ]
        return self.produce(
            framed(saying(user, routes)), record_key if record_key != b"" else user.encode(), partition
        )

    def produce(
        self, value: bytes | None, key: bytes | None = b"k", partition: TopicPartition = P0, gap: int = 0
    ) -> Record:
        """Any bytes as a record; `gap` offsets before it hold none."""
        log = self.logs[partition]
        offset = (log[-1].offset + 1 if log else 0) + gap
        record = Record(partition.topic, partition.partition, offset, 0, key, value, None)
        log.append(record)
        return record

    def process(self, name: str = "", **policies: Any) -> Process:
        one = Process(self, name or f"process-{len(self.processes) + 1}", **policies)
        self.processes.append(one)
        return one

    # --- what must hold at every turn ---

    def check(self) -> None:
        for one in self.processes:
            one.check()

    @property
    def delivered(self) -> dict[str, int]:
        """By destination, in all processes."""
        return {
            name: sum(one.books.destinations[name].delivered for one in self.processes)
            for name in ("distinct", "client")
        }

    def check_receiver(self, *, whole: bool = True) -> None:
        """The books beside the receiver's own; `whole`: no process took its books with it."""
        for name, accepted in self.receiver.accepted.items():
            arrived = accepted.total() - self.receiver.duplicates(name)
            books = [one.books.destinations[name] for one in self.processes]
            delivered = sum(one.delivered for one in books)
            in_doubt = sum(one.in_doubt for one in books)
            assert delivered <= arrived, (name, delivered, arrived)
            assert not whole or arrived <= delivered + in_doubt, (name, delivered, arrived, in_doubt)

    def names(self, *events: str) -> list[str]:
        """The journal's events of these kinds, in order."""
        return [name for name, _ in self.journal if name in events]

    def happened(self, *events: str) -> list[tuple[str, Any]]:
        return [entry for entry in self.journal if entry[0] in events]
