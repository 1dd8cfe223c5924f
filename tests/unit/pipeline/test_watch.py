"""What the log says by itself: each thing once when it begins, and once when it is over."""

import logging
from collections.abc import Mapping

import pytest

from consumer.clock import ManualClock
from consumer.pipeline.watch import POLLING, View, Watch, WatchPolicy, ranges
from consumer.types import TopicPartition

FOUR = frozenset(TopicPartition("events", number) for number in range(4))
POLICY = WatchPolicy(progress_s=30.0, pause_s=10.0, again_s=10.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> Watch:
    caplog.set_level(logging.INFO, "consumer.watch")
    return Watch("group-1", clock, POLICY)


def view(
    *,
    joined: bool = True,
    partitions: frozenset[TopicPartition] = frozenset(),
    troubles: Mapping[str, str] | None = None,
    settled: int = 0,
) -> View:
    return View(joined, partitions, troubles or {}, consumed=settled + 2, settled=settled, in_flight=2, lag=7)


def test_joining_is_told_once_with_the_partitions(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    watch.look(view(joined=False))
    assert caplog.messages == []
    for _ in range(3):
        watch.look(view(partitions=FOUR))
    assert caplog.messages == ["joined the group group-1 and has 4 partitions: events 0-3"]


def test_every_change_of_the_partitions_is_told(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    watch.look(view())
    watch.look(view(partitions=FOUR))
    watch.look(view(partitions=frozenset({TopicPartition("events", 2)})))
    assert caplog.messages == [
        "joined the group group-1 and has no partition",
        "now has 4 partitions: events 0-3",
        "now has 1 partition: events 2",
    ]


def test_a_trouble_is_told_when_it_begins_and_when_it_is_over(
    watch: Watch, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    watch.look(view())
    caplog.clear()
    for _ in range(12):
        watch.look(view(troubles={"destination client": "halted: 401"}))
        clock.advance(1.0)
    watch.look(view())
    watch.look(view())

    assert caplog.messages == ["destination client: halted: 401", "destination client: over, after 12 s"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]
    assert [vars(record)["state"] for record in caplog.records] == ["on", "over"]


def test_another_reason_is_told_but_not_at_each_change(
    watch: Watch, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    watch.look(view())
    caplog.clear()
    for second in range(25):
        watch.look(view(troubles={"ledger": "locked" if second % 2 else "full"}))
        clock.advance(1.0)

    assert caplog.messages == ["ledger: full", "ledger: locked", "ledger: full"]


def test_short_rests_of_the_polling_are_no_news(
    watch: Watch, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    watch.look(view())
    caplog.clear()
    for _ in range(5):
        watch.look(view(troubles={POLLING: "paused"}))
        clock.advance(9.0)
        watch.look(view())
    watch.look(view(troubles={POLLING: "paused"}))
    clock.advance(10.0)
    watch.look(view(troubles={POLLING: "paused"}))
    watch.look(view())

    assert [text for text in caplog.messages if text != "progress"] == [
        "polling: paused",
        "polling: over, after 10 s",
    ]


def test_progress_is_told_now_and_then_and_not_while_nothing_moves(
    watch: Watch, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for settled in (0, 300, 900, 900, 900):
        watch.look(view(joined=False, settled=settled))
        clock.advance(30.0)

    told = [(vars(record)["settled"], vars(record)["settled_per_second"]) for record in caplog.records]
    assert told == [(300, 10.0), (900, 20.0)]
    assert vars(caplog.records[-1])["lag"] == 7


def test_partitions_are_named_shortly() -> None:
    numbers = [TopicPartition("b", 0), *(TopicPartition("a", number) for number in (7, 0, 1, 3, 2))]
    assert ranges(numbers) == "a 0-3 7, b 0"
