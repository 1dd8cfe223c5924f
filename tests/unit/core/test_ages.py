"""The age of the oldest unsettled record: to within a chunk, at the price of a chunk."""

from consumer.core.ages import Ages
from consumer.core.offsets import OffsetTracker

NOW_MS = 1_800_000_000_000


def test_the_age_is_that_of_the_chunk_with_the_first_unsettled_record():
    ages = Ages()
    ages.add(0, NOW_MS - 90_000, NOW_MS, 0)
    ages.add(500, NOW_MS - 30_000, NOW_MS, 0)
    assert ages.age_s(0, NOW_MS) == 90.0
    assert ages.age_s(499, NOW_MS) == 90.0
    assert ages.age_s(500, NOW_MS) == 30.0
    assert ages.age_s(700, NOW_MS + 5_000) == 35.0


def test_a_record_without_a_timestamp_counts_from_when_it_was_taken_in():
    for none in (-1, 0):
        ages = Ages()
        ages.add(0, none, NOW_MS, 0)
        assert ages.age_s(0, NOW_MS + 4_000) == 4.0


def test_a_record_from_the_future_has_no_negative_age():
    ages = Ages()
    ages.add(0, NOW_MS + 60_000, NOW_MS, 0)
    assert ages.age_s(0, NOW_MS) == 0.0


def test_chunks_that_are_settled_are_forgotten_though_nobody_asks():
    ages, tracker = Ages(), OffsetTracker(0)
    for _ in range(1000):
        first = tracker.track(10)
        ages.add(first, NOW_MS, NOW_MS, tracker.oldest)
        for number in range(first, first + 10):
            tracker.settle(number, number)
    assert len(ages._chunks) <= 2
