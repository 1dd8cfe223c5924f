"""Where the group stands in its partitions, in one transaction: epochs, positions and first positions."""

from collections.abc import Mapping, Sequence

from consumer.ledger.sqlite_tables import Tables
from consumer.ledger.unique import next_epoch
from consumer.types import Assigned, TopicPartition

_STANDING = """
SELECT epoch, position, horizon FROM partitions LEFT JOIN horizons USING (consumer_group, topic, partition)
WHERE consumer_group = ? AND topic = ? AND partition = ?"""

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


_VENTURE = """
INSERT INTO horizons (consumer_group, topic, partition, horizon)
SELECT consumer_group, topic, partition, ? FROM partitions
WHERE consumer_group = ? AND topic = ? AND partition = ? AND epoch = ?
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET horizon = excluded.horizon"""


def assign(
    tables: Tables, partitions: Sequence[TopicPartition], wall_s: float
) -> dict[TopicPartition, Assigned]:
    """Write a new epoch for each, above the one that stands; give it with the position last recorded."""
    answer = {}
    for partition in partitions:
        place = (tables.group, *partition)
        row = tables.connection.execute(_STANDING, place).fetchone()
        standing, position, horizon = (None, None, None) if row is None else row
        epoch = next_epoch(standing, wall_s)
        tables.connection.execute(_ASSIGN, (*place, epoch))
        answer[partition] = Assigned(epoch, position, horizon or 0)
    tables.forget_epochs()
    return answer


def advance(tables: Tables, positions: Mapping[TopicPartition, int]) -> None:
    """Raise the positions; none falls."""
    rows = [(tables.group, *partition, offset) for partition, offset in positions.items()]
    tables.connection.executemany(_ADVANCE, rows)


def venture(tables: Tables, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
    """Set the horizons whose epoch stands."""
    rows = [(horizon, tables.group, *partition, epoch) for partition, (epoch, horizon) in horizons.items()]
    tables.connection.executemany(_VENTURE, rows)


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
