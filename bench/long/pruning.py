"""How long a call of the ledger waits at most, while it deletes what has expired."""

import asyncio
import time
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path

from consumer.clock import SystemClock
from consumer.ledger.ledger import Intent
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition

_PLACE = TopicPartition("pruning", 0)
_BATCH = 500
_REST_S = 0.01
_AGE_S = 60.0
_NEVER_S = 86_400.0
"""A lease of which a third is longer than any run: as often the ledger deletes."""


class Later(SystemClock):
    """A calendar that is ahead."""

    def __init__(self, by_s: float) -> None:
        self._by_s = by_s

    def wall_s(self) -> float:
        return super().wall_s() + self._by_s


def longest_call_ms(path: Path, seconds: float, *, prunes: bool, later_s: float = 0.0) -> float:
    """Reserve and confirm arrays one after the other for so long; gives the longest of these calls. Blocks."""
    policy = LedgerPolicy(_AGE_S) if prunes else LedgerPolicy(_AGE_S, lease_s=_NEVER_S)
    return asyncio.run(_longest_call_ms(path, seconds, policy, later_s))


async def _longest_call_ms(path: Path, seconds: float, policy: LedgerPolicy, later_s: float) -> float:
    ledger = open_ledger(f"sqlite:///{path}", "pruning", policy, Later(later_s))
    await ledger.open()
    longest_s = 0.0
    try:
        epoch = (await ledger.assign([_PLACE]))[_PLACE].epoch
        numbers, until_s = count(time.time_ns()), time.monotonic() + seconds
        while time.monotonic() < until_s:
            intents = list(_intents(numbers, epoch))
            for call in (ledger.reserve, ledger.confirm):
                asked_s = time.monotonic()
                await call(intents)
                longest_s = max(longest_s, time.monotonic() - asked_s)
            await asyncio.sleep(_REST_S)
    finally:
        await ledger.close()
    return longest_s * 1000


def _intents(numbers: Iterator[int], epoch: int) -> Iterator[Intent]:
    for _ in range(_BATCH):
        number = next(numbers)
        key = blake2b(b"%d" % number, digest_size=16).digest()
        yield Intent(key, *_PLACE, number & 0xFFFFFFFF, epoch, "pruning", None, topology="pruning")
