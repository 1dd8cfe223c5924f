"""What a large ledger writes for the keys that come: whole pages, so it counts how they lie."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from bench.identity import Identities
from bench.long.prefill import prefill
from consumer.clock import SystemClock
from consumer.ledger.ledger import Intent
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite import SqliteLedger
from consumer.ledger.sqlite_schema import PAGE_BYTES
from consumer.topology.digests import key_digest_of
from consumer.types import TopicPartition

KEYS = 100_000
PLACE = TopicPartition("events", 0)


async def written_pages(path: Path, keys: Sequence[bytes]) -> float:
    """For confirming these at once, a key."""
    ledger = SqliteLedger(path, "group", LedgerPolicy(reservation_age_s=60.0), SystemClock())
    await ledger.open()
    try:
        epoch = (await ledger.assign([PLACE]))[PLACE].epoch
        intents = [Intent(key, *PLACE, offset, epoch, "route") for offset, key in enumerate(keys)]
        await ledger.reserve(intents)
        before = ahead(path)
        await ledger.confirm(intents)
        return (ahead(path) - before) / PAGE_BYTES / len(keys)
    finally:
        await ledger.close()


def ahead(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


@pytest.mark.parametrize(("started_ms", "least", "most"), [(None, 0.7, 2.0), (0, 0.0, 0.3)])
async def test_keys_of_ids_that_tell_when_they_were_made_share_pages(
    tmp_path: Path, started_ms: int | None, least: float, most: float
) -> None:
    """Those of other ids take one each."""
    now_s = int(time.time())
    prefill(tmp_path / "l.db", KEYS, 86_400, now_s, lambda _: None, time_ordered=started_ms is not None)
    identities = Identities(None if started_ms is None else now_s * 1000)
    ids = [identities.next(b"ann") for _ in range(300)]
    assert {UUID(one.decode()).version for one in ids} == {4 if started_ms is None else 7}

    assert least < await written_pages(tmp_path / "l.db", list(map(key_digest_of(["id"]), ids))) < most
