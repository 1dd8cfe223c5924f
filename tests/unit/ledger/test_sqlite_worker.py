"""Whose operations share a transaction."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from consumer.ledger.sqlite_store import Operation, SqliteStore
from consumer.ledger.sqlite_worker import GroupCommit


class Store:
    """Answers each operation with the number of its transaction, once it may."""

    def __init__(self) -> None:
        self.transactions = 0
        self.may_end = threading.Event()
        self.may_end.set()

    def open(self) -> None: ...

    def run(self, operations: Sequence[Operation]) -> list[Any]:
        self.transactions += 1
        number = self.transactions
        assert self.may_end.wait(10.0)
        return [number for _ in operations]

    def tick(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def worker(store: Store) -> AsyncIterator[GroupCommit]:
    worker = GroupCommit(cast(SqliteStore, store), idle_s=5.0)
    await worker.start()
    yield worker
    await worker.stop()


async def call(worker: GroupCommit, rows: int) -> int:
    return int(await worker.call(Operation(lambda _: None, weight=rows)))


async def test_what_comes_while_a_transaction_is_written_shares_the_next_one(
    worker: GroupCommit, store: Store
) -> None:
    store.may_end.clear()
    first = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)
    others = [asyncio.create_task(call(worker, rows)) for rows in (1, 500, 1)]
    await asyncio.sleep(0.1)
    store.may_end.set()

    assert await first == 1
    assert await asyncio.gather(*others) == [2, 2, 2]


async def test_a_transaction_that_is_large_enough_takes_no_further_operation(
    worker: GroupCommit, store: Store
) -> None:
    store.may_end.clear()
    first = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)
    others = [asyncio.create_task(call(worker, 5000)) for _ in range(3)]
    await asyncio.sleep(0.1)
    store.may_end.set()

    assert await first == 1
    assert await asyncio.gather(*others) == [2, 2, 3]


async def test_an_idle_ledger_begins_at_once(worker: GroupCommit) -> None:
    one = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)

    assert one.done()
