"""Whose operations share a transaction, and who waits for company."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from consumer.ledger import sqlite_worker
from consumer.ledger.sqlite_store import Operation, SqliteStore
from consumer.ledger.sqlite_worker import GroupCommit


class Store:
    """Answers each operation with the number of its transaction."""

    def __init__(self) -> None:
        self.transactions = 0

    def open(self) -> None: ...

    def run(self, operations: Sequence[Operation]) -> list[Any]:
        self.transactions += 1
        return [self.transactions for _ in operations]

    def tick(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
async def worker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GroupCommit]:
    monkeypatch.setattr(sqlite_worker, "_APART_S", 0.5)
    worker = GroupCommit(cast(SqliteStore, Store()), idle_s=5.0)
    await worker.start()
    yield worker
    await worker.stop()


async def call(worker: GroupCommit, rows: int) -> int:
    return int(await worker.call(Operation(lambda _: None, weight=rows)))


async def test_few_rows_right_after_a_crowd_wait_for_company(worker: GroupCommit) -> None:
    await call(worker, 10)

    one = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)
    other = asyncio.create_task(call(worker, 1))

    assert (await one, await other) == (2, 2)


async def test_where_few_requests_are_under_way_none_waits(worker: GroupCommit) -> None:
    await call(worker, 1)

    one = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)

    assert one.done()


async def test_many_rows_do_not(worker: GroupCommit) -> None:
    await call(worker, 10)

    one = asyncio.create_task(call(worker, 500))
    await asyncio.sleep(0.1)
    other = asyncio.create_task(call(worker, 500))

    assert (await one, await other) == (2, 3)


async def test_an_idle_ledger_begins_at_once(worker: GroupCommit) -> None:
    one = asyncio.create_task(call(worker, 1))
    await asyncio.sleep(0.1)

    assert one.done()
