"""Which of the simulator's books counts what a destination of a topology was sent."""

from collections.abc import Mapping

from consumer.errors import FaultError
from consumer.sandbox.simulator.api import ApiName
from consumer.topology.plan import Destination

BOOKS: Mapping[str, ApiName] = {
    "distinct": "user_analytics",
    "distinct_capture": "capture_analytics",
    "event_api": "event_api",
    "client_api": "client_api",
}
"""By the topology's name of an API: all operations of one are in one book."""


def receivers(destinations: Mapping[str, Destination]) -> dict[str, ApiName]:
    """The book of each destination.

    Raises FaultError where the simulator has no such API, and where two destinations would share a book:
    nobody could tell whose deliveries it counts.
    """
    found: dict[str, ApiName] = {}
    for name, destination in destinations.items():
        book = BOOKS.get(destination.api)
        if book is None:
            raise FaultError(f"the simulator has no API for the destination {name} ({destination.api})")
        for other, taken in found.items():
            if taken == book:
                raise FaultError(
                    f"the destinations {other} and {name} are accounts at one API ({destination.api}): "
                    "the simulator counts an API, not an account, so they can't be compared"
                )
        found[name] = book
    return found
