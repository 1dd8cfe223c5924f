"""The embedded broker serves what was produced, and the generator fills it without overrunning its reader."""

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer

from consumer.errors import BrokerError, FaultError
from consumer.sandbox.embedded import EmbeddedBroker
from consumer.sandbox.generator import (
    Kind,
    Mix,
    Plan,
    Produced,
    Stream,
    Target,
    generate,
    generate_in_child,
    user_event_schema,
)

TOPIC = "user-events"
PLAN = Plan(count=2_000, seed=3, schema_id=1, start_ms=1_770_000_000_000, mix=Mix(users=300))


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as embedded:
        yield embedded


@pytest.fixture
def reader(embedded: EmbeddedBroker) -> Iterator[Consumer]:
    reader = Consumer(
        {
            "bootstrap.servers": embedded.bootstrap_servers,
            "group.id": "readers",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
        }
    )
    embedded.create_topic(TOPIC)
    reader.subscribe([TOPIC])
    yield reader
    reader.close()


def read(reader: Consumer, count: int, timeout_s: float = 30.0) -> list[Message]:
    messages: list[Message] = []
    deadline_s = time.monotonic() + timeout_s
    while len(messages) < count and time.monotonic() < deadline_s:
        messages += [message for message in reader.consume(500, 0.2) if message.error() is None]
    return messages


def test_what_is_counted_as_produced_is_what_a_client_reads(
    embedded: EmbeddedBroker, reader: Consumer
) -> None:
    progress: list[int] = []

    produced = generate(PLAN, Target(embedded.bootstrap_servers, TOPIC), progress=progress.append)
    messages = read(reader, PLAN.count)

    assert produced.total == len(messages) == PLAN.count
    assert produced.tombstones == sum(message.value() is None for message in messages)
    assert produced.value_bytes == sum(len(message.value() or b"") for message in messages)
    assert progress == sorted(progress)
    assert progress[-1] == PLAN.count
    sent = list(Stream(PLAN, user_event_schema()))
    assert Counter((message.key(), message.value()) for message in messages) == Counter(
        (emission.key, emission.value) for emission in sent
    )
    assert produced.by_kind == Counter(emission.kind for emission in sent)
    assert sum(message.headers() is not None for message in messages) == sum(
        emission.headers is not None for emission in sent
    )


def test_a_users_events_are_on_one_partition_in_the_order_of_the_stream(
    embedded: EmbeddedBroker, reader: Consumer
) -> None:
    generate(PLAN, Target(embedded.bootstrap_servers, TOPIC))

    read_by_key: dict[bytes, list[bytes | None]] = {}
    partitions: dict[bytes, set[int | None]] = {}
    for message in read(reader, PLAN.count):
        key = message.key()
        if isinstance(key, bytes):
            value = message.value()
            read_by_key.setdefault(key, []).append(value if isinstance(value, bytes) else None)
            partitions.setdefault(key, set()).add(message.partition())

    sent_by_key: dict[bytes, list[bytes | None]] = {}
    for emission in Stream(PLAN, user_event_schema()):
        if emission.key is not None:
            sent_by_key.setdefault(emission.key, []).append(emission.value)
    assert read_by_key == sent_by_key
    assert {len(found) for found in partitions.values()} == {1}


def test_a_child_process_produces_the_same_and_reports_to_its_parent(embedded: EmbeddedBroker) -> None:
    progress: list[int] = []

    produced = generate_in_child(PLAN, Target(embedded.bootstrap_servers, TOPIC), progress=progress.append)

    assert produced.total == progress[-1] == PLAN.count
    assert produced.by_kind == Counter(emission.kind for emission in Stream(PLAN, user_event_schema()))


def test_a_child_that_fails_says_why_in_its_parent() -> None:
    with EmbeddedBroker() as gone:
        target = Target(gone.bootstrap_servers, TOPIC, connect_timeout_s=0.5)

    with pytest.raises(BrokerError, match="no answer from 127"):
        generate_in_child(PLAN, target)


