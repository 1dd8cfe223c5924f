"""The log that is its writer's memory: read to the true end, or not at all."""

import pytest

from consumer.clock import ManualClock
from consumer.errors import BrokerError, StoppedError
from consumer.kafka.transactional_log import Entry, LogPolicy, TransactionalLog
from tests.unit.operations.cluster import TOPIC, Cluster, FakeClients, State, Stored, Transaction
from tests.unit.operations.fate import Fate

ENTRIES = [Entry(bytes([number]), b"value %d" % number) for number in range(5)]


def log_of(cluster: Cluster, clock: ManualClock | None = None) -> TransactionalLog:
    clock = clock or ManualClock()
    policy = LogPolicy(stall_timeout_s=30.0)
    return TransactionalLog(TOPIC, FakeClients(cluster, Fate()), policy, monotonic_s=clock.monotonic_s)


def read(log: TransactionalLog) -> list[bytes | None]:
    values: list[bytes | None] = []
    while (records := log.read()) is not None:
        values += [record.value for record in records]
    return values


def opened(cluster: Cluster) -> TransactionalLog:
    log = log_of(cluster)
    log.claim()
    read(log)
    return log


def test_what_was_appended_is_read_back_by_the_next() -> None:
    cluster = Cluster()
    opened(cluster).append(ENTRIES)

    log = log_of(cluster)
    log.claim()

    assert sorted(value or b"" for value in read(log)) == [entry.value for entry in ENTRIES]


def test_an_empty_topic_is_read_at_once() -> None:
    log = log_of(Cluster())
    log.claim()

    assert log.read() is None


def test_another_programs_open_transaction_is_waited_for() -> None:
    # What is behind it may be ours. To take the last stable offset for the end would write it again.
    cluster = Cluster()
    theirs = Transaction(epoch=0)
    cluster.partitions[0].append(Stored(theirs, b"their key", b"their value"))
    cluster.open = None
    ours = Transaction(epoch=0, state=State.COMMITTED)
    cluster.partitions[0].append(Stored(ours, b"key", b"ours"))
    log = log_of(cluster)
    log.claim()

    assert [log.read() for _ in range(5)] == [[]] * 5
    theirs.state = State.ABORTED

    assert read(log) == [b"ours"]


def test_a_topic_that_cannot_be_read_to_its_end_is_given_up() -> None:
    cluster, clock = Cluster(), ManualClock()
    cluster.partitions[0].append(Stored(Transaction(epoch=0), b"their key", b"their value"))
    log = log_of(cluster, clock)
    log.claim()
    assert log.read() == []
    clock.advance(31.0)

    with pytest.raises(BrokerError, match=r"could not be read to its end.*nothing was written"):
        log.read()


def test_a_log_that_is_closed_in_the_middle_of_a_transaction_aborts_it() -> None:
    cluster = Cluster()
    log = opened(cluster)

    with pytest.raises(AttributeError):
        log.append([*ENTRIES, None])  # type: ignore[list-item]  # whatever goes wrong between begin and commit
    log.close()

    assert cluster.committed() == []
    assert cluster.open is None


def test_one_that_was_taken_over_says_so() -> None:
    cluster = Cluster()
    log = opened(cluster)
    opened(cluster)

    with pytest.raises(StoppedError, match="run one process a topic"):
        log.append(ENTRIES)

    assert cluster.committed() == []
