"""A member that woke late has claimed, in the ledger, a partition that Kafka says is ours."""

import asyncio

from consumer.clock import SystemClock
from consumer.ledger.open import open_ledger
from consumer.ledger.policy import LedgerPolicy
from consumer.types import TopicPartition
from tests.integration.stage import Stage


def test_a_partition_that_a_late_claim_fenced_is_read_on_by_its_owner(stage: Stage) -> None:
    consumer = stage.consumer()
    stage.produce_customs("before")
    stage.wait_until(lambda: stage.accepted_ids() == ["before"], 60.0)

    asyncio.run(
        _claim(f"sqlite:///{stage.folder / 'ledger.db'}", stage.group, TopicPartition(stage.topic, 0))
    )
    stage.produce_customs("after")

    stage.wait_until(lambda: stage.accepted_ids() == ["before", "after"], 60.0)
    assert consumer.stop() == 0, consumer.tail()
    assert stage.committed == {0: 2}


async def _claim(url: str, group: str, partition: TopicPartition) -> None:
    """What a process does that was stopped between the group's assignment and its own claim."""
    ledger = open_ledger(url, group, LedgerPolicy(reservation_age_s=60.0), SystemClock())
    await ledger.open()
    await ledger.assign([partition])
    await ledger.close()
