"""Everything at once: two processes of a group, two partitions, and whatever may happen to them, drawn from a seed and
a list of acts. What must hold at every turn is in `stage`; what must hold once peace returns is here."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from consumer.core.claims import KeyState
from consumer.core.gate import GatePolicy
from consumer.core.pressure import PressurePolicy
from consumer.core.retries import Backoff
from consumer.ledger.ledger import Ledger
from consumer.pipeline.sink_policy import SinkPolicy
from consumer.pipeline.verdicts import RetryPolicy
from consumer.types import Record, TopicPartition
from tests.unit.pipeline.edges import header
from tests.unit.pipeline.receiver import (
    Reply,
    Request,
    accept,
    broken,
    lost,
    refuse,
    throttle,
    unauthorized,
    unknown_user,
)
from tests.unit.pipeline.stage import GARBAGE, P0, P1, Process, Stage
from tests.unit.pipeline.virtual_time import loop

BACKOFF = Backoff(base_s=0.1, max_s=3.0)
POLICY = {
    "gate": GatePolicy(max_in_flight=3, breaker_after=4, backoff=BACKOFF),
    "sink": SinkPolicy(max_items=4, linger_s=0.01, fresh_s=2.0),
    "retry": RetryPolicy(backoff=BACKOFF, unclear_votes=3, unknown_user_attempts=2, unknown_user_delay_s=1.0),
}
RATED = {**POLICY, "gate": GatePolicy(max_in_flight=3, rate_per_s=20.0, backoff=BACKOFF)}

MOODS: dict[str, Sequence[Callable[[Request], Reply]]] = {
    "fine": [accept],
    "flaky": [accept, accept, accept, broken, lost],
    "down": [broken, lost],
    "locked": [unauthorized],
    "busy": [accept, accept, throttle(1), throttle(3)],
    "strange": [accept, refuse, unknown_user, broken, lost, throttle(1), unauthorized],
}

ACTS = (
    "say",
    "say",
    "say",
    "wait",
    "wait",
    "wait",
    "wait_long",
    "change_mood",
    "change_mood",
    "revoke",
    "lose",
    "fence",
    "ledger_fails",
    "ledger_slow",
    "letters_fail",
    "kill",
)


class Drama:
    """One play. `acts` names its methods, each with a number that says on whom."""

    targets: Sequence[tuple[str, ...]] = (("distinct",), ("client",), ("distinct", "client"))
    """Where a record may go."""

    def __init__(self, seed: int, open_ledger: Callable[[], Ledger] | None = None) -> None:
        self.stage = Stage(random=Random(seed), open_ledger=open_ledger)
        self.random = self.stage.random
        self.owners: dict[TopicPartition, Process] = {}
        self.mood = "fine"
        self.minutes: dict[str, float | None] = {}
        """Of each id, the minute of its open, if it is one."""
        self.matched: list[tuple[str, Record, str, float | None]] = []
        self.killed = False
        self.doubled = False
        """Two processes may have taken one record to be theirs, or one key, and counted it both: after a fence, and
        where a confirmation was kept back for longer than a reservation lives."""
        self.stage.receiver.rule = self._reply

    async def play(self, acts: Sequence[tuple[str, int]]) -> None:
        await self.begin()
        for name, number in acts:
            await self.act(name, number)
        await self.peace()

    async def act(self, name: str, number: int) -> None:
        act: Callable[[int], Coroutine[Any, Any, None]] = getattr(self, name)
        await act(number)

    async def begin(self) -> None:
        for _ in range(2):
            await self._new_process()
        for partition, process in zip((P0, P1), self.stage.processes, strict=True):
            await self._give(partition, process)

    # --- acts ---

    async def say(self, number: int) -> None:
        """Some records, of few users, with few ids: many are duplicates of each other."""
        for _ in range(number % 12 + 1):
            self._say()
        for one in self.stage.processes:
            one.poll()

    async def wait(self, number: int) -> None:
        await asyncio.sleep((0.0, 0.005, 0.01, 0.05, 0.3, 2.0)[number % 6])

    async def wait_long(self, number: int) -> None:
        await asyncio.sleep((10.0, 30.0, 70.0)[number % 3])

    async def change_mood(self, number: int) -> None:
        self.mood = list(MOODS)[number % len(MOODS)]

    async def revoke(self, number: int) -> None:
        """A rebalance: to the other process, or away and back."""
        partition = (P0, P1)[number % 2]
        await self.owners[partition].revoke(partition, deadline_s=(0.0, 0.02, 1.0, 8.0)[number // 2 % 4])
        await self._give(partition, self._someone(number // 8))

    async def lose(self, number: int) -> None:
        partition = (P0, P1)[number % 2]
        self.owners[partition].lose(partition)
        await self._give(partition, self._someone(number // 2))

    async def fence(self, number: int) -> None:
        """The next owner comes before the one of before knows."""
        partition = (P0, P1)[number % 2]
        before, after = self.owners[partition], self._someone(number // 2)
        if before is after:
            return
        self.doubled = True
        await self._give(partition, after)
        await asyncio.sleep((0.0, 0.02, 3.0)[number // 4 % 3])
        if partition in before.epochs:
            before.lose(partition)

    async def ledger_fails(self, number: int) -> None:
        one = self._someone(number)
        name = ("reserve", "confirm", "release", "bury", "states", "advance")[number // 2 % 6]
        one.ledger.failing ^= {name}
        self.doubled = self.doubled or name == "confirm"

    async def ledger_slow(self, number: int) -> None:
        """A call hangs for a moment."""
        one = self._someone(number)
        name = ("reserve", "confirm", "release", "bury")[number // 2 % 4]
        event = one.ledger.hang(name)

        def go_on() -> None:
            event.set()
            one.ledger.hanging.pop(name, None)

        loop().call_later((0.001, 0.02, 0.5)[number // 8 % 3], go_on)

    async def letters_fail(self, number: int) -> None:
        self.stage.letters.writable = not self.stage.letters.writable

    async def kill(self, number: int) -> None:
        """SIGKILL, and another one is started."""
        self.killed = True
        one = self._someone(number)
        await one.kill()
        await self._new_process()
        for partition, owner in list(self.owners.items()):
            if owner is one:
                await self._give(partition, self._someone(number // 2))

    # --- then ---

    async def peace(self) -> None:
        """All trouble ends; everything has to come to its end, and nothing may be left behind."""
        stage = self.stage
        self.mood = "fine"
        stage.letters.writable = True
        for one in stage.processes:
            one.ledger.failing.clear()
            for event in list(one.ledger.hanging.values()):
                event.set()
        limit_s = loop().now_s + 600.0
        ends = {partition: log[-1].offset + 1 for partition, log in stage.logs.items() if log}
        while any(stage.committed.get(partition, 0) < end for partition, end in ends.items()) or any(
            one.coordinator.count().in_flight for one in stage.processes
        ):
            assert loop().now_s < limit_s, self._where()
            for one in stage.processes:
                one.poll()
            await asyncio.sleep(0.5)
        self._nothing_lost()
        if not self.doubled:
            stage.check_receiver(whole=not self.killed)
            self._nothing_doubled()
        await asyncio.sleep(60.0)  # what was tried again at growing distances has been taken by now
        turns = loop().turns
        await asyncio.sleep(60.0)
        assert loop().turns - turns < 60 * 10 * len(stage.processes), "it spins"
        await self._nothing_left()

    async def _nothing_left(self) -> None:
        for one in self.stage.processes:
            for sink in one.sinks.values():
                assert sink.gate.in_flight == 0
                assert len(sink.lanes) == 0
                assert sink.lanes.fullest() is None, "an empty lane is kept"
                assert sink.stock.shelf.batches() == []
                assert not (sink._reserving or sink._shipping)
            assert one.pressure.records == one.pressure.bytes == 0
            assert one.poller.polling
            asked = sorted(one.ledger.asked, key=repr)
            held = [
                intent
                for intent, (state, origin) in zip(asked, await one.ledger.states(asked), strict=True)
                if state is KeyState.RESERVED and origin == intent.origin
            ]
            assert held == [], f"{one.name} never gave back {held}"

    def _nothing_lost(self) -> None:
        """Every delivery arrived, or there is a letter for it, or another open that arrived has its window."""
        letters = {
            tuple(header(one, name) for name in ("destination", "origin-partition", "origin-offset"))
            for one in self.stage.letters.letters
        }
        for name, record, id, minute in self.matched:
            accepted = self.stage.receiver.accepted[name]
            if accepted[id] or (name, str(record.partition), str(record.offset)) in letters:
                continue
            others = [at for other, at in self.minutes.items() if accepted[other] and at is not None]
            windowed = minute is not None and any(abs(minute - at) < 20 for at in others)
            assert windowed, f"{id}, {record.origin}, never reached {name}"

    def _nothing_doubled(self) -> None:
        """No more came twice, and no more opens share a window, than had no clear answer in time."""
        for name, accepted in self.stage.receiver.accepted.items():
            dubious = self.stage.dubious[name]
            assert self.stage.receiver.duplicates(name) <= dubious, (name, dubious)
            opens = sorted(at for id, at in self.minutes.items() if accepted[id] and at is not None)
            near = sum(later - earlier < 20 for earlier, later in pairwise(opens))
            assert near <= dubious, (name, opens, dubious)

    # --- the parts ---

    async def _new_process(self) -> Process:
        rated = len(self.stage.processes) % 2 == 1
        one = self.stage.process(
            f"process-{loop().now_s:.3f}-{len(self.stage.processes)}",
            distinct=RATED if rated else POLICY,
            client=POLICY,
            pressure=PressurePolicy(max_pending=30, resume_at=0.5),
        )
        return await one.start()

    async def _give(self, partition: TopicPartition, process: Process) -> None:
        process.ledger.failing -= {"advance"}  # Without its ledger a process takes no partition at all.
        await process.assign(partition)
        self.owners[partition] = process
        process.poll()

    def _someone(self, number: int) -> Process:
        return self.stage.processes[number % len(self.stage.processes)]

    def _say(self) -> None:
        random, stage = self.random, self.stage
        partition = random.choice((P0, P1))
        kind = random.random()
        if kind < 0.05:
            stage.produce(GARBAGE, b"ann", partition)
            return
        if kind < 0.08:
            stage.produce(None, b"ann", partition, gap=random.randrange(3))
            return
        how = "unmapped" if kind < 0.11 else "dropped" if kind < 0.14 else "matched"
        if how == "matched" and self.minutes and random.random() < 0.25:
            id = random.choice(list(self.minutes)[-6:])
        else:
            id = f"e-{len(self.minutes)}"
        minute = self.minutes.setdefault(
            id, random.choice((0.0, 10.0, 25.0)) if random.random() < 0.2 else None
        )
        to = random.choice(self.targets)
        user = random.choice(("ann", "bob", "cat"))
        record = stage.say(id, user, to=to, partition=partition, at_min=minute, how=how)
        if how != "dropped":
            self.matched += [(name.partition("/")[0], record, id, minute) for name in to]

    def _reply(self, request: Request) -> Reply:
        if any(one.endswith("7") for one in request.ids):
            return refuse(request) if self.mood in ("fine", "busy") else self._moody(request, accept)
        return self._moody(request)

    def _moody(self, request: Request, never: object = None) -> Reply:
        """What the mood says; the guilty are never accepted."""
        rule = self.random.choice(MOODS[self.mood])
        reply = rule(request) if rule is not never else refuse(request)
        return Reply(reply.answer, reply.taken and never is None, reply.after_s)

    def _where(self) -> str:
        return "\n".join(
            f"{one.name} {one.coordinator.count()} {[(s.gate.halted, s.gate.in_flight) for s in one.sinks.values()]}"
            for one in self.stage.processes
        )
