"""The audit of the books names where two counts differ, and says nothing where they agree."""

import pytest

from consumer.core.audit import Counts, audit
from consumer.core.books import Books, DestinationBooks
from consumer.types import TopicPartition

P3 = TopicPartition("events", 3)


def counts(untaken=0, pending=2, in_flight=2, found=1):
    return Counts(
        untaken={P3: untaken},
        pending={"events": pending},
        in_flight={"events": in_flight},
        found={"client": found},
    )


def books(settled=8, delivered=9):
    one = DestinationBooks(matched=10, delivered=delivered, in_flight=1)
    return Books(consumed=10, settled=settled, in_flight=2, destinations={"client": one})


def test_books_that_agree_are_no_news():
    assert audit(books(), counts()) == []


@pytest.mark.parametrize(
    ("damaged", "beside", "said"),
    [
        (books(settled=7), counts(), "records: consumed = settled + in flight + abandoned does not hold: 1 too few"),
        (books(), counts(untaken=500), "partition events[3]: polled = taken in does not hold: 500 too few"),
        (books(), counts(pending=1), "topic events: pending = in flight of its partitions does not hold: 1 too many"),
        (books(delivered=10), counts(), "destination client: matched = what became of it does not hold: 1 too many"),
        (books(), counts(found=0), "destination client: in flight = found in lanes and requests does not hold: 1 too "
         "few"),
    ],
)  # fmt: skip
def test_each_difference_says_where_it_is_in_which_column_and_how_large(damaged, beside, said):
    assert [str(one) for one in audit(damaged, beside)] == [said]
