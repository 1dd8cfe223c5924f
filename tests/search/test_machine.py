"""The real classes over the real ledgers, in played time: whatever happens in whatever order, no rule is broken at any
turn of the loop, and when peace returns everything comes to its end. See `tests/unit/pipeline/drama.py`.

The search next door is exhaustive and small; this one is by chance and large: many records, users, both APIs, arrays,
rates, time-outs, and a ledger that does what its own code does.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consumer.clock import Clock
from consumer.ledger.ledger import Ledger
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_store import MemoryStore
from consumer.ledger.policy import LedgerPolicy
from consumer.ledger.sqlite import SqliteLedger
from consumer.ledger.valkey import ValkeyLedger
from consumer.ledger.valkey_address import Access, ValkeyAddress
from tests.brokers.valkey import GivenServer, ValkeyServer
from tests.search.beside import Aside, LedgerBeside, PlayedClock
from tests.unit.pipeline.drama import Drama
from tests.unit.pipeline.stage import AGE_S, LEASE_S
from tests.unit.pipeline.virtual_time import VirtualLoop

POLICY = LedgerPolicy(AGE_S, LEASE_S)
Opened = Callable[[Clock], Ledger]

Server = ValkeyServer | GivenServer

LEDGERS: dict[str, Callable[[Path, Server | None], Opened]] = {
    "memory": lambda _, __: _in_one_store(),
    "sqlite": lambda folder, _: lambda clock: SqliteLedger(folder / "ledger.db", "group", POLICY, clock),
    "valkey": lambda _, server: _in_an_empty_database(server),
}
"""Each gives a store of its own, and that one the ledgers of its processes. Another ledger is one line more."""

NUMBERS = st.integers(0, 1_000)


def _in_one_store() -> Opened:
    store = MemoryStore()
    return lambda clock: MemoryLedger(store, "group", POLICY, clock)


def _in_an_empty_database(server: Server | None) -> Opened:
    assert server is not None
    server.ask("FLUSHDB")
    address = ValkeyAddress.parse(server.url, Access())
    return lambda clock: ValkeyLedger(address, "group", POLICY, clock, time_of_store=clock)


class Group(RuleBasedStateMachine):
    """Two processes, two partitions, two destinations; a rule is one thing that happens."""

    make: Callable[[Path], Opened]

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        self._folder = tempfile.TemporaryDirectory(prefix="ledger-")
        self._aside = Aside()
        self._kills = 0

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._runner.run(coroutine)

    @property
    def _loop(self) -> VirtualLoop:
        loop = self._runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        return loop

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        opened = type(self).make(Path(self._folder.name))
        clock = PlayedClock(self._loop)

        async def begin() -> None:
            self.drama = Drama(seed, lambda: LedgerBeside(opened(clock), self._aside, LEASE_S))
            await self.drama.begin()

        self._run(begin())

    @rule(number=NUMBERS)
    def say(self, number: int) -> None:
        self._run(self.drama.say(number))

    @rule(number=NUMBERS)
    def let_time_pass(self, number: int) -> None:
        self._run(self.drama.wait(number))

    @rule(number=NUMBERS)
    def let_much_time_pass(self, number: int) -> None:
        self._run(self.drama.wait_long(number))

    @rule(number=NUMBERS)
    def let_the_receivers_be_otherwise(self, number: int) -> None:
        self._run(self.drama.change_mood(number))

    @rule(number=NUMBERS)
    def revoke(self, number: int) -> None:
        self._run(self.drama.revoke(number))

    @rule(number=NUMBERS)
    def lose(self, number: int) -> None:
        self._run(self.drama.lose(number))

    @rule(number=NUMBERS)
    def fence(self, number: int) -> None:
        self._run(self.drama.fence(number))

    @rule(number=NUMBERS)
    def let_the_ledger_fail(self, number: int) -> None:
        self._run(self.drama.ledger_fails(number))

    @rule(number=NUMBERS)
    def let_the_ledger_be_slow(self, number: int) -> None:
        self._run(self.drama.ledger_slow(number))

    @rule(number=NUMBERS)
    def let_dead_letters_fail(self, number: int) -> None:
        self._run(self.drama.letters_fail(number))

    @precondition(lambda self: self._kills < 2)
    @rule(number=NUMBERS)
    def kill(self, number: int) -> None:
        self._kills += 1
        self._run(self.drama.kill(number))

    def teardown(self) -> None:
        """Peace, unless something broke before."""
        try:
            if hasattr(self, "drama") and not self._loop.failures:
                self._run(self.drama.peace())
        finally:
            self._end()

    def _end(self) -> None:
        loop = self._loop
        loop.each_turn = lambda: None
        loop.failures.clear()
        for close in loop.at_the_end:
            self._runner.run(close())
        self._runner.close()
        self._aside.close()
        self._folder.cleanup()


def play(
    kind: str, examples: int, steps: int = 25, *, shrinks: bool = True, server: Server | None = None
) -> None:
    """Let chance play with one kind of ledger; that on Valkey needs a server."""
    machine = type("Group", (Group,), {"make": staticmethod(lambda folder: LEDGERS[kind](folder, server))})
    phases = tuple(Phase) if shrinks else (Phase.generate,)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            derandomize=not shrinks,
        ),
    )


@pytest.fixture(params=LEDGERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest) -> Server | None:
    """Where the ledger needs one; skips where there is none."""
    return request.getfixturevalue("shared_server") if kind == "valkey" else None


def test_whatever_happens_no_rule_is_broken_and_all_comes_to_its_end(
    kind: str, server: Server | None
) -> None:
    play(kind, 12, server=server)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_whatever_happens_for_long_no_rule_is_broken_and_all_comes_to_its_end(
    kind: str, server: Server | None
) -> None:
    play(kind, 150, 60, server=server)


def test_the_machine_finds_a_ledger_that_confirms_nothing() -> None:
    with patch.object(MemoryLedger, "confirm", AsyncMock()), pytest.raises(AssertionError):
        play("memory", 20, shrinks=False)
