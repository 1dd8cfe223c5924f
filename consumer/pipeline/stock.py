"""One destination's deliveries from their lane to their end, wherever they stand."""

from collections.abc import Iterable

from consumer.core.books import DestinationBooks
from consumer.core.lanes import Lanes
from consumer.endpoints.endpoint import Operation
from consumer.endpoints.settling import Settling
from consumer.ledger.ledger import Held
from consumer.pipeline.background import Background
from consumer.pipeline.batch import Batch
from consumer.pipeline.grave import Grave
from consumer.pipeline.patience import PatientLedger
from consumer.pipeline.settle import Ending, Settlement
from consumer.pipeline.shelf import Shelf
from consumer.pipeline.work import Delivery


class Stock:
    """A delivery is always in one place: queued in its lane; or taken from it, and then in a batch that is being
    reserved, on the shelf, on the wire, or ending; or, if it cannot be sent at all, held or on its way to the
    dead letters. What moves it keeps the books even; nothing here waits.
    """

    def __init__(
        self, books: DestinationBooks, settlement: Settlement, patient: PatientLedger, background: Background
    ) -> None:
        self.lanes: Lanes[Delivery] = Lanes()
        self.shelf = Shelf()
        self.unsent = 0
        """Deliveries that cannot be sent, held or on their way to the dead letters: they are in no lane."""
        self._held: list[tuple[Delivery, Grave]] = []
        self._books = books
        self._settlement = settlement
        self._patient = patient
        self._background = background

    @property
    def in_flight(self) -> int:
        """Deliveries that have not ended, counted where they stand."""
        return len(self.lanes) + self.unsent

    # --- ends ---

    def finish(self, members: list[Delivery], ending: Ending) -> None:
        """These ended, and hold nothing any more: their lanes go on."""
        self._settlement.end(self._books, members, ending)
        self.lanes.done(members)

    def abandon(self, members: list[Delivery]) -> None:
        """Their assignment ends and they are not on the wire: given back and given up."""
        self.release(members)
        self.finish(members, Ending.ABANDONED)

    def finish_unsent(self, one: Delivery, ending: Ending) -> None:
        """One that could not be sent ended."""
        self.unsent -= 1
        self._settlement.end(self._books, [one], ending)

    def release(self, members: list[Delivery]) -> None:
        """Give back what they hold, in the background, until the ledger has it."""
        held = [Held(one.intent, one.token) for one in members if one.token]
        if held:
            for one in members:
                one.token = 0
            self._background.spawn(self._patient.release(held))

    def doubt(self, members: list[Delivery]) -> None:
        """An attempt at these has no clear answer: the receiver may have taken them."""
        fresh = [one for one in members if not one.in_doubt]
        for one in fresh:
            one.in_doubt = True
        self._books.in_doubt += len(fresh)

    def let_settle(self, operation: Operation, members: list[Delivery], now_s: float) -> None:
        """These end, and the receiver has them or may have them: where the operation asks for it, their lanes rest."""
        if isinstance(operation, Settling) and operation.settle_delay_s:
            for one in members:
                one.lane.not_before_s = max(one.lane.not_before_s, now_s + operation.settle_delay_s)

    def trust(self, members: list[Delivery]) -> None:
        """These were acknowledged in the end."""
        if not self._books.in_doubt:
            return
        doubtful = [one for one in members if one.in_doubt]
        for one in doubtful:
            one.in_doubt = False
        self._books.in_doubt -= len(doubtful)

    # --- moves ---

    def put_back(self, batch: Batch, now_s: float, not_before_s: float = 0.0) -> None:
        """It cannot go now. Never sent: its members return to their lanes. Sent: the same array waits, and gives
        back what it holds unless an answer was unclear."""
        members = self.drop_leaving(batch)
        if not batch.in_doubt:
            self.release(members)
            if not batch.frozen:
                self.lanes.give_back(members)
                return
        self.later(batch, max(now_s, not_before_s))

    def step_back(self, batch: Batch, not_before_s: float = 0.0) -> None:
        """Its members return to the heads of their lanes, behind the lanes that are ready, and with them what
        follows them in parts to come; the other parts go on."""
        members = self.drop_leaving(batch)
        members = [*members, *batch.pull({one.lane for one in members})]
        self.release(members)
        self.lanes.give_back(members, not_before_s)
        batch.members = []
        self.follow(batch)

    def later(self, batch: Batch, at_s: float) -> None:
        """The same array again, not before `at_s`."""
        if batch.members:
            self.shelf.wait(batch, at_s)
        else:
            self.follow(batch)

    def part(self, batch: Batch) -> None:
        """A part of a bisected array goes as soon as the gate takes it, after reserving anew."""
        if self.drop_leaving(batch):
            self.shelf.parts.append(batch)
        else:
            self.follow(batch)

    def follow(self, batch: Batch) -> None:
        """The batch ended: the next part of its array, if it was bisected, is due."""
        part = batch.following()
        if part is not None:
            self.part(part)

    # --- what cannot be sent ---

    def hold(self, one: Delivery, grave: Grave) -> None:
        """It cannot be sent, and waits for its verdict."""
        self.unsent += 1
        self._held.append((one, grave))

    @property
    def held(self) -> list[Delivery]:
        """Those that wait for their verdict."""
        return [one for one, _ in self._held]

    def let_go(self) -> list[tuple[Delivery, Grave]]:
        """Take all that are held; each has to come to `finish_unsent` then."""
        held, self._held = self._held, []
        return held

    # --- out ---

    def leave(self, moving: Iterable[Batch]) -> None:
        """Abandon at once all whose assignment drains or ended and that is not on the wire. `moving` are the
        batches that are being reserved or on the wire: of these, the parts to come."""
        # What is queued was never taken, so it holds nothing and its lanes do not count it.
        self._settlement.end(self._books, self.lanes.abandon(_leaves), Ending.ABANDONED)
        held, self._held = self._held, []
        for one, grave in held:
            if _leaves(one):
                self.finish_unsent(one, Ending.ABANDONED)
            else:
                self._held.append((one, grave))
        batches = self.shelf.batches()
        for batch in batches:
            self.drop_leaving(batch)
        self.shelf.prune()
        for batch in batches:
            if not batch.members:
                self.follow(batch)
        for batch in moving:
            self._drop_leaving_parts(batch)

    def drop_leaving(self, batch: Batch) -> list[Delivery]:
        """Members whose partition leaves are given up, in the batch and in its parts to come; gives the rest."""
        leaving = [one for one in batch.members if one.work.assignment.phase]
        if leaving:
            batch.keep([one for one in batch.members if not one.work.assignment.phase])
            self.abandon(leaving)
        self._drop_leaving_parts(batch)
        return batch.members

    def _drop_leaving_parts(self, batch: Batch) -> None:
        leaving = [one for part in batch.rest for one in part if one.work.assignment.phase]
        if leaving:
            parts = ([one for one in part if not one.work.assignment.phase] for part in batch.rest)
            batch.rest = tuple(part for part in parts if part)
            self.abandon(leaving)


def _leaves(one: Delivery) -> bool:
    return bool(one.work.assignment.phase)
