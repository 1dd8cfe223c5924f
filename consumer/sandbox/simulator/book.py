"""The ledger of one API."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from itertools import islice

from consumer.sandbox.simulator.ledger_report import BookReport, LedgerItem
from consumer.sandbox.simulator.recent import Recent
from consumer.sandbox.simulator.verdict import Accepted, Refused

Identity = str | tuple[str, int]
"""An event id, or else the Idempotency-Key and the item's place under it."""


class Book:
    """Counts requests and items. Repeats are accepted, as the real servers do, and counted.

    Identities are kept apart by operation: one event may well become an identify and an event.
    """

    def __init__(self, *, keep_items: bool, keep: int | None = None) -> None:
        """keep: how many items, and ids of each operation, are remembered at most; None: all."""
        self._keep_items = keep_items
        self._items: deque[LedgerItem] = deque(maxlen=keep)
        self._accepted_ids: defaultdict[str, Recent[Identity]] = defaultdict(lambda: Recent(keep))
        self._refused_ids: defaultdict[str, Recent[Identity]] = defaultdict(lambda: Recent(keep))
        self._refused_without_id = 0
        self._requests = 0
        self._accepted = 0
        self._duplicates = 0
        self._no_id = 0
        self._dropped = 0
        self._lost_responses = 0
        self._harmed: Counter[str] = Counter()
        self._answers: Counter[tuple[int, str]] = Counter()

    def arrived(self) -> int:
        """A request came; gives its number, from 1."""
        self._requests += 1
        return self._requests

    def dropped(self) -> None:
        """A request was ended before it took effect."""
        self._dropped += 1

    def lost_response(self) -> None:
        """A request took effect, or was refused, and its answer is not sent."""
        self._lost_responses += 1

    def answered(self, status: int, reason: str) -> None:
        """An answer, also one whose sending is then prevented."""
        self._answers[status, reason] += 1

    def accept(self, verdict: Accepted, *, idempotency_key: str | None, request: int, at_ms: int) -> None:
        """Every item of an accepted request, in the order of the array."""
        self.answered(verdict.answer.status, "accepted")
        if verdict.harms:
            self._harmed.update(verdict.harms)
        for index, received in enumerate(verdict.items):
            operation, event_id, user, name, time = received
            duplicate = self._is_repeat(operation, _identity(event_id, idempotency_key, index))
            if self._keep_items:
                self._items.append(
                    LedgerItem(
                        self._accepted,
                        at_ms,
                        request,
                        operation,
                        event_id,
                        idempotency_key,
                        user,
                        name,
                        time,
                        duplicate,
                    )
                )
            self._accepted += 1

    def refuse(self, verdict: Refused, *, idempotency_key: str | None) -> None:
        """A refused request; its guilty items count once, however often they are sent."""
        self.answered(verdict.answer.status, verdict.reason)
        for index, event_id in enumerate(verdict.guilty):
            identity = _identity(event_id, idempotency_key, index)
            if identity is None:
                self._refused_without_id += 1
            else:
                self._refused_ids[verdict.operation].add(identity)

    def items(self, *, after: int = -1) -> Iterator[LedgerItem]:
        """What was accepted when this was called, in that order, from the item behind `after` on."""
        forgotten = self._accepted - len(self._items)
        return iter(list(islice(self._items, max(0, after + 1 - forgotten), None)))

    def report(self) -> BookReport:
        """The counts as they stand."""
        answers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (status, reason), count in self._answers.items():
            answers[str(status)][reason] = count
        return BookReport(
            requests=self._requests,
            accepted=self._accepted,
            duplicates=self._duplicates,
            no_id=self._no_id,
            refused=self._never_accepted() + self._refused_without_id,
            dropped=self._dropped,
            lost_responses=self._lost_responses,
            harmed=dict(self._harmed),
            answers=dict(answers),
        )

    def _never_accepted(self) -> int:
        return sum(
            identity not in self._accepted_ids[operation]
            for operation, ids in self._refused_ids.items()
            for identity in ids
        )

    def _is_repeat(self, operation: str, identity: Identity | None) -> bool:
        if identity is None:
            self._no_id += 1
            return False
        if self._accepted_ids[operation].add(identity):
            return False
        self._duplicates += 1
        return True


def _identity(event_id: str | None, idempotency_key: str | None, index: int) -> Identity | None:
    """An event id is the event's own and survives bisecting; a key stands for one request."""
    if event_id is not None:
        return event_id
    return (idempotency_key, index) if idempotency_key is not None else None