def test_a_child_that_is_killed_is_a_fault_of_its_own(embedded: EmbeddedBroker) -> None:
    def kill(acknowledged: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(FaultError, match="exit code -9"):
        generate_in_child(PLAN, Target(embedded.bootstrap_servers, TOPIC, rate=100), progress=kill)


def test_a_child_is_stopped_through_its_parent(embedded: EmbeddedBroker) -> None:
    seen: list[int] = []

    produced = generate_in_child(
        PLAN,
        Target(embedded.bootstrap_servers, TOPIC, rate=500),
        progress=seen.append,
        stop=lambda: bool(seen),
    )

    assert sum(mark.high for mark in embedded.watermarks(TOPIC).values()) == produced.total < PLAN.count


def test_a_stream_that_is_stopped_counts_what_it_produced(embedded: EmbeddedBroker) -> None:
    seen: list[int] = []

    produced = generate(
        PLAN,
        Target(embedded.bootstrap_servers, TOPIC),
        progress=seen.append,
        stop=lambda: len(seen) >= 5,
    )

    marks = embedded.watermarks(TOPIC).values()
    assert produced.total == sum(mark.high for mark in marks) < PLAN.count


def test_a_rate_is_kept(embedded: EmbeddedBroker) -> None:
    plan = Plan(count=50, seed=1, schema_id=1, start_ms=0)

    produced = generate(plan, Target(embedded.bootstrap_servers, TOPIC, rate=100))

    assert produced.total == 50
    assert produced.seconds >= 0.49


def in_background(work: Callable[[], Produced]) -> tuple[threading.Thread, list[Produced]]:
    results: list[Produced] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def test_producing_waits_for_the_group_and_no_record_is_dropped(
    embedded: EmbeddedBroker, reader: Consumer
) -> None:
    plan = Plan(count=12_000, seed=3, schema_id=1, start_ms=0)
    limit_bytes = 256 * 1024
    target = Target(
        embedded.bootstrap_servers,
        TOPIC,
        {"queue.buffering.max.messages": "500"},
        wait_for_group="readers",
        backlog_bytes=limit_bytes,
    )

    producing, results = in_background(lambda: generate(plan, target))
    total, largest_unread = 0, 0
    while total < plan.count:
        messages = read(reader, 1)
        assert messages, "the generator waits although everything is read"
        largest_unread = max(largest_unread, *embedded.unread(TOPIC, "readers").values())
        total += len(messages)
        reader.commit(asynchronous=False)
    producing.join(30)

    assert results[0].total == plan.count
    # Values are 300 bytes and more; what is on its way comes on top.
    assert largest_unread < limit_bytes / 300 + 500
    assert [mark.low for mark in embedded.watermarks(TOPIC).values()] == [0] * 4
    assert set(embedded.unread(TOPIC, "readers").values()) == {0}


def test_a_group_that_stands_still_ends_the_wait_with_its_name(embedded: EmbeddedBroker) -> None:
    plan = Plan(count=50_000, seed=3, schema_id=1, start_ms=0)
    target = Target(
        embedded.bootstrap_servers, TOPIC, wait_for_group="idle", backlog_bytes=1_000, stall_timeout_s=0.2
    )

    with pytest.raises(FaultError, match="idle committed nothing on user-events"):
        generate(plan, target)


def test_it_drops_the_oldest_records_and_its_low_mark_says_so(embedded: EmbeddedBroker) -> None:
    errors: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": embedded.bootstrap_servers, "batch.size": 100_000})
    for _ in range(70):
        producer.produce(TOPIC, b"x" * 100_000, key=b"one", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0

    assert errors == [None] * 70
    low, high = max(embedded.watermarks(TOPIC).values(), key=lambda mark: mark.high)
    assert high == 70
    assert 0 < low < 70


def test_a_topic_is_there_after_it_was_created_with_four_partitions(embedded: EmbeddedBroker) -> None:
    assert embedded.create_topic("fresh") == 4
    assert embedded.create_topic("fresh") == 4
    assert embedded.watermarks("fresh") == dict.fromkeys(range(4), (0, 0))
    assert embedded.committed("fresh", "nobody") == {}


def test_several_brokers_are_all_named() -> None:
    with EmbeddedBroker(brokers=3) as embedded:
        assert len(set(embedded.bootstrap_servers.split(","))) == 3


def test_nothing_answers_after_it_is_closed() -> None:
    with EmbeddedBroker() as embedded:
        address = embedded.bootstrap_servers
    embedded.close()

    with pytest.raises(BrokerError, match="no answer"):
        generate(PLAN, Target(address, TOPIC, connect_timeout_s=0.5))


def test_summaries_add_up() -> None:
    produced = Produced(
        seed=1,
        by_kind={Kind.PLAIN: 10, Kind.DUPLICATE: 2, Kind.TRUNCATED: 3, Kind.TOMBSTONE: 4},
        by_payload={"Engagement": 12},
        value_bytes=100,
        seconds=0.5,
    )

    assert produced.as_dict() == {
        "seed": 1,
        "total": 19,
        "events": 12,
        "distinct_event_ids": 10,
        "duplicates": 2,
        "undecodable": 3,
        "tombstones": 4,
        "by_kind": {"plain": 10, "duplicate": 2, "truncated": 3, "tombstone": 4},
        "by_payload": {"Engagement": 12},
        "value_bytes": 100,
        "seconds": 0.5,
        "records_per_second": 38,
    }
