"""The books held against each other while the process runs: where they differ, and by how much."""

from collections.abc import Iterable, Mapping

import msgspec

from consumer.core.books import Books
from consumer.types import TopicPartition


class Difference(msgspec.Struct, frozen=True):
    """Two counts of the same thing that are not the same. `missing` is negative where there is too much."""

    where: str
    """`records`, `topic T`, `partition T[N]` or `destination NAME`."""
    column: str
    """What was counted twice, as an equation."""
    missing: int

    def __str__(self) -> str:
        way = "few" if self.missing > 0 else "many"
        return f"{self.where}: {self.column} does not hold: {abs(self.missing)} too {way}"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted beside the books, at the same moment."""

    untaken: Mapping[TopicPartition, int]
    """By partition: what the Kafka thread handed on and the pipeline did not take."""
    pending: Mapping[str, int]
    """By topic: what counts against the bound."""
    in_flight: Mapping[str, int]
    """By topic: what its partitions have not settled."""
    found: Mapping[str, int]
    """By destination: deliveries found where they can stand."""


def audit(books: Books, counts: Counts) -> list[Difference]:
    """All that does not agree; nothing where all is well."""
    return list(_differences(books, counts))


def _differences(books: Books, counts: Counts) -> Iterable[Difference]:
    if books.difference:
        column = "consumed = settled + in flight + abandoned"
        yield Difference("records", column, books.difference)
    for partition, missing in sorted(counts.untaken.items()):
        if missing:
            yield Difference(f"partition {partition}", "polled = taken in", missing)
    for topic, pending in sorted(counts.pending.items()):
        if missing := pending - counts.in_flight.get(topic, 0):
            yield Difference(f"topic {topic}", "pending = in flight of its partitions", missing)
    for name, one in books.destinations.items():
        if one.difference:
            yield Difference(f"destination {name}", "matched = what became of it", one.difference)
        if missing := one.in_flight - counts.found.get(name, one.in_flight):
            yield Difference(f"destination {name}", "in flight = found in lanes and requests", missing)
