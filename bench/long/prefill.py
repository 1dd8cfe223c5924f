"""A ledger as it stands after a day: a file with millions of confirmed keys, written in the order of its own tree."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from consumer.ledger import sqlite_schema
from consumer.ledger.sqlite_places import DIGEST_BYTES
from consumer.ledger.sqlite_private import create_private
from consumer.topology.digests import PERIOD_MS, placed

_LOT = 1_000_000
_SPREAD = 0x9E3779B97F4A7C15
"""An odd number that leaves neighbours far apart."""
_TOLD_OF = 40_503
"""Likewise for their ages."""
_MOST = 1 << 64


def prefill(
    path: Path, keys: int, age_s: int, now_s: int, tell: Callable[[str], None], *, time_ordered: bool = False
) -> None:
    """Make a ledger of so many keys, evenly spread over the last `age_s`, and over the tree at random or by their ids'
    time. Blocks for minutes.

    In the tree's own order: at random each key would hit a page of its own. So its pages are full, where those of a
    ledger that grew are two thirds full: the file is smaller by as much.
    """
    create_private(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        sqlite_schema.create(connection, 5.0)
        sqlite_schema.complete(connection)
        # If this run ends early the file is of no use anyhow.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO sources VALUES (1, 'before', 0, 'before')")
        connection.execute("INSERT INTO topologies VALUES (1, 'before')")
        rows, done = (_by_time if time_ordered else _rows)(keys, age_s, now_s), 0
        while lot := min(_LOT, keys - done):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO settled VALUES (?, ?, 1, ?, ?, 1)", islice(rows, lot))
            connection.execute("COMMIT")
            done += lot
            if done % (5 * _LOT) == 0:
                tell(f"{done:,} of {keys:,} keys in the ledger")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = WAL")


def _rows(keys: int, age_s: int, now_s: int) -> Iterator[tuple[bytes, int, int, int]]:
    step, confirmed = _MOST // keys, sqlite_schema.CONFIRMED
    for number in range(keys):
        slot = (number * step).to_bytes(8, "big") + (number * _SPREAD % _MOST).to_bytes(8, "big")
        yield slot, confirmed, number, now_s - number * _TOLD_OF % age_s


def _by_time(keys: int, age_s: int, now_s: int) -> Iterator[tuple[bytes, int, int, int]]:
    confirmed, rest_bytes = sqlite_schema.CONFIRMED, DIGEST_BYTES - len(placed(0))
    first_ms, last_ms = (now_s - age_s) * 1000, now_s * 1000
    periods = range(first_ms // PERIOD_MS * PERIOD_MS, last_ms, PERIOD_MS)
    number, passed_ms = 0, 0
    for began_ms in sorted(periods, key=placed):
        from_ms, until_ms = max(began_ms, first_ms), min(began_ms + PERIOD_MS, last_ms)
        passed_ms += until_ms - from_ms
        count = keys * passed_ms // (last_ms - first_ms) - number
        for at in range(count):
            at_ms = from_ms + at * (until_ms - from_ms) // count
            rest = (number * _SPREAD % _MOST).to_bytes(rest_bytes, "big")
            yield placed(at_ms) + rest, confirmed, number, at_ms // 1000
            number += 1
