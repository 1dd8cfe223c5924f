"""Carrying a plan out: in its order, and what fails leaves what was done before it."""

import pytest

from consumer.core.changes import (
    AddPartitions,
    Change,
    Changes,
    CreateTopic,
    RegisterSchema,
    SetCompatibility,
    SetConfig,
)
from consumer.errors import BrokerError
from consumer.operations.provision import carry_out

CREATE = CreateTopic("a", 1, 1, {})
GROW = AddPartitions("b", 1, 2)
SET = SetConfig("c", "retention.ms", "1", "2")
REGISTER = RegisterSchema("a-value", 0, '"string"')
LEVEL = SetCompatibility("a-value", "NONE", "FULL")


class Cluster:
    """Takes every change but one."""

    def __init__(self, refuses: Change | None = None) -> None:
        self._refuses = refuses

    def carry_out(self, change: Change) -> None:
        if change == self._refuses:
            raise BrokerError("the cluster does not change the topic b: Invalid partitions")


class Registry:
    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    async def register(self, subject: str, text: str) -> None:
        self.done.append((subject, text))

    async def set_level(self, subject: str, level: str) -> None:
        self.done.append((subject, level))


async def test_all_is_made_in_the_order_of_the_plan() -> None:
    registry, told = Registry(), list[Change]()
    plan: tuple[Change, ...] = (CREATE, GROW, SET, REGISTER, LEVEL)

    await carry_out(Changes(plan), Cluster(), registry, told.append)  # type: ignore[arg-type]

    assert told == list(plan)
    assert registry.done == [("a-value", '"string"'), ("a-value", "FULL")]


async def test_what_fails_ends_it_and_is_not_told_as_done() -> None:
    registry, told = Registry(), list[Change]()

    with pytest.raises(BrokerError, match="Invalid partitions"):
        await carry_out(Changes((CREATE, GROW, REGISTER)), Cluster(GROW), registry, told.append)  # type: ignore[arg-type]

    assert told == [CREATE]
    assert registry.done == []
