"""A Kafka cluster with one topic, as far as transactions go: epochs, markers, the last stable offset.

What a producer sends can be on the wire when its process is killed. `wire` says what becomes of it: it is
lost, it arrives before the successor claims the topic, or when the successor has read the topic back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException

from tests.unit.operations.fate import Fate, Killed

TOPIC = "visits"
Wire = Literal["lost", "before the claim", "after the reading"]


class State(Enum):
    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(slots=True)
class Transaction:
    epoch: int
    state: State = State.OPEN


@dataclass(frozen=True, slots=True)
class Stored:
    """A record, or a marker (without a key), which takes an offset and is never handed out."""

    transaction: Transaction
    key: bytes | None = None
    value: bytes | None = None


@dataclass(slots=True)
class Cluster:
    wire: Wire = "lost"
    partitions: list[list[Stored]] = field(default_factory=lambda: [[], [], []])
    epoch: int = 0
    open: Transaction | None = None
    fenced: int = 0
    _under_way: list[Callable[[], None]] = field(default_factory=list)

    def committed(self) -> list[bytes]:
        """What a reader of committed records gets, of all partitions."""
        return [stored.value or b"" for number in range(3) for _, stored in self.readable(number)]

    def readable(self, number: int) -> list[tuple[int, Stored]]:
        """A partition's committed records before its last stable offset, with their offsets."""
        log = self.partitions[number][: self.stable_end(number)]
        return [
            (offset, stored)
            for offset, stored in enumerate(log)
            if stored.key is not None and stored.transaction.state is State.COMMITTED
        ]

    def stable_end(self, number: int) -> int:
        log = self.partitions[number]
        still_open = (o for o, stored in enumerate(log) if stored.transaction.state is State.OPEN)
        return next(still_open, len(log))

    def claim(self) -> int:
        """InitProducerId: a new epoch; what an earlier one has open is aborted."""
        if self.wire == "before the claim":
            self.deliver()
        self.epoch += 1
        self._end(State.ABORTED)
        return self.epoch

    def store(self, epoch: int, key: bytes, value: bytes) -> None:
        self._check(epoch)
        if self.open is None:
            self.open = Transaction(epoch)
        self.partitions[sum(key) % 3].append(Stored(self.open, key, value))

    def finish(self, epoch: int, state: State) -> None:
        self._check(epoch)
        self._end(state)

    def send(self, fate: Fate, name: str, request: Callable[[], None]) -> None:
        """A request of a producer. Killed before it left: nothing; killed while it is on the wire: `wire`."""
        fate.step(f"before {name}")
        try:
            fate.step(f"{name} on the wire")
        except Killed:
            if self.wire != "lost":
                self._under_way.append(request)
            raise
        request()
        fate.step(f"after {name}")

    def deliver(self) -> None:
        """What was on the wire arrives; a refusal reaches nobody any more."""
        under_way, self._under_way = self._under_way, []
        for request in under_way:
            try:
                request()
            except KafkaException:
                self.fenced += 1

    def _check(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise KafkaException(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH))

    def _end(self, state: State) -> None:
        if self.open is None:
            return
        self.open.state = state
        for log in self.partitions:
            if any(stored.transaction is self.open for stored in log):
                log.append(Stored(self.open))
        self.open = None


class FakeMessage:
    """As much of a Message as is looked at."""

    def __init__(self, number: int, offset: int, stored: Stored | None) -> None:
        self._number, self._offset, self._stored = number, offset, stored

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF) if self._stored is None else None

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return self._number

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def key(self) -> bytes | None:
        return self._stored.key if self._stored else None

    def value(self) -> bytes | None:
        return self._stored.value if self._stored else None

    def headers(self) -> None:
        return None


class FakeWriter:
    """A transactional producer. librdkafka sends what is produced when it likes: here at once."""

    def __init__(self, cluster: Cluster, fate: Fate) -> None:
        self._cluster, self._fate = cluster, fate
        self._epoch = 0

    def init_transactions(self, timeout: float = 0.0, /) -> None:
        self._fate.step("before claim")
        self._epoch = self._cluster.claim()
        self._fate.step("after claim")

    def begin_transaction(self) -> None:
        self._fate.step("begin")

    def produce(self, topic: str, /, value: bytes = b"", key: bytes = b"") -> None:
        epoch = self._epoch
        self._cluster.send(self._fate, "produce", lambda: self._cluster.store(epoch, key, value))

    def commit_transaction(self, timeout: float = 0.0, /) -> None:
        epoch = self._epoch
        self._cluster.send(self._fate, "commit", lambda: self._cluster.finish(epoch, State.COMMITTED))

    def abort_transaction(self, timeout: float = 0.0, /) -> None:
        epoch = self._epoch
        self._cluster.send(self._fate, "abort", lambda: self._cluster.finish(epoch, State.ABORTED))


class FakeReader:
    """A consumer that reads what is committed, two messages at a time."""

    def __init__(self, cluster: Cluster, fate: Fate) -> None:
        self._cluster, self._fate = cluster, fate
        self._next: dict[int, int] = {}
        self._told: dict[int, int] = {}

    def assign(self, partitions: list[Any], /) -> None:
        self._next = {one.partition: 0 for one in partitions}

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Any]:
        self._fate.step("consume")
        for number, position in self._next.items():
            ahead = [item for item in self._cluster.readable(number) if item[0] >= position]
            if ahead:
                self._next[number] = ahead[:2][-1][0] + 1
                return [FakeMessage(number, *item) for item in ahead[:2]]
            end = self._cluster.stable_end(number)
            if self._told.get(number) != end:
                self._told[number] = end
                return [FakeMessage(number, end, None)]
        return []

    def close(self) -> None:
        self._fate.step("close")
        if self._cluster.wire == "after the reading":
            self._cluster.deliver()


class FakeClients:
    """The clients of one process."""

    def __init__(self, cluster: Cluster, fate: Fate) -> None:
        self._cluster, self._fate = cluster, fate

    def writer(self) -> FakeWriter:
        return FakeWriter(self._cluster, self._fate)

    def reader(self) -> FakeReader:
        return FakeReader(self._cluster, self._fate)

    def ends(self) -> Mapping[int, int]:
        self._fate.step("ends")
        return {number: len(log) for number, log in enumerate(self._cluster.partitions)}
