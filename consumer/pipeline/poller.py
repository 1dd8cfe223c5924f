"""What the pipeline asks of whoever polls Kafka. None of it waits."""

from typing import Protocol

from consumer.types import TopicPartition


class Poller(Protocol):
    """The event loop's face of `consumer.kafka.owner.Owner`."""

    def took(self, count: int) -> None:
        """So many records that were handed on have been taken in."""
        ...

    def rest(self, topics: frozenset[str]) -> None:
        """Fetch nothing of these topics, and again of all others."""
        ...

    def look_elsewhere(self, partitions: list[TopicPartition]) -> None:
        """Ask for the group's committed offsets of partitions that others have."""
        ...

    def reclaim(self, partition: TopicPartition, epoch: int) -> None:
        """Begin anew with a partition that the ledger fenced, if Kafka still says that it is ours."""
        ...

    def stop(self) -> None:
        """Drain, commit and end. Idempotent."""
        ...
