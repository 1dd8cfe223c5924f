"""The product with one of its defences removed: what a search has to find."""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec.structs import replace

from consumer.core.offsets import OffsetTracker
from consumer.ledger.ledger import Held, Intent
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.policy import expiry_s
from consumer.pipeline.batch import Batch
from consumer.pipeline.commits import Committer
from consumer.pipeline.confirmations import Confirmations
from consumer.pipeline.coordinator import Coordinator
from consumer.pipeline.settle import Ending
from consumer.pipeline.sink import Sink
from consumer.pipeline.stock import Stock
from consumer.pipeline.verdicts import Verdicts
from consumer.pipeline.work import Delivery, Phase
from tests.search.scenario import Budget, Said, Scenario


class Mutation(NamedTuple):
    """A defence, the code without it, where it is missed, and what the search says then."""

    defence: str
    without: Callable[[], Any]
    scenario: Scenario
    broken: str


TWO = (Said(0, "A", "ann"), Said(0, "B", "bob"))
ALIKE = (Said(0, "A", "ann"), Said(1, "A", "bob"))
OPENS = (Said(0, "A", "ann", minute=0, guilty=True), Said(1, "B", "bob", minute=10))


def play(records: Sequence[Said], **budget: int) -> Scenario:
    owners = tuple(range(1 + max(one.partition for one in records)))
    return Scenario("mutation", tuple(records), Budget(**budget), owners=owners)


@contextmanager
def past_the_unsettled() -> Iterator[None]:
    really = OffsetTracker._keep

    def keep(self: OffsetTracker, number: int, offset: int) -> None:
        really(self, number, offset)
        self._committable = max(self._committable, offset + 1)

    with patch.object(OffsetTracker, "_keep", keep):
        yield


@contextmanager
def released_when_unclear() -> Iterator[None]:
    really = Stock.put_back

    def put_back(self: Stock, batch: Batch, now_s: float, not_before_s: float = 0.0) -> None:
        batch.in_doubt = False
        really(self, batch, now_s, not_before_s)

    with patch.object(Stock, "put_back", put_back):
        yield


@contextmanager
def fence_ignored() -> Iterator[None]:
    really = MemoryLedger._reserve_one

    def reserve_one(self: MemoryLedger, intent: Intent, token: int, now_ms: int) -> Any:
        return really(self, replace(intent, epoch=1_000), token, now_ms)

    with patch.object(MemoryLedger, "_reserve_one", reserve_one):
        yield


@contextmanager
def confirmed_by_the_holder_only() -> Iterator[None]:
    really = MemoryLedger.confirm

    async def confirm(self: MemoryLedger, intents: Sequence[Intent]) -> None:
        rows = self._store.reserved
        held = [one for one in intents if (row := rows.get(one.slot)) and row.owner == self._owner.id]
        await really(self, held)

    with patch.object(MemoryLedger, "confirm", confirm):
        yield


def stolen_before_the_lease_ends() -> Any:
    return patch.object(MemoryLedger, "_lapsed", lambda self, row, now_ms: True)


@contextmanager
def window_occupied_at_reserve() -> Iterator[None]:
    really = MemoryLedger._reserve_one

    def reserve_one(self: MemoryLedger, intent: Intent, token: int, now_ms: int) -> Any:
        refusal = really(self, intent, token, now_ms)
        if refusal is None and intent.once is not None:
            until_s = expiry_s(self._clock.wall_s(), self._policy.window_keep_s)
            self._store.accept(intent.once, intent.holder, until_s)
        return refusal

    with patch.object(MemoryLedger, "_reserve_one", reserve_one):
        yield


@contextmanager
def committed_before_recorded() -> Iterator[None]:
    async def commit(self: Committer, assignments: Any) -> None:
        behind = [one for one in assignments if one.tracker.committable > one.committed]
        due = {one.partition: (one.epoch, one.tracker.committable) for one in behind}
        self._commit(due)
        await self._patient.advance({partition: offset for partition, (_, offset) in due.items()})

    with patch.object(Committer, "commit", commit):
        yield


@contextmanager
def begun_before_ventured() -> Iterator[None]:
    """Reading begins while the ledger is still being told how far it may go."""
    really = Coordinator.begin

    async def begin(self: Coordinator, positions: Any) -> None:
        ledger, told = self._ledger, self._patient.venture

        async def venture(horizons: Any) -> None:
            asyncio.get_running_loop().create_task(told(horizons))

        with patch.object(ledger, "venture", venture):
            await really(self, positions)

    with patch.object(Coordinator, "begin", begin):
        yield


@contextmanager
def settled_before_confirmed() -> Iterator[None]:
    async def write(self: Confirmations) -> None:
        while self._waiting:
            batches, self._waiting = self._waiting, []
            self._done(batches)
            await self._confirm([one.intent for batch in batches for one in batch.members])
        self._writing = False

    with patch.object(Confirmations, "_write", write):
        yield


