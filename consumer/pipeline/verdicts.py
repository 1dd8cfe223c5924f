"""What follows an answer: whose fault it is, and where the batch goes next."""

import msgspec

from consumer.clock import Clock
from consumer.core.refusals import PLAUSIBLE_413_BYTES, RefusalGuard
from consumer.core.retries import Backoff, Random, fails_alone
from consumer.endpoints.outcome import Halted, Late, Outcome, Refused, Rejected, Retry, Unclear
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.confirmations import Confirmations
from consumer.pipeline.dead_letters import Graveyard
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.sink import Sink
from consumer.pipeline.work import Delivery, Phase

MASS_REFUSAL = "mass refusal"


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often before it is the record's fault."""

    backoff: Backoff = Backoff()
    unclear_votes: int = 3
    """A batch is guilty after so many unclear answers, with others acknowledged in between, and hardly any not."""
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
        """`guard` counts what the receiver refuses, `mapping` what cannot even be sent."""
        self._sink = sink
        self._stock = sink.stock
        self._gate = sink.gate
        self._policy = policy
        self._guard = guard
        self._mapping = mapping
        self._mass = False
        """A mass refusal stands, whatever else the gate is halted for: nothing is dead-lettered."""
        self._unsendable = 0
        self._sendable = 0
        self._unjudged = 0
        self._background = background
        self._confirmations = Confirmations(
            patient.confirm, self._confirmed, lambda batches: sink.unconfirmed(batches), background
        )
        self._graveyard = graveyard
        self._settlement = settlement
        self._clock = clock
        self._random = random

    def retune(self, policy: RetryPolicy, max_refusal_ratio: float) -> None:
        """Other patience from the next answer on."""
        self._policy = policy
        self._guard.max_ratio = self._mapping.max_ratio = max_refusal_ratio

    def delivered(self, batch: Batch) -> None:
        """The batch was on the wire and is acknowledged: it ends when that is confirmed, see `Sink.confirmed`."""
        now_s = self._attempted(batch)
        if self._gate.delivered(batch.started):
            if self._mass:
                self._end_mass_refusal()
            self._sink.wake()
        self._guard.accepted(now_s, len(batch.members))
        self._stock.let_settle(batch.operation, batch.members, now_s)
        # Durable before the commit: the lanes go on only then, so that a follower finds a window accepted.
        self._confirmations.add(batch)

    async def apply(self, batch: Batch, outcome: Outcome) -> None:
        """The batch had its permit and this is its outcome, which is no acknowledgement; returns when it has ended,
        waits, or is put back."""
        self._sink.wake()  # Its permit is free, however long its ending takes.
        if isinstance(outcome, Late):
            # This process was stopped, or waited for a connection: others may have delivered it meanwhile.
            batch.unanswered = False
            self._stock.part(batch)
            return
        now_s = self._attempted(batch)
        match outcome:
            case Rejected(status=413) if len(batch.members) == 1 and len(batch.body) < PLAUSIBLE_413_BYTES:
                await self._unclear(batch, Unclear(outcome.reason), now_s)
            case Rejected():
                batch.unanswered = False
                await self._rejected(batch, outcome, now_s)
            case Retry():
                batch.unanswered = False
                self._gate.throttled(now_s, outcome.after_s, batch.sent_at_s)
                self._again(batch, now_s, now_s)
            case Halted():
                batch.unanswered = False
                self._gate.halt(now_s, outcome.reason)
                self._again(batch, now_s, now_s + self._halting_again_s(batch))
            case Unclear():
                await self._unclear(batch, outcome, now_s)

    def _attempted(self, batch: Batch) -> float:
        batch.attempts += 1
        for one in batch.members:
            one.attempts += 1
        return self._clock.monotonic_s()

    # --- taken ---

    def _confirmed(self, batches: list[Batch]) -> None:
        members = [one for batch in batches for one in batch.members]
        for one in members:
            one.token = 0
        late = [one for one in members if one.work.assignment.phase is Phase.ENDED]
        if late:
            # Confirmed, but to come again elsewhere, and perhaps on the wire there: delivered is what is counted
            # once, so here it is one that was given up and may have arrived.
            members = [one for one in members if one.work.assignment.phase is not Phase.ENDED]
            self._stock.doubt(late)
            self._stock.finish(late, Ending.ABANDONED)
        self._stock.trust(members)
        self._stock.finish(members, Ending.DELIVERED)
        self._sink.confirmed(batches)

    # --- refused ---

    async def _rejected(self, batch: Batch, outcome: Rejected, now_s: float) -> None:
        if not self._mass:
            self._gate.answered(batch.started)  # A definite refusal is an answer as it should be.
        batch.in_doubt = False
        if len(batch.members) > 1:
            self._stock.release(batch.members)
            self._bisect(batch)
            return
        (one,) = batch.members
        if one.work.assignment.phase is Phase.ENDED:
            # Too late for a letter of ours: who has the partition now decides about the record.
            self._give_up(batch)
        elif outcome.kind is Refused.UNKNOWN_USER and self._may_appear(one):
            self._retried(len(self._stock.drop_leaving(batch)))
            self._stock.step_back(batch, now_s + self._policy.unknown_user_delay_s)
        elif self._guard.refused(now_s) or self._mass:
            self._halt_mass(now_s)
            self._stock.step_back(batch)
        else:
            await self._bury(batch, outcome.reason, outcome.status)

    def _may_appear(self, one: Delivery) -> bool:
        """Whether an unknown user is worth another attempt: ours, or when we drain, that of the next owner."""
        if one.lane.spent:
            return False
        one.tries += 1
        if one.tries < self._policy.unknown_user_attempts:
            return True
        one.lane.spent = True
        return False

    def _halt_mass(self, now_s: float) -> None:
        self._mass = True
        self._gate.halt(now_s, MASS_REFUSAL)

    def _end_mass_refusal(self) -> None:
        self._mass = False
        self._guard.forget()
        self._mapping.forget()
        self._bury_held()

    async def _bury(self, batch: Batch, reason: str, status: int | None) -> None:
        (one,) = batch.members
        grave = Grave(reason, self._sink.name, one.intent.route, status, one.attempts)
        await self._graveyard.bury(self._sink, one, grave)
        self._stock.follow(batch)

    # --- not even sent ---

    def refuse(self, one: Delivery, grave: Grave) -> None:
        """Dead-letter a delivery that no request can be made of, in the background; held while most are like it."""
        self._stock.hold(one, grave)
        self._unsendable += 1
        self._unjudged += 1
        if self._unjudged == 1:
            self._background.spawn(self._judge_unsendable())

    async def _judge_unsendable(self) -> None:
        """Judges all of a chunk at once, beside what could be sent, not beside what was: at the start nothing is
        acknowledged yet."""
        count, self._unjudged = self._unjudged, 0
        now_s = self._clock.monotonic_s()
        sendable = self._sink.books.matched - self._unsendable
        self._mapping.accepted(now_s, sendable - self._sendable)
        self._sendable = sendable
        if self._mapping.refused(now_s, count) and not self._mass:
            self._halt_mass(now_s)
        if not self._mass:
            self._bury_held()

    def _bury_held(self) -> None:
        for one, grave in self._stock.let_go():
            self._background.spawn(self._graveyard.bury(self._sink, one, grave, in_lane=False))

    # --- the destination's, or so it says ---

    def _halting_again_s(self, batch: Batch) -> float:
        """How long a batch rests that halts the destination again and again while others are taken in between.

        A firewall that dislikes one record's text answers it 403. It is not dead-lettered for that; but tried at
        once each time, it alone would hold all others to a few at a time.
        """
        successes = self._gate.successes
        alone = 0 <= batch.halted_at < successes
        batch.halts = batch.halts + 1 if alone else 0
        batch.halted_at = successes
        return self._policy.backoff.delay_s(batch.halts + 3, self._random) if alone else 0.0

    # --- no clear answer ---

    async def _unclear(self, batch: Batch, outcome: Unclear, now_s: float) -> None:
        batch.in_doubt = True
        self._stock.doubt(batch.members)
        gate = self._gate
        if batch.mark < 0 or fails_alone(gate.successes - batch.mark, gate.unclears - batch.unclears):
            batch.votes += 1
        gate.unclear(now_s, batch.sent_at_s)
        batch.mark, batch.unclears = gate.successes, gate.unclears
        if outcome.after_s is not None:
            self._gate.throttled(now_s, outcome.after_s, batch.sent_at_s)
        if batch.votes < self._policy.unclear_votes:
            delay_s = self._policy.backoff.delay_s(batch.attempts, self._random)
            self._again(batch, now_s, now_s + max(delay_s, outcome.after_s or 0.0))
        elif len(batch.members) > 1:
            self._bisect(batch)  # Its reservations are kept: the answer may still have been a yes.
        elif self._stock.drop_leaving(batch):
            self._stock.let_settle(batch.operation, batch.members, now_s)
            await self._bury(batch, f"{outcome.reason}, {batch.attempts} times while others succeeded", None)
        else:
            self._stock.follow(batch)

    # --- again ---

    def _again(self, batch: Batch, now_s: float, at_s: float) -> None:
        self._retried(len(self._stock.drop_leaving(batch)))
        self._stock.put_back(batch, now_s, at_s)

    def _bisect(self, batch: Batch) -> None:
        size = len(batch.members)
        left = len(self._stock.drop_leaving(batch))
        self._retried(left)
        # Where some left, the guilty one may have left with them.
        self._stock.part(batch.split() if left == size else batch.anew())

    def _give_up(self, batch: Batch) -> None:
        self._stock.drop_leaving(batch)
        self._stock.follow(batch)

    def _retried(self, count: int) -> None:
        """So many deliveries will be sent again."""
        self._sink.books.retries += count
