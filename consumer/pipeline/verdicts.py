"""What follows an answer: whose fault it is, and where the batch goes next."""

import asyncio

import msgspec

from consumer.clock import Clock
from consumer.core.refusals import RefusalGuard
from consumer.core.retries import Backoff, Random
from consumer.endpoints.outcome import Delivered, Halted, Outcome, Refused, Rejected, Retry, Unclear
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Delivery, Phase

MASS_REFUSAL = "mass refusal"
HELD_S = 0.5


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often before it is the record's fault."""

    backoff: Backoff = Backoff()
    unclear_votes: int = 3
    """A batch is guilty after so many unclear answers, with others acknowledged in between."""
    unknown_user_attempts: int = 3
    unknown_user_delay_s: float = 5.0


class Verdicts:
    """Applies rule by rule what an outcome means, for one sink."""

    def __init__(
        self,
        sink: Sink,
        policy: RetryPolicy,
        guard: RefusalGuard,
        mapping: RefusalGuard,
        background: Background,
        patient: PatientLedger,
        graveyard: Graveyard,
        settlement: Settlement,
        clock: Clock,
        random: Random,
    ) -> None:
        self._sink = sink
        self._gate = sink.gate
        self._policy = policy
        self._guard = guard
        self._mapping = mapping
        self._unsendable = 0
        self._sendable = 0
        self._background = background
        self._patient = patient
        self._graveyard = graveyard
        self._settlement = settlement
        self._clock = clock
        self._random = random

    async def apply(self, batch: Batch, outcome: Outcome) -> None:
        """The batch was on the wire and this is its outcome; returns when it has ended, waits, or is put back."""
        now_s = self._clock.monotonic_s()
        batch.attempts += 1
        for one in batch.members:
            one.attempts += 1
        match outcome:
            case Delivered():
                await self._delivered(batch, now_s)
            case Rejected():
                await self._rejected(batch, outcome, now_s)
            case Retry():
                self._gate.throttled(now_s, outcome.after_s)
                self._again(batch, now_s, now_s)
            case Halted():
                self._gate.halt(now_s, outcome.reason)
                self._again(batch, now_s, now_s)
            case Unclear():
                await self._unclear(batch, outcome, now_s)

    async def _delivered(self, batch: Batch, now_s: float) -> None:
        if self._gate.halted == MASS_REFUSAL:
            self._guard.forget()
            self._mapping.forget()
        self._gate.delivered()
        self._guard.accepted(now_s, len(batch.members))
        members = batch.members
        self._clear_doubt(members)
        # Durable before the commit: the lanes go on only then, so that a follower finds a window accepted.
        await self._patient.confirm([one.intent for one in members])
        for one in members:
            one.token = 0
        self._sink.finish(members, Ending.DELIVERED)
        self._sink.follow(batch)

    async def _rejected(self, batch: Batch, outcome: Rejected, now_s: float) -> None:
        if self._gate.halted not in (None, MASS_REFUSAL):
            self._gate.reopen()  # A definite refusal is an answer as it should be.
        batch.in_doubt = False
        if len(batch.members) > 1:
            self._sink.release(batch.members)
            self._bisect(batch)
            return
        (one,) = batch.members
        if one.work.assignment.phase is Phase.ENDED:
            # Too late for a letter of ours: who has the partition now decides about the record.
            self._sink.drop_leaving(batch)
            self._sink.follow(batch)
            return
        if outcome.kind is Refused.UNKNOWN_USER and self._may_appear(one):
            self._wait_for_user(batch, one, now_s)
            return
        if self._guard.refused(now_s) or self._gate.halted == MASS_REFUSAL:
            self._gate.halt(now_s, MASS_REFUSAL)
            self._sink.put_back(batch, now_s)
            return
        await self._bury(batch, outcome.reason, outcome.status)

    def _may_appear(self, one: Delivery) -> bool:
        if one.work.assignment.phase or one.lane.spent:
            return False
        one.tries += 1
        if one.tries < self._policy.unknown_user_attempts:
            return True
        one.lane.spent = True
        return False

    def _wait_for_user(self, batch: Batch, one: Delivery, now_s: float) -> None:
        followers = batch.pull({one.lane})
        self._sink.release([one, *followers])
        self._sink.lanes.give_back([one, *followers], now_s + self._policy.unknown_user_delay_s)
        self.retried(1)
        batch.members = []
        self._sink.follow(batch)

    async def _bury(self, batch: Batch, reason: str, status: int | None) -> None:
        (one,) = batch.members
        grave = Grave(reason, self._sink.name, one.intent.route, status, one.attempts)
        await self._graveyard.bury(self._sink, one, grave)
        self._sink.follow(batch)

    def refuse(self, one: Delivery, grave: Grave) -> None:
        """Dead-letter a delivery that no request can be made of, in the background; held while most are like it."""
        self._sink.unsent += 1
        self._unsendable += 1
        self._background.spawn(self._refuse(one, grave))

    async def _refuse(self, one: Delivery, grave: Grave) -> None:
        sink = self._sink
        try:
            now_s = self._clock.monotonic_s()
            # Beside what could be sent, not beside what was: at the start nothing is acknowledged yet.
            sendable = sink.books.matched - self._unsendable
            self._mapping.accepted(now_s, sendable - self._sendable)
            self._sendable = sendable
            if self._mapping.refused(now_s) and self._gate.halted is None:
                self._gate.halt(now_s, MASS_REFUSAL)
            while self._gate.halted == MASS_REFUSAL and not one.work.assignment.phase:
                await asyncio.sleep(HELD_S)
            if one.work.assignment.phase:
                self._settlement.end(sink.books, [one], Ending.ABANDONED)
            else:
                await self._graveyard.bury(sink, one, grave, in_lane=False)
        finally:
            sink.unsent -= 1

    async def _unclear(self, batch: Batch, outcome: Unclear, now_s: float) -> None:
        batch.in_doubt = True
        fresh = [one for one in batch.members if not one.in_doubt]
        for one in fresh:
            one.in_doubt = True
        self._sink.books.in_doubt += len(fresh)
        if batch.mark < 0 or self._gate.successes > batch.mark:
            batch.votes += 1
        batch.mark = self._gate.successes
        self._gate.unclear(now_s)
        if batch.votes < self._policy.unclear_votes:
            delay_s = self._policy.backoff.delay_s(batch.attempts, self._random)
            self._again(batch, now_s, now_s + max(delay_s, outcome.after_s or 0.0))
        elif self._sink.drop_leaving(batch):
            if len(batch.members) > 1:
                self._bisect(batch)  # Its reservations are kept: the answer may still have been a yes.
            else:
                await self._bury(batch, f"{outcome.reason}, {batch.attempts} times while others succeeded", None)
        else:
            self._sink.follow(batch)

    def _again(self, batch: Batch, now_s: float, at_s: float) -> None:
        self.retried(len(batch.members))
        if self._sink.drop_leaving(batch):
            self._sink.put_back(batch, now_s, at_s if batch.in_doubt else 0.0)
        else:
            self._sink.follow(batch)

    def _bisect(self, batch: Batch) -> None:
        self.retried(len(batch.members))
        self._sink.part(batch.split())

    def _clear_doubt(self, members: list[Delivery]) -> None:
        doubtful = [one for one in members if one.in_doubt]
        for one in doubtful:
            one.in_doubt = False
        self._sink.books.in_doubt -= len(doubtful)

    def retried(self, count: int) -> None:
        """Count deliveries that will be sent again."""
        self._sink.books.retries += count
