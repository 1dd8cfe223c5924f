"""Where the group stands in its partitions, in one transaction: epochs, positions and first positions."""

from collections.abc import Mapping, Sequence

from consumer.ledger.sqlite_tables import Tables
from consumer.ledger.unique import next_epoch
from consumer.types import Assigned, TopicPartition

_ASSIGN = """
INSERT INTO partitions (consumer_group, topic, partition, epoch) VALUES (?, ?, ?, ?)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET epoch = excluded.epoch"""

_ADVANCE = """
INSERT INTO partitions (consumer_group, topic, partition, position) VALUES (?, ?, ?, ?)
ON CONFLICT (consumer_group, topic, partition)
DO UPDATE SET position = max(ifnull(position, excluded.position), excluded.position)"""

_START = """
INSERT INTO partitions (consumer_group, topic, partition, start) VALUES (?, ?, ?, ?)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET start = ifnull(start, excluded.start)"""


def assign(
    tables: Tables, partitions: Sequence[TopicPartition], wall_s: float
) -> dict[TopicPartition, Assigned]:
    """Write a new epoch for each, above the one that stands; give it with the position last recorded."""
    answer = {}
    for partition in partitions:
        place = (tables.group, *partition)
        row = tables.connection.execute(
            "SELECT epoch, position FROM partitions WHERE consumer_group = ? AND topic = ? AND partition = ?",
            place,
        ).fetchone()
        standing, position = (None, None) if row is None else row
        epoch = next_epoch(standing, wall_s)
        tables.connection.execute(_ASSIGN, (*place, epoch))
        answer[partition] = Assigned(epoch, position)
    tables.forget_epochs()
    return answer


def advance(tables: Tables, positions: Mapping[TopicPartition, int]) -> None:
    """Raise the positions; none falls."""
    rows = [(tables.group, *partition, offset) for partition, offset in positions.items()]
    tables.connection.executemany(_ADVANCE, rows)


def starts(tables: Tables, topic: str, chosen: Mapping[int, int]) -> dict[int, int]:
    """Record first positions where there are none; give all of the topic."""
    rows = [(tables.group, topic, partition, offset) for partition, offset in chosen.items()]
    tables.connection.executemany(_START, rows)
    standing = tables.connection.execute(
        "SELECT partition, start FROM partitions "
        "WHERE consumer_group = ? AND topic = ? AND start IS NOT NULL",
        (tables.group, topic),
    )
    return dict(standing.fetchall())
