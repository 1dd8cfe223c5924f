"""A topic that one writer extends by transactions, and whose content is that writer's memory.

Why nothing is lost or written twice, wherever the writer is killed:

- `claim` comes first. It takes over the transactional id: what an earlier writer had begun is aborted, what it
  had half committed is completed, and from then on the broker refuses whatever that writer still sends.
- `read` comes second, to the end: so it sees every record that will ever come from earlier writers.
- `append` writes all of its entries or none. Where it fails, its outcome is not known here: the log is then of
  no use any more, and a new one, claimed and read anew, has the answer.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from consumer.errors import BrokerError, ConsumerError, StoppedError
from consumer.kafka.polled import Stretch, split
from consumer.kafka.trouble import Trouble, trouble
from consumer.types import Record, TopicPartition

_FENCED = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.TRANSACTION_COORDINATOR_FENCED,
    }
)


class Entry(msgspec.Struct, frozen=True):
    """One record to append."""

    key: bytes
    value: bytes


class LogPolicy(msgspec.Struct, frozen=True):
    """Bounds, in seconds. `stall_timeout_s`: how long reading back may bring nothing before it is given up."""

    call_timeout_s: float = 60.0
    abort_timeout_s: float = 10.0
    stall_timeout_s: float = 90.0
    poll_timeout_s: float = 0.5
    chunk_records: int = 1000


class Writer(Protocol):
    """What is used of a transactional producer; confluent_kafka.Producer is one."""

    def init_transactions(self, timeout: float = ..., /) -> None: ...
    def begin_transaction(self) -> None: ...
    def produce(self, topic: str, /, value: bytes = ..., key: bytes = ...) -> None: ...
    def commit_transaction(self, timeout: float = ..., /) -> None: ...
    def abort_transaction(self, timeout: float = ..., /) -> None: ...


class Reader(Protocol):
    """What is used of a consumer that reads what is committed; confluent_kafka.Consumer is one."""

    def assign(self, partitions: list[KafkaPartition], /) -> None: ...
    def consume(self, num_messages: int = ..., timeout: float = ...) -> list[Message]: ...
    def close(self) -> None: ...


class LogClients(Protocol):
    """Where a log gets its clients. A new log needs new ones: a transactional producer can fail for good."""

    def writer(self) -> Writer: ...

    def reader(self) -> Reader: ...

    def ends(self) -> Mapping[int, int]:
        """The offset after the last record of each partition, whether that is committed or not."""
        ...


class TransactionalLog:
    """One writer's time with the topic: claim, read to the end, append, close. Every call blocks.

    Raises StoppedError when another writer has claimed the topic since, BrokerError for every other trouble.
    """

    def __init__(
        self,
        topic: str,
        clients: LogClients,
        policy: LogPolicy | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topic
        self._clients = clients
        self._policy = policy or LogPolicy()
        self._monotonic_s = monotonic_s
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._unread: dict[int, int] = {}
        self._moved_at_s = 0.0
        self._in_transaction = False

    def claim(self) -> None:
        """Become the one writer of the topic."""
        try:
            self._writer = writer = self._clients.writer()
            writer.init_transactions(self._policy.call_timeout_s)
            # Only now: an end that was asked for before could lie before an earlier writer's last records.
            self._unread = {number: end for number, end in self._clients.ends().items() if end > 0}
            self._reader = self._clients.reader()
            self._reader.assign(
                [KafkaPartition(self._topic, number, OFFSET_BEGINNING) for number in self._unread]
            )
        except KafkaException as error:
            raise self._fault(error) from None
        self._moved_at_s = self._monotonic_s()

    def read(self) -> list[Record] | None:
        """More of what is committed, perhaps nothing yet; None when all that there was at `claim` has come."""
        if not self._unread:
            self._close_reader()
            return None
        assert self._reader is not None, "claim comes first"
        try:
            messages = self._reader.consume(self._policy.chunk_records, self._policy.poll_timeout_s)
        except KafkaException as error:
            raise self._fault(error) from None
        records: list[Record] = []
        for part in split(messages):
            if isinstance(part, Stretch):
                records += [record for run in part.runs.values() for record in run]
                self._take_ends(part.ends)
            else:
                self._take_event(part)
        if records or not self._unread:
            self._moved_at_s = self._monotonic_s()
        elif self._monotonic_s() - self._moved_at_s > self._policy.stall_timeout_s:
            # What is behind the transaction of somebody else could be ours: to go on would repeat it.
            raise BrokerError(
                f"the topic {self._topic} could not be read to its end: the broker is silent, or another "
                "program has a transaction open on it; nothing was written"
            )
        return records

    def append(self, entries: Sequence[Entry]) -> None:
        """Write all of them in one transaction. After an error this log is of no use any more."""
        assert self._writer is not None, "claim comes first"
        assert not self._unread, "what is not read yet is not known"
        writer = self._writer
        try:
            writer.begin_transaction()
            self._in_transaction = True
            for entry in entries:
                writer.produce(self._topic, value=entry.value, key=entry.key)
            writer.commit_transaction(self._policy.call_timeout_s)
        except BufferError:
            raise BrokerError("Kafka: the producer's queue is full") from None
        except KafkaException as error:
            raise self._fault(error) from None
        self._in_transaction = False

    def close(self) -> None:
        """End it; what is open is aborted, so that readers need not wait for it to time out. Idempotent."""
        self._close_reader()
        writer, self._writer = self._writer, None
        if writer is not None and self._in_transaction:
            # Whoever claims the topic next does it too: nothing depends on this one.
            with suppress(KafkaException):
                writer.abort_transaction(self._policy.abort_timeout_s)

    def _take_event(self, message: Message) -> None:
        error = message.error()
        assert error is not None, "only events come here"
        if trouble(error) not in (Trouble.END_OF_PARTITION, Trouble.PASSING):
            raise self._fault(KafkaException(error))

    def _take_ends(self, ends: Mapping[TopicPartition, int]) -> None:
        for partition, offset in ends.items():
            if offset >= self._unread.get(partition.partition, 0):
                self._unread.pop(partition.partition, None)

    def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _fault(self, error: KafkaException) -> ConsumerError:
        cause: Any = error.args[0]
        if isinstance(cause, KafkaError) and cause.code() in _FENCED:
            return StoppedError(
                f"another process writes visits to {self._topic} now, or this one stood still for longer than "
                "a transaction may take: nothing is lost or written twice; run one process a topic"
            )
        return BrokerError(f"Kafka, writing to {self._topic}: {cause}")
