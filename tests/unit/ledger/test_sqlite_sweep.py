"""A walk that deletes what has expired takes little at a time, however the keys lie."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from consumer.ledger import sqlite_schema, sqlite_sweep
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_sweep import Sweep

NOW_S = 1_800_000_000
MOST = 10
POLICY = LedgerPolicy(reservation_age_s=60.0)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    monkeypatch.setattr(sqlite_sweep, "_MOST_KEYS", MOST)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        sqlite_schema.create(connection, 1.0)
        yield connection


def settle(connection: sqlite3.Connection, slots: list[bytes], written_s: int) -> None:
    rows = [(slot, sqlite_schema.CONFIRMED, written_s) for slot in slots]
    connection.executemany("INSERT INTO settled VALUES (?, ?, 1, 1, ?, 1)", rows)


def slots_of_one_time(count: int) -> list[bytes]:
    return [b"\x7a\xbc" + number.to_bytes(14, "big") for number in range(count)]


def left(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM settled").fetchone()
    return int(count)


def walk(connection: sqlite3.Connection, steps: int) -> list[int]:
    """How many rows each step deleted, where it did any."""
    sweep, deleted, before = Sweep(POLICY), [], left(connection)
    for _ in range(steps):
        sweep.step(connection, NOW_S)
        now = left(connection)
        deleted.append(before - now)
        before = now
    return [count for count in deleted if count]


def test_keys_of_one_time_are_deleted_in_several_steps(connection: sqlite3.Connection) -> None:
    settle(connection, slots_of_one_time(3 * MOST + 5), NOW_S - 10**8)

    assert walk(connection, 4096 + 3) == [MOST, MOST, MOST, 5]
    assert left(connection) == 0


def test_what_is_kept_holds_the_walk_up_no_longer_than_what_is_not(connection: sqlite3.Connection) -> None:
    """Else it would stand still in a slice whose first keys are still kept."""
    slots = slots_of_one_time(3 * MOST + 5)
    settle(connection, slots[: 2 * MOST], NOW_S)
    settle(connection, slots[2 * MOST :], NOW_S - 10**8)
    settle(connection, [b"\x7a\xd0" + bytes(14)], NOW_S - 10**8)

    assert sorted(walk(connection, 4096 + 3)) == [1, 5, MOST]
    assert left(connection) == 2 * MOST


def test_one_walk_comes_to_every_slice(connection: sqlite3.Connection) -> None:
    settle(
        connection,
        [(number << 4).to_bytes(2, "big") + bytes(14) for number in range(4096)] + [b"\xff" * 16],
        NOW_S - 10**8,
    )

    walk(connection, 4096)

    assert left(connection) == 0
