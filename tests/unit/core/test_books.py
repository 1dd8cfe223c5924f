"""The books balance, or say that they do not."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.books import Books, DestinationBooks

ENDS = ("delivered", "suppressed", "windowed", "dropped", "dead_lettered", "in_flight", "abandoned")


@given(st.lists(st.sampled_from(ENDS)))
def test_books_balance_when_every_delivery_ended_once(endings):
    one = DestinationBooks(matched=len(endings))
    for ending in endings:
        setattr(one, ending, getattr(one, ending) + 1)
    assert one.difference == 0


@given(st.sampled_from(ENDS))
def test_an_end_that_is_not_counted_or_counted_twice_shows(ending):
    one = DestinationBooks(matched=1)
    assert not Books(destinations={"a": one}).balanced
    setattr(one, ending, 2)
    assert not Books(destinations={"a": one}).balanced


def test_records_that_vanish_show():
    assert not Books(consumed=3, settled=1, in_flight=1).balanced
    assert Books(consumed=3, settled=1, in_flight=1, abandoned=1).balanced


def test_the_json_has_every_word_of_the_books():
    out = Books(consumed=10, settled=10, destinations={"a": DestinationBooks()}).as_json(2.0)
    assert out["records_per_second"] == 5.0
    assert out["balanced"] is True
    assert set(out) == {
        "consumed", "settled", "in_flight", "abandoned", "undecodable", "unrouted", "tombstones",
        "seconds", "records_per_second", "balanced", "destinations",
    }  # fmt: skip
    assert set(out["destinations"]["a"]) == {one.name for one in fields(DestinationBooks)}
