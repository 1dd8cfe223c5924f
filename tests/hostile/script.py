"""What a hostile endpoint does to one request after the other, and the books of what it acknowledged."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable

from tests.contract.senders.receiver import Behaviour, Seen, Wire
from tests.hostile.wire_format import yes_to


def destination_of(target: str) -> str:
    """The shipped topology's destination of a request's path."""
    if target.startswith("/api/client/"):
        return "client"
    if target.startswith("/v1/event"):
        return "event"
    return "capture" if "/capture" in target else "user-analytics"


class Script:
    """A behaviour: honest, unless `spoil` gives something else to do with a request. Thread-safe."""

    def __init__(self, spoil: Callable[[Seen], Behaviour | None] = lambda _: None) -> None:
        self._lock = threading.Lock()
        self._spoil = spoil
        self._taken: list[Seen] = []

    def then(self, spoil: Callable[[Seen], Behaviour | None]) -> None:
        """Go on like this."""
        with self._lock:
            self._spoil = spoil

    def be_honest(self) -> None:
        """Nothing is spoilt any more."""
        self.then(lambda _: None)

    async def __call__(self, wire: Wire, seen: Seen) -> None:
        with self._lock:
            spoilt = self._spoil(seen)
            if spoilt is None:
                self._taken.append(seen)
        if spoilt is None:
            await wire.write(yes_to(seen.target))
        else:
            await spoilt(wire, seen)

    @property
    def taken(self) -> list[Seen]:
        """The requests that were acknowledged in truth."""
        with self._lock:
            return list(self._taken)

    def items(self) -> Counter[str]:
        """How many items were acknowledged, by destination; of an array, each."""
        counts: Counter[str] = Counter()
        for seen in self.taken:
            body = json.loads(seen.body)
            counts[destination_of(seen.target)] += len(body) if isinstance(body, list) else 1
        return counts


def one_after_the_other(behaviours: Iterable[Behaviour]) -> Callable[[Seen], Behaviour | None]:
    """Each of these once, in turn; then nothing more."""
    left = iter(behaviours)
    return lambda _: next(left, None)
