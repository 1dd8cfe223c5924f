"""The same script gives the same answers on every ledger, whatever the script."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from consumer.core.claims import Once
from consumer.ledger.ledger import Held, Intent, Wait
from consumer.ledger.owner import FORGET_MS
from consumer.types import TopicPartition
from tests.brokers.valkey import GivenServer, ValkeyServer
from tests.contract.ledgers.cast import AGE_S, LEASE_S, TOPIC, Process, World, ever, open_of

R = TypeVar("R")

PROCESSES = 3
PARTITIONS = 2
KEYS = [None, "K", "L", "M"]


class Spec(msgspec.Struct, frozen=True):
    """A record, as far as it is the same for every process that reads it."""

    offset: int
    partition: int
    key: str | None
    once: Once | None
    route: str
    redrive: bool

    def read_by(self, process: Process) -> Intent:
        plain = process.record(
            self.offset, key=self.key, partition=self.partition, once=self.once, route=self.route
        )
        return msgspec.structs.replace(plain, redrive=self.redrive)


onces = st.none() | st.builds(open_of, st.sampled_from("ab"), st.integers(-25, 25)) | st.just(ever("4711"))
specs = st.builds(
    Spec,
    offset=st.integers(0, 3),
    partition=st.integers(0, PARTITIONS - 1),
    key=st.sampled_from(KEYS),
    once=onces,
    route=st.sampled_from("xy"),
    redrive=st.sampled_from([False] * 5 + [True]),
)
calls = st.lists(specs, max_size=6)
whose = st.integers(0, PROCESSES - 1)
groups = ["group", "group", "replay"]


class Pair(msgspec.Struct):
    """The same process on both ledgers."""

    memory: Process
    other: Process


class Taken(msgspec.Struct, frozen=True):
    """What both ledgers granted: the tokens differ, and nothing else."""

    spec: Spec
    memory: Held
    other: Held
    at_s: float


class Agreement(RuleBasedStateMachine):
    def __init__(self, kind: str, server: ValkeyServer | GivenServer | None) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._memory = World("memory", Path(self._folder.name))
        self._other = World(kind, Path(self._folder.name), server)
        if server is not None:
            server.ask("FLUSHDB")
        self._clock = self._other.clock = self._memory.clock
        self._pairs: list[Pair] = []
        self._taken: list[Taken] = []
        self._tokens: dict[int, int] = {}
        """Of the other ledger's reservations, those of the one in memory."""

    def teardown(self) -> None:
        self._loop.run(self._memory.end())
        self._loop.run(self._other.end())
        self._loop.close()
        self._folder.cleanup()

    def _both(self, whose: int, ask: Callable[[Process], Awaitable[R]]) -> tuple[R, R]:
        async def both() -> tuple[R, R]:
            pair = self._pairs[whose]
            return await ask(pair.memory), await ask(pair.other)

        return self._loop.run(both())

    async def _start(self, number: int) -> Pair:
        group = groups[number]
        return Pair(await self._memory.process(group=group), await self._other.process(group=group))

    @initialize()
    def start(self) -> None:
        async def start() -> None:
            self._pairs = [await self._start(number) for number in range(PROCESSES)]

        self._loop.run(start())

    @rule(whose=whose, partitions=st.lists(st.integers(0, PARTITIONS - 1), unique=True))
    def assign(self, whose: int, partitions: list[int]) -> None:
        self._both(whose, lambda process: process.assign(*partitions))

    @rule(whose=whose, call=calls)
    def reserve(self, whose: int, call: list[Spec]) -> None:
        async def ask(process: Process) -> tuple[list[Held | None], dict[int, object]]:
            intents = [spec.read_by(process) for spec in call]
            answer = await process.ledger.reserve(intents)
            held = [None if n in answer.refused else Held(one, answer.token) for n, one in enumerate(intents)]
            return held, dict(answer.refused)

        (memory, refused), (other, refused_too) = self._both(whose, ask)
        for spec, one, its in zip(call, memory, other, strict=True):
            if one is not None and its is not None:
                self._taken.append(Taken(spec, one, its, self._clock.monotonic_s()))
                self._tokens[its.token] = one.token
        assert refused == {index: self._by_memory(refusal) for index, refusal in refused_too.items()}

    def _by_memory(self, refusal: object) -> object:
        """The other ledger's refusal, with the token that the one in memory has for that reservation."""
        return Wait(refusal.holder, self._tokens[refusal.token]) if isinstance(refusal, Wait) else refusal

    @rule(whose=whose, call=calls)
    def confirm(self, whose: int, call: list[Spec]) -> None:
        self._both(whose, lambda process: process.ledger.confirm([spec.read_by(process) for spec in call]))

    @rule(whose=whose, places=st.sets(st.integers(0, 40)), bury=st.booleans())
    def give_back(self, whose: int, places: set[int], bury: bool) -> None:
        """Some of the tokens of the last hour; older ones depend on when a sweep came by."""
        since_s = self._clock.monotonic_s() - FORGET_MS / 1000
        recent = [one for one in self._taken if one.at_s > since_s]
        chosen = [one for place, one in enumerate(reversed(recent)) if place in places]

        async def give_back(process: Process, held: Sequence[Held]) -> None:
            await (process.ledger.bury(held) if bury else process.ledger.release(held))

        pair = self._pairs[whose]
        self._loop.run(give_back(pair.memory, [one.memory for one in chosen]))
        self._loop.run(give_back(pair.other, [one.other for one in chosen]))

    @rule(
        seconds=st.sampled_from(
            [1.0, LEASE_S / 2, LEASE_S, LEASE_S + 1, AGE_S, 3_600.0, 90_000.0, 180_000.0, 3_000_000.0]
        )
    )
    def time_passes(self, seconds: float) -> None:
        self._clock.advance(seconds)

    @rule()
    def the_calendar_jumps(self) -> None:
        """Not back: whether an expired row counts again then depends on when a sweep came by."""
        self._clock.set_wall(self._clock.wall_s() + 3_600)

    @rule(whose=whose)
    def crash_and_restart(self, whose: int) -> None:
        async def restart() -> Pair:
            await self._memory.crash(self._pairs[whose].memory)
            await self._other.crash(self._pairs[whose].other)
            return await self._start(whose)

        self._pairs[whose] = self._loop.run(restart())

    @rule(whose=whose, partition=st.integers(0, PARTITIONS - 1), offset=st.integers(0, 9))
    def advance(self, whose: int, partition: int, offset: int) -> None:
        place = TopicPartition(TOPIC, partition)
        self._both(whose, lambda process: process.ledger.advance({place: offset}))

    @rule(whose=whose, partition=st.integers(0, PARTITIONS - 1), horizon=st.integers(0, 9))
    def venture(self, whose: int, partition: int, horizon: int) -> None:
        place = TopicPartition(TOPIC, partition)
        self._both(
            whose,
            lambda process: process.ledger.venture({place: (process.epochs.get(partition, 0), horizon)}),
        )

    @rule(whose=whose, chosen=st.dictionaries(st.integers(0, PARTITIONS), st.integers(0, 9)))
    def starts(self, whose: int, chosen: dict[int, int]) -> None:
        one, other = self._both(whose, lambda process: process.ledger.starts(TOPIC, chosen))
        assert one == other

    @rule(whose=whose)
    def positions(self, whose: int) -> None:
        place = TopicPartition("another", 0), TopicPartition(TOPIC, 1)
        one, other = self._both(whose, lambda process: process.ledger.assign(place))
        assert [one[each].position for each in place] == [other[each].position for each in place]
        assert [one[each].horizon for each in place] == [other[each].horizon for each in place]

    @invariant()
    def the_same_is_known_of_every_key(self) -> None:
        if self._pairs:
            intents = [self._pairs[0].memory.record(0, key=key) for key in KEYS]
            one, other = self._both(0, lambda process: process.ledger.states(intents))
            assert list(one) == list(other)


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_memory_and_every_other_ledger_agree_on_any_script(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("shared_server") if kind == "valkey" else None
    run_state_machine_as_test(
        cast(Any, partial(Agreement, kind, server)),
        settings=settings(max_examples=40, stateful_step_count=40),
    )
