"""Several cases in turns, so that a machine that slows down slows all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from bench.long.delivery import Case, Delivery, deliver, middle
from bench.long.events import Topics
from bench.setting import Setting


@dataclass(frozen=True, slots=True)
class Ground:
    """What every row needs."""

    setting: Setting
    topics: Topics
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Turns:
    """The deliveries of each case, in the order of the rounds."""

    deliveries: Mapping[str, list[Delivery]]

    def middle(self, name: str) -> Delivery:
        """Of one case."""
        return middle(self.deliveries[name])

    def ratio(self, name: str, to: str, of: Callable[[Delivery], float]) -> float:
        """The median of each round's own ratio: only neighbours in time are compared."""
        pairs = zip(self.deliveries[name], self.deliveries[to], strict=True)
        return median(of(one) / of(other) for one, other in pairs)

    def speed_ratio(self, name: str, to: str) -> float:
        """Records a second of one by those of another."""
        return self.ratio(name, to, lambda one: one.per_second)

    def cpu_ratio(self, name: str, to: str) -> float:
        """CPU a record of one by that of another."""
        return self.ratio(name, to, lambda one: one.cpu_us)


def take_turns(cases: Mapping[str, Callable[[], Case]], rounds: int, ground: Ground) -> Turns:
    """Each round runs every case once, the first one changing; a case is made when its turn comes. Blocks."""
    names = list(cases)
    found: dict[str, list[Delivery]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            one = deliver(cases[name](), ground.setting)
            found[name].append(one)
            ground.tell(
                f"{name}, round {number + 1} of {rounds}: {one.per_second:,.0f} records/s, "
                f"{one.cpu_us:.1f} µs of CPU a record"
            )
    return Turns(found)
