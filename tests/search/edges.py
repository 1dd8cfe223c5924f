"""The edges of a process in a search: every call that leaves it waits until the search answers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from consumer.core.horizon import STRIDE
from consumer.endpoints.outcome import Outcome as SendOutcome
from consumer.kafka.letters import Letter, Outcome
from consumer.ledger.ledger import Held, Intent, KeyState, Reservation
from consumer.pipeline.batch import Batch
from consumer.types import Assigned, Origin, TopicPartition


class Call(NamedTuple):
    """What a process asked of the world, and what it is about. Equal in all states in which it asks the same."""

    kind: str
    about: tuple[Any, ...]


class Open:
    """The calls that are not answered."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, asyncio.Future[Any]]] = []

    async def ask(self, kind: str, about: tuple[Any, ...]) -> Any:
        future = asyncio.get_running_loop().create_future()
        entry = (Call(kind, about), future)
        self.calls.append(entry)
        try:
            return await future
        finally:
            self.calls.remove(entry)

    def answer(self, call: Call, answer: Any) -> None:
        next(future for one, future in self.calls if one == call and not future.done()).set_result(answer)


class AskedLedger:
    """A `Ledger` whose store is the search's."""

    def __init__(self, open: Open) -> None:
        self._ask = open.ask

    @property
    def advice(self) -> Sequence[str]:
        return ()

    def watch(self, on_loss: Callable[[str], None]) -> None:
        """A loss is the search's choice, and nobody is told."""

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Assigned]:
        answer = await self._ask("assign", tuple(partitions))
        return {
            partition: Assigned(epoch, position, horizon) for partition, epoch, position, horizon in answer
        }

    async def starts(self, topic: str, chosen: Mapping[int, int]) -> Mapping[int, int]:
        return await self._ask("starts", (topic, tuple(chosen.items())))

    async def reserve(self, intents: Sequence[Intent]) -> Reservation:
        token, refused = await self._ask("reserve", tuple(intents))
        return Reservation(token, dict(refused))

    async def confirm(self, intents: Sequence[Intent]) -> None:
        await self._ask("confirm", tuple(intents))

    async def release(self, held: Sequence[Held]) -> None:
        await self._ask("release", tuple(held))

    async def bury(self, held: Sequence[Held]) -> None:
        await self._ask("bury", tuple(held))

    async def states(self, intents: Sequence[Intent]) -> Sequence[tuple[KeyState, Origin | None]]:
        return await self._ask("states", tuple(intents))

    async def mapped_by(self, intents: Sequence[Intent]) -> Sequence[str | None]:
        return await self._ask("mapped_by", tuple(intents))

    async def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._ask("advance", tuple(sorted(positions.items())))

    async def venture(self, horizons: Mapping[TopicPartition, tuple[int, int]]) -> None:
        # All horizons beyond the few records that there are come to the same.
        places = ((one, (epoch, min(reach, STRIDE))) for one, (epoch, reach) in sorted(horizons.items()))
        if about := tuple(places):
            await self._ask("venture", about)


class AskedPost:
    """In place of `Post`: what the receiver makes of a request is the search's choice."""

    def __init__(self, open: Open) -> None:
        self._ask = open.ask

    async def send(self, batch: Batch) -> SendOutcome:
        return await self._ask("send", tuple(one.intent for one in batch.members))


class AskedWriter:
    """The dead-letter topic."""

    def __init__(self, open: Open) -> None:
        self._ask = open.ask

    async def write(self, letters: Sequence[Letter]) -> list[Outcome]:
        headers = [{name.rpartition(".")[2]: value for name, value in one.headers} for one in letters]
        about = tuple((int(one["origin-partition"] or 0), int(one["origin-offset"] or 0)) for one in headers)
        return [await self._ask("letter", about)]


class Told:
    """The owner thread's face: what it is told is taken down, for the search to do."""

    def __init__(self) -> None:
        self.told: list[Call] = []

    def commit(self, due: Mapping[TopicPartition, tuple[int, int]]) -> None:
        self.told += [Call("commit", (one.partition, epoch, offset)) for one, (epoch, offset) in due.items()]

    def drained(self, partition: int, offset: int | None) -> None:
        self.told.append(Call("drained", (partition, offset)))

    def begun(self, partition: int, epoch: int, offset: int) -> None:
        self.told.append(Call("begun", (partition, epoch, offset)))

    def took(self, count: int) -> None:
        return None

    def rest(self, topics: frozenset[str]) -> None:
        raise AssertionError("nothing here fills the bound")

    def look_elsewhere(self, partitions: list[TopicPartition]) -> None:
        return None

    def reclaim(self, partition: TopicPartition, epoch: int) -> None:
        self.told.append(Call("reclaim", (partition.partition, epoch)))

    def stop(self) -> None:
        return None
