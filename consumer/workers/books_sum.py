"""Books of several processes as one."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from consumer.core.books import Books, DestinationBooks

_RECORDS = tuple(one.name for one in fields(Books) if one.name != "destinations")
_DELIVERIES = tuple(one.name for one in fields(DestinationBooks))


def books_of(document: Mapping[str, Any]) -> Books:
    """The books in a /status document, or in what a worker says at its end."""
    destinations = {
        name: DestinationBooks(**{column: one[column] for column in _DELIVERIES})
        for name, one in document["destinations"].items()
    }
    return Books(**{column: document[column] for column in _RECORDS}, destinations=destinations)


def add_up(books: Iterable[Books]) -> Books:
    """Column by column; a destination that only some of them have counts as well."""
    out = Books()
    for one in books:
        for column in _RECORDS:
            setattr(out, column, getattr(out, column) + getattr(one, column))
        for name, deliveries in one.destinations.items():
            total = out.destinations.setdefault(name, DestinationBooks())
            for column in _DELIVERIES:
                setattr(total, column, getattr(total, column) + getattr(deliveries, column))
    return out


def given_up(books: Books) -> Books:
    """The last that was heard of a process that ended without a word: what was in flight comes again elsewhere.

    Nobody knows which of it the receiver has: all of these deliveries are in doubt.
    """
    return replace(
        books,
        in_flight=0,
        abandoned=books.abandoned + books.in_flight,
        destinations={
            name: replace(
                one,
                in_flight=0,
                abandoned=one.abandoned + one.in_flight,
                in_doubt=one.in_doubt + one.in_flight,
            )
            for name, one in books.destinations.items()
        },
    )
