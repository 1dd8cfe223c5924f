"""Calls in which nothing meets anything are one statement; the others go the long way, and get the same answers."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.clock import SystemClock
from consumer.core.claims import KeyState, Once
from consumer.errors import LedgerUnavailable
from consumer.ledger import sqlite_settle
from consumer.ledger.ledger import Buried, Duplicate, Fenced, Held, Intent, Wait, Windowed
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite_at_once import AtOnce, confirm_at_once, reserve_at_once
from consumer.ledger.sqlite_file import SqliteFile
from consumer.ledger.sqlite_partitions import assign
from consumer.ledger.sqlite_reserve import reserve
from consumer.ledger.sqlite_store import Operation, SqliteStore
from consumer.ledger.sqlite_tables import Tables
from consumer.types import TopicPartition

NOON_MS, WINDOW_MS = 1_800_000_000_000, 1_200_000


def keyed(number: int, **changes: Any) -> Intent:
    return msgspec.structs.replace(
        Intent(bytes([number] * 16), "events", 0, number, 1 << 62, "opens", topology="one"), **changes
    )


def opened(number: int, scope: int, at_ms: int = 0, length_ms: int | None = WINDOW_MS) -> Intent:
    return keyed(number, once=Once(bytes([scope] * 16), NOON_MS + at_ms, length_ms))


class Book:
    """A store, and which calls went the long way."""

    def __init__(self, path: Path, busy_s: float = 5.0) -> None:
        policy = LedgerPolicy(reservation_age_s=60.0, busy_timeout_s=busy_s)
        self.store = SqliteStore(SqliteFile(path, policy), "group", policy, SystemClock())
        self.store.open()
        self.long_way = 0
        # What a call looks up once: its sources and its topology.
        self.confirm(keyed(255))
        self.reserve(keyed(254))
        self.long_way = 0

    def reserve(self, *intents: Intent) -> dict[int, Any]:
        return self._reserve(*intents).refused  # type: ignore[no-any-return]

    def hold(self, intent: Intent) -> Held:
        return Held(intent, self._reserve(intent).token)

    def _reserve(self, *intents: Intent) -> Any:
        return self._call(reserve, reserve_at_once, intents, durable=False)

    def confirm(self, *intents: Intent) -> None:
        self._call(sqlite_settle.confirm, confirm_at_once, intents, durable=True)

    def run(self, work: Callable[[Tables], Any]) -> Any:
        (result,) = self.store.run([Operation(work)])
        if isinstance(result, Exception):
            raise result
        return result

    def states(self, *intents: Intent) -> list[KeyState]:
        return [state for state, _ in self.run(partial(sqlite_settle.states, intents=intents))]

    def _call(
        self,
        work: Callable[..., Any],
        at_once: Callable[[Tables, Sequence[Intent]], AtOnce | None],
        intents: Sequence[Intent],
        *,
        durable: bool,
    ) -> Any:
        def long_way(tables: Tables) -> Any:
            self.long_way += 1
            return work(tables, intents)

        operation = Operation(long_way, durable=durable, at_once=lambda tables: at_once(tables, intents))
        (result,) = self.store.run([operation])
        if isinstance(result, Exception):
            raise result
        return result


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "ledger.db")
    yield book
    book.store.close()


def test_what_meets_nothing_is_reserved_and_confirmed_without_a_look_at_it(book: Book) -> None:
    call = [keyed(1), opened(2, 2), opened(3, 3), keyed(4)]
    assert book.reserve(*call) == {}
    assert book.states(*call) == [KeyState.RESERVED] * 4
    book.confirm(*call)
    assert book.states(*call) == [KeyState.CONFIRMED] * 4
    assert book.long_way == 0
    assert book.reserve(keyed(9), opened(5, 3, WINDOW_MS - 1)) == {1: Windowed(call[2].holder.origin)}
    assert book.reserve(opened(6, 3, WINDOW_MS)) == {}, "a window apart"


def test_windows_for_ever_go_at_once_too(book: Book) -> None:
    call = [opened(1, 1, length_ms=None), keyed(2)]
    assert book.reserve(*call) == {}
    book.confirm(*call)
    assert book.long_way == 0
    assert book.reserve(opened(3, 1, 10**12, length_ms=None)) == {0: Windowed(call[0].holder.origin)}


def confirmed(book: Book) -> object:
    book.confirm(keyed(1))
    return Duplicate(keyed(1).holder.origin)


def held_by_another(book: Book) -> object:
    held = book.hold(keyed(1, offset=77))
    return Wait(held.intent.holder.origin, held.token)


def near_an_accepted_one(book: Book) -> object:
    book.confirm(opened(8, 1, 1 - WINDOW_MS))
    return Windowed(opened(8, 1).holder.origin)


def near_a_reserved_one(book: Book) -> object:
    held = book.hold(opened(8, 1, WINDOW_MS - 1))
    return Wait(held.intent.holder.origin, held.token)


def dead_lettered(book: Book) -> object:
    held = book.hold(opened(1, 1))
    book.run(partial(sqlite_settle.bury, held=[held]))
    return Buried()


@pytest.mark.parametrize(
    "met", [confirmed, held_by_another, near_an_accepted_one, near_a_reserved_one, dead_lettered]
)
def test_a_call_in_which_one_meets_something_goes_the_long_way_whole(
    book: Book, met: Callable[[Book], object]
) -> None:
    verdict = met(book)
    book.long_way = 0
    assert book.reserve(keyed(2), opened(1, 1), opened(3, 3)) == {1: verdict}
    assert book.long_way == 1
    assert book.states(keyed(2), keyed(3)) == [KeyState.RESERVED] * 2, "the others were free"


def test_a_partition_that_another_has_taken_is_fenced(book: Book) -> None:
    elsewhere = TopicPartition("events", 1)
    epoch = book.run(partial(assign, partitions=[elsewhere], wall_s=0.0))[elsewhere].epoch
    book.reserve(keyed(3, partition=1, epoch=epoch))
    book.long_way = 0
    assert book.reserve(keyed(1, partition=1, epoch=epoch)) == {}
    assert book.long_way == 0
    assert book.reserve(keyed(2), keyed(4, partition=1, epoch=epoch - 1)) == {1: Fenced()}
    assert book.long_way == 1


def test_a_key_that_was_confirmed_by_another_keeps_who_it_was(book: Book) -> None:
    book.confirm(keyed(1))
    book.confirm(keyed(2), keyed(1, offset=77))
    assert book.long_way == 1
    assert book.reserve(keyed(1, offset=78)) == {0: Duplicate(keyed(1).holder.origin)}
    assert book.states(keyed(2)) == [KeyState.CONFIRMED]


@pytest.mark.parametrize(
    "call",
    [
        [],
        [keyed(1, key=None)],
        [keyed(1), keyed(1, offset=77)],
        [opened(1, 1), opened(2, 1)],
        [opened(1, 1), opened(2, 2, length_ms=2 * WINDOW_MS)],
        [keyed(1, redrive=True)],
        [keyed(1, route="another")],
        [keyed(1, offset=1 << 44)],
        [keyed(1, key=b"short")],
    ],
    ids=["none", "no key", "one key", "one window", "two lengths", "redrive", "new route", "far", "short"],
)
def test_what_is_unusual_goes_the_long_way(book: Book, call: list[Intent]) -> None:
    book.reserve(*call)
    assert book.long_way == 1


@pytest.mark.parametrize(
    "call",
    [
        [],
        [keyed(1, key=None)],
        [keyed(1), keyed(2, topology="another")],
        [opened(1, 1), opened(2, 2, length_ms=None)],
        [keyed(1, route="another")],
    ],
    ids=["none", "no key", "two topologies", "for ever and not", "new route"],
)
def test_what_is_unusual_is_confirmed_the_long_way(book: Book, call: list[Intent]) -> None:
    book.confirm(*call)
    assert book.long_way == 1


def test_while_another_writes_it_waits_and_fails_closed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = Book(path, busy_s=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailable, match="locked"):
            book.confirm(keyed(1))
    assert book.long_way == 0
    assert book.states(keyed(1)) == [KeyState.FREE]
    book.confirm(keyed(1))
    assert book.states(keyed(1)) == [KeyState.CONFIRMED]
    book.store.close()


def test_a_file_that_was_opened_again_is_not_written_by_numbers_of_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book = Book(path)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(path)) as original, closing(sqlite3.connect(copy)) as copied:
        original.backup(copied)
    with closing(sqlite3.connect(copy)) as changed:
        changed.execute("DELETE FROM sources")
        changed.commit()
    copy.replace(path)
    book.confirm(keyed(1))
    assert book.long_way == 1
    assert book.reserve(keyed(1, offset=77)) == {0: Duplicate(keyed(1).holder.origin)}
    book.store.close()


def test_only_what_says_that_it_happened_waits_for_the_disk(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    at_once = SqliteFile.at_once

    def seen(self: SqliteFile, *given: Any, durable: bool) -> bool:
        asked.append(durable)
        return at_once(self, *given, durable=durable)

    monkeypatch.setattr(SqliteFile, "at_once", seen)
    book.reserve(keyed(1))
    book.confirm(keyed(1))
    assert asked == [False, True]
