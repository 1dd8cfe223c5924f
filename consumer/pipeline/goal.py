"""`--until-end`: the offsets at which the group is done, and which partitions have reached theirs."""

from collections.abc import Iterable, Mapping

from consumer.types import TopicPartition


class Goal:
    """None was set at first. It is reached once, and then there is none any more."""

    def __init__(self) -> None:
        self._ends: dict[TopicPartition, int] | None = None
        self._reached: set[TopicPartition] = set()

    def set(self, ends: Mapping[TopicPartition, int]) -> None:
        """What was there at the start is to be committed."""
        self._ends = dict(ends)

    def commits(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        """These offsets are committed, by whomever; None: nothing is."""
        if self._ends is not None:
            for partition, offset in offsets.items():
                if offset is None:
                    offset = -1
                if offset >= self._ends.get(partition, offset):
                    self._reached.add(partition)

    def left(self, own: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Those beside our own of which it is not known that they have reached it."""
        return [one for one in self._ends or () if one not in self._reached and one not in own]

    def done(self) -> bool:
        """Whether it is reached just now."""
        if self._ends is None or not self._reached >= self._ends.keys():
            return False
        self._ends = None
        return True
