"""How long to wait before another attempt."""

from collections.abc import Callable

import msgspec

Random = Callable[[], float]
"""Gives a float in [0, 1)."""


class Backoff(msgspec.Struct, frozen=True):
    """Exponential delays with full jitter: so that many that failed together do not come back together."""

    base_s: float = 0.2
    max_s: float = 30.0

    def delay_s(self, attempt: int, random: Random) -> float:
        """Seconds before attempt number `attempt` + 1 (the first attempt is number 1)."""
        ceiling = min(self.max_s, self.base_s * 2.0 ** min(attempt - 1, 30))
        return ceiling * random()


ALONE = 4
"""So many successes there must be for each failure of others, before a failure counts against a record."""


def fails_alone(successes: int, failures: int) -> bool:
    """Whether a record's failure says something of the record, by what became of the others since it failed before.

    One success is not enough: of a receiver with one of two servers down, half of all answers are failures, and
    one record in eight fails three times with successes in between.
    """
    return successes > ALONE * failures
