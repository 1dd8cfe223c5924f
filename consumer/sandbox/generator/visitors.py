"""Visitors who become users: what a receiver needs to see, in this order, to tie the one to the other."""

from collections.abc import Iterator
from typing import NamedTuple

from consumer.sandbox.generator.population import Population
from consumer.sandbox.generator.user import User


class Step(NamedTuple):
    """One event on the way."""

    user: User
    payload: str
    anonymous: bool
    """Whether the visitor's own id is the only one that is known yet."""


def steps(population: Population) -> Iterator[Step]:
    """One visitor after the other, for ever, each a user outside the ranks with these three events.

    A receiver silently drops the alias of a visitor whom it does not know yet, and the alias to a user whom it
    knows already.
    """
    number = 0
    while True:
        user = population.visitor(number)
        yield Step(user, "PageVisited", anonymous=True)
        yield Step(user, "Aliased", anonymous=True)
        yield Step(user, "Identified", anonymous=False)
        number += 1