@contextmanager
def ended_when_acknowledged() -> Iterator[None]:
    """The request is over with its answer, whether that is written down yet or not."""
    really = Sink._see_through

    async def see_through(self: Sink, batch: Batch) -> None:
        await really(self, batch)
        self._shipping.discard(batch)

    with patch.object(Sink, "_see_through", see_through):
        yield


def drained_without_waiting() -> Any:
    return patch.object(Coordinator, "_busy_with", lambda self, assignments: False)


def kept_at_the_end_of_an_assignment() -> Any:
    return patch.object(Stock, "abandon", lambda self, members: self.finish(members, Ending.ABANDONED))


@contextmanager
def release_without_a_token() -> Iterator[None]:
    def give_back(self: MemoryLedger, one: Held) -> bool:
        self._store.end(one.intent.slot)
        self._store._settled.pop(one.intent.slot, None)
        return True

    with patch.object(MemoryLedger, "_give_back", give_back):
        yield


@contextmanager
def late_answers_dropped() -> Iterator[None]:
    really = Verdicts.delivered

    def delivered(self: Verdicts, batch: Batch) -> None:
        if all(one.work.assignment.phase is Phase.ENDED for one in batch.members):
            self._stock.finish(batch.members, Ending.ABANDONED)
            self._sink.confirmed([batch])
        else:
            really(self, batch)

    with patch.object(Verdicts, "delivered", delivered):
        yield


@contextmanager
def settled_twice() -> Iterator[None]:
    really = Stock.finish

    def finish(self: Stock, members: list[Delivery], ending: Ending) -> None:
        really(self, members, ending)
        if ending is Ending.SUPPRESSED:
            self._books.suppressed += 1

    with patch.object(Stock, "finish", finish):
        yield


@contextmanager
def lanes_not_kept() -> Iterator[None]:
    """Every record in a lane of its own."""
    really = Sink.offer

    def offer(self: Sink, lane_key: Hashable, delivery: Delivery) -> None:
        really(self, (lane_key, delivery.intent.offset), delivery)

    with patch.object(Sink, "offer", offer):
        yield


@contextmanager
def dead_letter_without_a_row() -> Iterator[None]:
    with patch.object(MemoryLedger, "bury", MemoryLedger.release):
        yield


MUTATIONS = (
    Mutation("a commit stays below the first unsettled record", past_the_unsettled, play(TWO), "rule 1"),
    Mutation(
        "a record goes only after those before it in its lane",
        lanes_not_kept,
        play((TWO[0], Said(0, "B", "ann"))),
        "rule 3",
    ),
    Mutation(
        "after an unclear answer the reservation is kept",
        released_when_unclear,
        play(ALIKE, lose_answer=1),
        "rule 2",
    ),
    Mutation("a fenced process is granted nothing", fence_ignored, play(ALIKE, steal=1), "rule 2"),
    Mutation(
        "a confirmation needs no token",
        confirmed_by_the_holder_only,
        play(ALIKE, steal=1),
        "rules 2 and 5",
    ),
    Mutation(
        "an acknowledgement after the end of its assignment is confirmed",
        late_answers_dropped,
        play(ALIKE, revoke=1, deadline=1),
        "rule",
    ),
    Mutation(
        "a reservation is taken over only when it lapsed", stolen_before_the_lease_ends, play(ALIKE), "rule 2"
    ),
    Mutation("a window is occupied by what was accepted", window_occupied_at_reserve, play(OPENS), "rule 1"),
    Mutation(
        "the ledger's position is written before the commit",
        committed_before_recorded,
        play(TWO[:1]),
        "rule 9",
    ),
    Mutation(
        "the ledger knows what may be met before it is decoded",
        begun_before_ventured,
        play(TWO[:1]),
        "killers",
    ),
    Mutation("a record is settled once it is confirmed", settled_before_confirmed, play(TWO[:1]), "rule 2"),
    Mutation(
        "a drain waits for what is on the wire", drained_without_waiting, play(TWO[:1], revoke=1), "rule 8"
    ),
    Mutation(
        "a drain waits for what is acknowledged and not confirmed",
        ended_when_acknowledged,
        play(TWO[:1], revoke=1),
        "rule 8",
    ),
    Mutation(
        "what an assignment held is given back at its end",
        kept_at_the_end_of_an_assignment,
        play(ALIKE, revoke=1, lose_answer=1),
        "rule 8",
    ),
    Mutation(
        "a release needs the holder's token, and changes no confirmed row",
        release_without_a_token,
        play(ALIKE, steal=1),
        "rule",
    ),
    Mutation("each delivery is counted once", settled_twice, play(ALIKE), "rule 11"),
    Mutation(
        "a dead letter leaves a row",
        dead_letter_without_a_row,
        play((TWO[1], Said(0, "A", "ann", guilty=True)), revoke=1),
        "rule 2",
    ),
)
