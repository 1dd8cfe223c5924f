"""What the owner thread tells the pipeline, and what it asks of it. All of it runs on the event loop."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from consumer.types import Assigned, Chunk, TopicPartition


class Listener(Protocol):
    """The pipeline's side of the bridge. A coroutine's answer is awaited by the owner thread with a bound."""

    def records(self, chunks: list[Chunk], count: int) -> None:
        """Records were polled, in the order of their partitions."""
        ...

    def ends_of_partitions(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These were read to these offsets, each an end for a moment: what lies below was handed on, perhaps more."""
        ...

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        """The ledger's first positions of the topic (a partition's first position, recorded once for the
        group; what stands wins).
        """
        ...

    async def claim(
        self, committed: Mapping[TopicPartition, int | None]
    ) -> Mapping[TopicPartition, Assigned]:
        """Write the epochs; checks that the ledger is the one that was used before (raises RefusedError)."""
        ...

    async def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Partitions are assigned: (epoch, first offset) each; the offsets are recorded in the ledger."""
        ...

    async def drain(
        self, partitions: Sequence[TopicPartition], deadline_s: float
    ) -> Mapping[TopicPartition, int]:
        """Abandon what is queued, await what is on the wire; gives the offsets to commit."""
        ...

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """The partitions belong to others already: nothing may be committed."""
        ...

    def committed(self, offsets: Mapping[TopicPartition, int], failed: Mapping[TopicPartition, str]) -> None:
        """What became of a commit."""
        ...

    def noticed(self, text: str) -> None:
        """Something worth a log line happened at the client; it goes on by itself."""
        ...

    def goal(self, ends: Mapping[TopicPartition, int]) -> None:
        """The end offsets of all partitions of the topics before the group was joined; empty ones are left
        out.
        """
        ...

    def elsewhere(self, committed: Mapping[TopicPartition, int | None]) -> None:
        """The group's committed offsets of partitions that are not ours, as asked by `Owner.look_elsewhere`."""
        ...

    def lag(self, ends: Mapping[TopicPartition, int]) -> None:
        """The end offsets that the client knows."""
        ...

    def handed(self, counts: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """(epoch, how many records of it were handed on so far) of each partition: all of them came before this."""
        ...

    def ended(self, fault: BaseException | None) -> None:
        """The owner thread is over; nothing comes after this."""
        ...
