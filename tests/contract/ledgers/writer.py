"""A process of its own that delivers through a ledger, for the tests that kill it.

`python -m tests.contract.ledgers.writer LEDGER_URL RECEIVER PARTITION EVENTS LEASE_S [STEP BATCH]`: each event's
key and window are the same in every process, its record is not. What is sent is a line in RECEIVER: the
event's number and the partition. It says `ready` and waits for a line before it begins, and once more when it has
reserved its first batch. After STEP (reserve, send or confirm) of that batch it kills itself.
"""

import asyncio
import os
import random
import signal
import sys
from collections import deque
from pathlib import Path

from consumer.clock import SystemClock
from consumer.ledger.ledger import Intent, Ledger, Wait
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition
from tests.contract.ledgers.cast import TOPIC, digest, open_of

BATCH = 25


class Writer:
    """Delivers each event once, as far as it can tell."""

    def __init__(self, ledger: Ledger, receiver: Path, partition: int, die: tuple[str, int]) -> None:
        self._ledger = ledger
        self._receiver = os.open(receiver, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._partition = partition
        self._die = die

    async def deliver(self, events: int) -> None:
        place = TopicPartition(TOPIC, self._partition)
        epoch = (await self._ledger.assign([place]))[place].epoch
        self._await_the_others()
        order = list(range(events))
        random.Random(self._partition).shuffle(order)
        waiting = deque(self._intent(number, epoch) for number in order)
        batch = 0
        while waiting:
            members = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
            answer = await self._ledger.reserve(members)
            if batch == 0:
                self._await_the_others()
            granted = [one for index, one in enumerate(members) if index not in answer.refused]
            self._step("reserve", batch)
            lines = "".join(f"{one.offset} {self._partition}\n" for one in granted)
            os.write(self._receiver, lines.encode())
            self._step("send", batch)
            await self._ledger.confirm(granted)
            self._step("confirm", batch)
            again = [members[index] for index, why in answer.refused.items() if isinstance(why, Wait)]
            waiting.extend(again)
            batch += 1
            if len(again) == len(members):
                await asyncio.sleep(0.02)

    def _await_the_others(self) -> None:
        """Or the first is done before the second has imported its modules, or had its turn."""
        print("ready", flush=True)
        sys.stdin.readline()

    def _intent(self, number: int, epoch: int) -> Intent:
        # Two events of one user lie in one window, and every process has another minute of it.
        window = open_of(f"user {number // 2}", number % 2 * 60 + self._partition)
        return Intent(digest(f"event {number}"), TOPIC, self._partition, number, epoch, "opens", window)

    def _step(self, name: str, batch: int) -> None:
        if (name, batch) == self._die:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(arguments: list[str]) -> None:
    url, receiver, partition, events, lease_s, *die = arguments
    policy = LedgerPolicy(reservation_age_s=60.0, lease_s=float(lease_s), busy_timeout_s=30.0)
    ledger = open_ledger(url, "group", policy, SystemClock())
    await ledger.open()
    death = (die[0], int(die[1])) if die else ("", -1)
    await Writer(ledger, Path(receiver), int(partition), death).deliver(int(events))
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
