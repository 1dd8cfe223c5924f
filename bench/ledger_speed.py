"""Keys a second through a ledger, reserve and confirm in batches, and the memory or disk that a key takes.

`python -m bench.ledger_speed URL [KEYS [BATCH]]`, such as redis://127.0.0.1:6379/0: an empty database, or a new file.
"""

import asyncio
import hashlib
import sys
import time

from consumer.clock import SystemClock
from consumer.ledger.ledger import Intent, Once
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition

_IN_FLIGHT = 4
"""Batches at a time: as many as destinations would keep under way."""


def _intents(first: int, count: int, epoch: int, *, windowed: bool) -> list[Intent]:
    made = []
    for number in range(first, first + count):
        key = hashlib.blake2b(b"%d" % number, digest_size=16).digest()
        once = Once(key[::-1], 1_800_000_000_000 + number, 1_200_000) if windowed else None
        made.append(Intent(key, "user-events", 0, number, epoch, "opens", once, topology="3f9a2c417b60"))
    return made


async def _measure(url: str, keys: int, batch: int, *, windowed: bool) -> float:
    ledger = open_ledger(url, "bench", LedgerPolicy(reservation_age_s=60.0), SystemClock())
    await ledger.open()
    place = TopicPartition("user-events", 0)
    epoch = (await ledger.assign([place]))[place].epoch
    start = 10**9 if windowed else 0
    batches = [
        _intents(first, batch, epoch, windowed=windowed) for first in range(start, start + keys, batch)
    ]
    batches.reverse()

    async def work() -> None:
        while batches:
            intents = batches.pop()
            assert not (await ledger.reserve(intents)).refused, "the ledger was not empty"
            await ledger.confirm(intents)

    started_s = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
    took_s = time.perf_counter() - started_s
    await ledger.close()
    return keys / took_s


def main(arguments: list[str]) -> None:
    """Prints a line each for keys alone and for keys with a window."""
    url, keys, batch = (
        arguments[0],
        *(int(one) for one in (*arguments[1:], *("100000", "250")[len(arguments) - 1 :])),
    )
    for windowed in (False, True):
        rate = asyncio.run(_measure(url, keys, batch, windowed=windowed))
        print(f"{'key and window' if windowed else 'key':15} {rate:9,.0f} keys/s, batches of {batch}")


if __name__ == "__main__":
    main(sys.argv[1:])
