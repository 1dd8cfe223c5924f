"""One moment of the whole world, as a value."""

from typing import NamedTuple

from consumer.ledger.ledger import Intent
from consumer.types import Origin
from tests.search.scenario import Budget

NOBODY = -1


class Had(NamedTuple):
    """A partition as the owner thread of a process has it: under which epoch, and what is polled next."""

    epoch: int
    next: int


class Slot(NamedTuple):
    """One process. `state` is the automaton's."""

    state: int
    owner: int
    has: tuple[Had | None, ...]
    draining: int = NOBODY
    """The partition that is being drained: the owner thread does nothing else meanwhile."""
    overdue: bool = False
    """That drain ran out of time."""
    commits: tuple[tuple[int, int, int], ...] = ()
    """(partition, epoch, offset) as asked of the owner thread."""
    taken: tuple[int, ...] = ()
    """The requests on the wire that the receiver took, by their numbers."""


class Arrived(NamedTuple):
    """What the receiver has of one event, and which repeats of it are excused."""

    taken: bool = False
    excused: int = 0
    """Whoever repeats it: a process died or was fenced with it, a drain ran out of time, and so on."""
    lost: tuple[Origin, ...] = ()
    """This very record may be sent again, because an answer was lost. What it holds keeps all others away."""


class Operator(NamedTuple):
    """Whoever redrives one dead letter."""

    intent: Intent
    token: int
    owner: int
    taken: bool = False


class State(NamedTuple):
    """Everything."""

    slots: tuple[Slot, ...]
    store: int
    committed: tuple[int | None, ...]
    members: tuple[int, ...]
    """Whom the broker gave each partition to."""
    stands: tuple[tuple[int, int] | None, ...]
    """(slot, epoch) of whom the ledger has as each partition's owner."""
    arrived: tuple[Arrived, ...]
    """By event, as the scenario lists them."""
    letters: tuple[Origin, ...]
    late: tuple[tuple[Intent, ...], ...]
    """Requests that nobody waits for any more, and that may still be taken."""
    budget: Budget
    flushed: bool = False
    operator: Operator | None = None


class Act(NamedTuple):
    """One thing that happens. `calm`: no trouble; peace consists of such only."""

    name: str
    slot: int = NOBODY
    about: tuple[object, ...] = ()
    calm: bool = True
