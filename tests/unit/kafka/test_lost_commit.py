"""What is done where the ledger knows a position and the broker has no commit any more."""

import pytest

from consumer.errors import StoppedError
from consumer.kafka.gaps import cross_lost_commit
from consumer.types import TopicPartition

PLACE = TopicPartition("events", 3)


def test_it_stops_and_says_both_ways_on() -> None:
    with pytest.raises(StoppedError) as stopped:
        cross_lost_commit(PLACE, 10, (2, 40), "stop")

    for part in (
        "events[3]",
        "up to 10",
        "created anew",
        "on_gap: earliest",
        "from offset 2",
        "--to-offset 10",
    ):
        assert part in str(stopped.value)


def test_with_on_gap_earliest_it_begins_at_the_first_offset_and_says_so() -> None:
    first, text = cross_lost_commit(PLACE, 10, (2, 40), "earliest")

    assert first == 2
    assert "created anew" in text and "from offset 2" in text
